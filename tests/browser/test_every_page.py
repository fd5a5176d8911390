"""Every page of the catalog and the rules with something in it, at both widths and in both themes.

The theme is CSS, so a page is opened once per width and turned dark where it stands. Colours do not depend on the width:
on a phone axe-core looks at the light page alone.

`visit` fails a test whose page logs an error, breaks the content security policy or asks another origin; here come what
is cut off, what scrolls the whole page sideways, and axe-core's verdict. Names and values are as long as they get.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sideways
from tests.processes import Town, eventually

LONG = "com.example.integration.platform.purchaseorderacknowledgement.received"
ID = "6c84fb90-12c4-51e1-840d-725eee7b5a3c-of-the-northern-warehouse"
FIRST = {
    "type": "object",
    "required": ["order_id"],
    "properties": {
        "order_id": {"type": "string", "description": "The shop's own number"},
        "customer": {
            "type": "object",
            "properties": {"id": {"type": "string"}, "email": {"type": "string"}},
        },
        "total": {"type": "object", "properties": {"amount": {"type": "number"}}},
        "purchaseOrderAcknowledgementDocumentReferenceIdentifier": {"type": "string"},
    },
}
SECOND = FIRST | {"properties": FIRST["properties"] | {"channel": {"enum": ["app", "web", "store"]}}}
PERSON = "maximiliane.von-der-northern-warehouse@purchasing.example.com"
EXAMPLE = {"order_id": "order-1", "customer": {"id": ID, "email": "a@example.com"}, "total": {"amount": 12.5}}
ROWS = f"""
from datetime import date
from django.contrib.auth import get_user_model
from django.utils import timezone
from catalog.models import *
from rules.models import Rule, Target
from rules.revisions import save_rule, subscribe
me, team, bus = get_user_model().objects.get(), Team.objects.get(), Bus.objects.get()
Bus.objects.update(open_publishing=True)
other = Team.objects.create(name="Purchasing and supplier relations", slug="purchasing")
domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", hue=0, team=team)
source = Source.objects.create(name="Shop", slug="shop", uri="/integration/shop/checkout/eu-north-1", bus=bus, team=team)
Source.objects.create(name="Old till", slug="old", uri="/old", bus=bus, team=team, retired_at=timezone.now())
Bus.objects.create(name="spare", description="For trying things out.")
for name in ("order.placed", {LONG!r}):
    made = EventType.objects.create(name=name, summary="A customer committed to buy.", docs="# Docs\\n\\nOf it.",
        domain=domain, team=team, personal=["customer.email"], tags=["nightly"])
    made.sources.add(source)
    SchemaVersion.objects.create(event_type=made, number=1, schema={json.dumps(FIRST)!r}, example={json.dumps(EXAMPLE)!r})
SchemaVersion.objects.create(event_type=EventType.objects.get(name="order.placed"), number=2,
    schema={json.dumps(SECOND)!r}, example={json.dumps(EXAMPLE)!r}, notes="Adds the channel.")
EventType.objects.create(name="order.committed", summary="It ends.", domain=domain, team=team, lifecycle="deprecated",
    ends_on=date(2100, 3, 31), successor=EventType.objects.get(name="order.placed"), farewell="Listen to the other.")
Wanted.objects.create(name="invoice.overdue", why="Reminders with the amount.", created_by=me)
Follow.objects.create(user=me, kind="type", key="order.placed")
lena = get_user_model().objects.create_user({PERSON!r}, first_name="Maximiliane", email={PERSON!r})
other.members.add(lena)
AuditRecord.objects.create(by={PERSON!r}, via="console", address="2001:db8:85a3::8a2e:370:7334", action="changed", kind="event-type",
    key={LONG!r}, name={LONG!r}, before={{"summary": "x" * 300, "config.password": "••••"}}, after={{"summary": {LONG!r}, "config.password": "••••"}})
