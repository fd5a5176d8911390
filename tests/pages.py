"""Every page of the console, by the name of its URL: what walks of a browser open and what `make screenshots` shows.

A page that is in neither list fails tests/integration/test_every_page_is_listed.py. Who adds a page adds its line here,
and so it is looked at in both themes and three widths, checked with axe-core, and filled with hostile names and values.

    for shown in paths(places): …            # places: what {type}, {rule} and so on stand for in one Signalbox
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote

# What the addresses below stand for: `places` gives a value to each.
PLACES = (
    "type",  # an event type with two versions that some of its events break, and somebody's question for approval
    "ending",  # a deprecated event type
    "unregistered",  # the type of events that nobody registered
    "wished",  # an event that somebody asked for
    "domain",
    "draft",
    "run",  # a document that was read and waits to be registered
    "source",
    "retired",  # a retired source
    "bus",
    "rule",
    "target",  # of that rule, with a dead letter
    "seq",  # of an event with a journey
    "dead",  # seq of a dead letter of `target`
    "subject",  # of several events
    "word",  # in names, descriptions and data
    "bin",
    "team",  # one with a member and an open question
    "person",  # the name of somebody in it
)

# The first address is the page as one comes to it; the others show what it can be besides.
PAGES: dict[str, tuple[str, ...]] = {
    "marketplace": (
        "/",
        "/?view=table",
        "/?q={word}",
        "/?q=refnud",
        "/?show=new",
        "/?domain={domain}",
    ),
    "wanted": ("/wanted/", "/wanted/?name={wished}"),
    "event-type": (
        "/events/{type}/",
        "/events/{type}/?show=schema",
        "/events/{type}/?show=openapi&with=python&types=pydantic",
        "/events/{ending}/",
    ),
    "publish": ("/events/{type}/publish/",),
    "edit-type": ("/events/{type}/edit/",),
    "delete-type": ("/events/{type}/delete/",),
    "type-lifecycle": (
        "/events/{type}/lifecycle/",
        "/events/{type}/lifecycle/?version=1",
        "/events/{ending}/lifecycle/",
    ),
    "compare-versions": ("/events/{type}/diff/",),
    "type-drift": ("/events/{type}/drift/",),
    "register-version": ("/events/{type}/versions/new/",),
    "register-type": ("/events/new/", "/events/new/?draft={draft}"),
    "import-run": ("/events/new/import/{run}/",),
    "drafts": ("/drafts/",),
    "imports": ("/import/",),
    "exports": ("/export/",),
    "api-docs": ("/api/v1/docs/",),
    "changes": ("/changes/", "/changes/?show=all"),
    "following": ("/following/",),
    "map": ("/map/", "/map/?view=table", "/map/?focus=type:{type}"),
    "map-find": ("/map/find/?q={word}",),
    "sources": ("/sources/",),
    "source": ("/sources/{source}/", "/sources/{retired}/"),
    "register-source": ("/sources/new/",),
    "edit-source": ("/sources/{source}/edit/",),
    "discovery": ("/discovery/", "/discovery/?show=ignored"),
    "discovered": ("/discovery/type/?name={unregistered}",),
    "drift": ("/discovery/drift/",),
    "rules": ("/rules/",),
    "rule": ("/rules/{rule}/",),
    "edit-rule": ("/rules/{rule}/edit/",),
    "delete-rule": ("/rules/{rule}/delete/",),
    "rule-history": ("/rules/{rule}/history/",),
    "add-target": ("/rules/{rule}/targets/new/",),
    "subscribe": ("/subscribe/?type={type}", "/subscribe/"),
    "targets": ("/targets/",),
    "target": ("/targets/{target}/",),
    "edit-target": ("/targets/{target}/edit/",),
    "target-history": ("/targets/{target}/history/",),
    "signing-keys": ("/targets/{target}/signing/",),
    "delete-target": ("/targets/{target}/delete/",),
    "bins": ("/bins/",),
    "bin": ("/bins/{bin}/",),
    "approvals": ("/approvals/",),
    "deliveries": (
        "/deliveries/",
        "/deliveries/?range=30d&target={target}",
        "/deliveries/?range=24h&view=table",
        "/deliveries/?from=2026-01-02T10:00&to=2026-01-02T09:00",
    ),
    "find": ("/find/", "/find/?q={subject}", "/find/?q=nothing-like-it", "/find/?text={word}"),
    "journey": ("/journey/{seq}/", "/journey/{dead}/", "/journey/{dead}/?view=table"),
    "dead-letters": ("/dead-letters/", "/dead-letters/?view=list", "/dead-letters/?target={target}"),
    "dead-letter": ("/dead-letters/{target}/{dead}/",),
    "teams": ("/settings/teams/",),
    "new-team": ("/settings/teams/new/",),
    "team": ("/settings/teams/by-slug/{team}/",),
    "delete-team": ("/settings/teams/by-slug/{team}/delete/",),
    "members": ("/settings/members/",),
    "invite-member": ("/settings/members/new/",),
    "member": ("/settings/members/by-name/{person}/",),
    "connectors": ("/settings/connectors/",),
    "audit": ("/settings/audit/", "/settings/audit/?kind=car&from=soon"),
    "profile": ("/profile/",),
    "tokens": ("/settings/tokens/",),
    "buses": ("/settings/buses/",),
    "bus": ("/settings/buses/{bus}/",),
    "new-bus": ("/settings/buses/new/",),
    "retire-bus": ("/settings/buses/{bus}/retire/",),
    "welcome": ("/welcome/",),
}
# Pages that only who is not signed in sees.
SIGNED_OUT: dict[str, tuple[str, ...]] = {"sign-in": ("/sign-in/", "/sign-in/?next=/rules/")}
# What answers a GET and is none of the above, and why. What takes POST alone need not be named.
NO_PAGES: dict[str, str] = {
    "setup": "leads to signing in once somebody exists; tests/integration/catalog/test_signing_in.py looks at it",
    "setup-link": "is there before anybody exists; the same tests look at it",
    "join": "is there for who was invited; tests/integration/settings look at it",
    "settings": "leads to the first of its pages that one may open",
    "audit-export": "a document",
    "palette": "a part of every page",
    "check-type-name": "a part of the form that registers",
    "suggest-tags": "a part of the form that registers",
    "type-readiness": "a part of the event type's page",
    "type-successors": "a part of the form of a lifecycle",
    "first-event": "a part of the source's page",
    "type-options": "a part of the rule editor",
    "rule-targets": "a part of the rule's page",
    "catching-up": "a part of the target's page",
    "dead-letter-jobs": "a part of the page of dead letters",
    "later": "a part of the page of dead letters",
    "tail": "a part of the deliveries",
    "wire": "a part of the marketplace",
    "subscribe-here": "leads to the rule editor",
    "roll-back-rule": "leads to the history",
    "roll-back-target": "leads to the history",
    "changes-atom": "a feed",
    "map-svg": "a drawing to keep",
    "metrics": "for Prometheus",
    "webhook-permission": "for a target's system",
    "raw-event": "an event as it was sent",
    "schema-version": "a document",
    "newest-schema": "a document",
    "openapi-version": "a document",
    "type-binding": "a document",
    "source-asyncapi-json": "a document",
    "source-asyncapi-yaml": "a document",
    "export-asyncapi-json": "a document",
    "export-asyncapi-yaml": "a document",
    "export-openapi-json": "a document",
    "export-openapi-yaml": "a document",
    "export-schemas": "a document",
    "export-xregistry": "a document",
    "export-backstage": "a document",
}


class Shown(NamedTuple):
    """One address: the `page` it is of, its number among that page's addresses, and its `path`."""

    page: str
    number: int
    path: str

    @property
    def name(self) -> str:
        """Of a picture: the page's name, and a number where it has several."""
        return self.page if self.number == 0 else f"{self.page}-{self.number + 1}"


def paths(places: Mapping[str, str], pages: Mapping[str, tuple[str, ...]] = PAGES) -> Iterator[Shown]:
    """The addresses of `pages` in a Signalbox with these `places`. Raises KeyError for a place it lacks."""
    quoted = {name: quote(value, safe="/") for name, value in places.items()}
    for page, addresses in pages.items():
        for number, address in enumerate(addresses):
            yield Shown(page, number, address.format_map(quoted))