AuditRecord.objects.create(via="api", action="deleted", kind="target", key="77", name="Gone", before={{"name": "Gone"}}, note="by hand")
Approval.objects.create(event_type=EventType.objects.get(name="order.placed"), team=other, reason="To write letters.", asked_by=me)
rule = Rule(name="Orders of the northern warehouse to Billing", bus=bus, team=team, pattern={{"type": ["order.placed"]}})
subscribe(rule, Target(name="Billing", connector="http", config={{"url": "http://127.0.0.1:9/v2/invoices"}}), me)
rule.pattern = {{"type": ["order.placed"], "data": {{"total": {{"amount": [{{"numeric": [">=", 5]}}]}}}}}}
save_rule(rule, me)
print("RULE", rule.pk, "TARGET", rule.targets.get().pk)
"""
PAGES = [
    "/",
    "/?view=table",
    "/?q=data.total.amount",
    "/?q=refnud",
    "/?show=new",
    "/?domain=orders",
    "/wanted/",
    "/events/order.placed/",
    "/events/order.placed/?show=schema",
    "/events/order.placed/?show=openapi&with=python&types=pydantic",
    f"/events/{LONG}/",
    "/events/order.committed/",
    "/events/order.placed/publish/",
    "/events/order.placed/edit/",
    "/events/order.placed/delete/",
    "/events/order.placed/lifecycle/",
    "/events/order.placed/lifecycle/?version=1",
    "/events/order.committed/lifecycle/",
    "/events/order.placed/diff/",
    "/events/order.placed/drift/",
    "/events/order.placed/versions/new/",
    "/events/new/",
    "/drafts/",
    "/import/",
    "/export/",
    "/api/v1/docs/",
    "/sources/",
    "/sources/shop/",
    "/sources/old/",
    "/sources/new/",
    "/sources/shop/edit/",
    "/settings/buses/",
    "/settings/buses/main/",
    "/settings/buses/new/",
    "/settings/buses/main/retire/",
    "/settings/tokens/",
    "/settings/teams/",
    "/settings/teams/new/",
    "/settings/teams/by-slug/purchasing/",
    "/settings/teams/by-slug/purchasing/delete/",
    "/settings/members/",
    "/settings/members/new/",
    f"/settings/members/by-name/{PERSON}/",
    "/settings/connectors/",
    "/settings/audit/",
    "/settings/audit/?kind=car&from=soon",
    "/profile/",
    "/map/",
    "/map/?view=table",
    "/map/?focus=type:order.placed",
    "/changes/",
    "/changes/?show=all",
    "/following/",
    "/approvals/",
    "/discovery/",
    "/discovery/type/?name=cart.abandoned",
    "/discovery/drift/",
    "/rules/",
    "/rules/RULE/",
    "/rules/RULE/edit/",
    "/rules/RULE/history/",
    "/rules/RULE/targets/new/",
    "/subscribe/?type=order.placed",
    "/targets/",
    "/targets/TARGET/",
    "/targets/TARGET/edit/",
    "/targets/TARGET/history/",
]
# What is wider than its place and neither scrolls, wraps nor ends in an ellipsis. Drawings and what only screen readers
# read are as wide as they like, and so are text areas, whose text scrolls.
CUT = """() => [...document.querySelectorAll("main :is(td, dd, li, p, span, h1, h2, h3, header, footer, section)")].filter(one => {
  const { overflowX, textOverflow, display, clipPath } = getComputedStyle(one);
  if (!one.clientWidth || display === "inline" || clipPath !== "none" || one.closest("svg, pre, code-area, .sr")) return false;
  if (one.closest(".shelf, .shelf-preview") || one.querySelector("svg.topo, .shelf")) return false;
  return one.scrollWidth > one.clientWidth + 1 && textOverflow !== "ellipsis" && !["auto", "scroll"].includes(overflowX);
}).map(one => one.outerHTML.slice(0, 160))"""


@pytest.fixture(scope="module")
def pages(console: Town) -> list[str]:
    """The paths, once the events of two types were stored and looked into."""
    _, rule, _, target = console.manage("shell", "-v0", "-c", ROWS).split()[-4:]
    for number in range(12):
        for kind in ("order.placed", LONG, "cart.abandoned"):
            event = {
                "specversion": "1.0", "id": f"{kind}-{number}", "source": "/integration/shop/checkout/eu-north-1",
                "type": kind, "subject": f"order-{number}",
                "data": EXAMPLE | {"order_id": f"order-{number // 3}-{ID}", "purchaseOrderAcknowledgementDocumentReferenceIdentifier": ID},
            }  # fmt: skip
            answer = console.request(
                "POST",
                "/v1/buses/main/events",
                json.dumps(event).encode(),
                {"content-type": "application/cloudevents+json"},
            )
            assert answer.status == 202, answer.body
    # A value that came more than once is drawn with its share once the observer has looked.
    looked = "SELECT SUM(sampled) FROM catalog_observation WHERE type_name = %s"
    eventually(lambda: console.query(looked, LONG) == [(12,)], "every event was looked into")
    return [path.replace("RULE", rule).replace("TARGET", target) for path in PAGES]


def faults(page: Page, axe: Callable[[Page], list[str]]) -> list[str]:
    """What is wrong with a page that is open."""
    found = axe(page)
    if wide := sideways(page):
        found.append(f"scrolls sideways by {wide} px")
    if page.locator("h1").count() != 1 or not page.title().removesuffix(" · Signalbox"):
        found.append(f"title {page.title()!r}, {page.locator('h1').count()} main headings")
    return found + [f"cut: {one}" for one in page.evaluate(CUT)]


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_every_page_fits_its_window_and_can_be_read(
    console: Town,
    pages: list[str],
    visit: Callable[..., Page],
    accessibility: Callable[[Page], list[str]],
    in_both_themes: Callable[[Page], list[str]],
    phone: bool,
) -> None:
    page = visit(phone=phone)
    found = {}
    for path in pages:
        answer = page.goto(console.url + path)
        assert answer is not None
        assert answer.ok, (path, answer.status)
        # What a page asks for when it is there, it shows before anybody looks.
        expect(page.locator(".htmx-request")).to_have_count(0)
        if wrong := faults(page, accessibility if phone else in_both_themes):
            found[path] = wrong
            print(path, *wrong, sep="\n  ")
    assert found == {}
