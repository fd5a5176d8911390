"""How a person changes each thing: for each address that takes a change, a function that makes one with the client."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager

from django.utils import timezone

from catalog.models import Bus, EventType, SchemaVersion, Source
from delivery.models import Backfill
from delivery.tracking.words import State
from rules.models import Rule, RuleRevision, Target, TargetRevision
from rules.revisions import save_rule, save_target, set_state
from tests.integration import rows as write
from tests.integration.catalog.shop import SCHEMA, published, registration
from tests.integration.catalog.test_discovery import came
from tests.integration.rule_pages.editor_form import form as editor
from tests.integration.rule_preview.tried import Receiver


@contextmanager
def receiving():
    """The address of a server that takes everything."""
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.url("/hook")
        finally:
            server.shutdown()
            thread.join()


def first(step, w):
    """What `step(w)` gives; what it left in the log does not count."""
    found = step(w)
    w.mark()
    return found


def retired(w):
    """The name of an event type that may be deleted."""
    made = {"summary": "…", "domain": w.domain, "team": w.team, "lifecycle": "retired"}
    return EventType.objects.create(name="order.gone", **made).name


def seen(w, then):
    """`then()`, once events of the unregistered order.found were seen."""
    came("order.found", [{"order_id": "o"}], times=5)
    return then()


def drifted(w):
    came("order.placed", [{"order_id": "o", "coupon": 1}], times=60)
    return w.client.post("/events/order.placed/drift/draft/")


def move_rule(w):
    """The rule belongs to a team that may not receive what is personal."""
    w.approval.delete()
    Rule.objects.filter(pk=w.rule.pk).update(team=w.other)


def roll_back(w):
    to = other_pattern(w)
    url = f"/rules/{w.rule.pk}/history/{to.pk}/roll-back/"
    return w.client.post(url, {"confirmed": str(to.pk)})


def sibling(w):
    return Target(rule=w.rule, name="Two", connector="http", config={"url": "http://127.0.0.1:8999/two"})


def probed(w):
    write.execute(
        "INSERT INTO runner_gate (target, opened_at, probe_at, reason) VALUES (%s, %s, %s, %s)",
        w.target.pk, write.now(), write.now() + 30 * write.SECOND, "Away.",
    )  # fmt: skip
    return w.client.post(f"/targets/{w.target.pk}/probe/")


def catching_up(w):
    Backfill.objects.create(
        target=w.target.pk, rule=w.rule.pk, revision=1, bus=w.bus.pk, after=0, until=9, routed=0, started_at=write.now()
    )  # fmt: skip
    return w.client.post(f"/targets/{w.target.pk}/stop-catching-up/")


def ended_key(w):
    w.target.config["signing_keys"] = {
        "one": "whsec_czNjcmV0czNjcmV0czNjcmV0czNjcmV0", "two": "whsec_czNjcmV1czNjcmV1czNjcmV1czNjcmV1"
    }  # fmt: skip
    save_target(w.target)
    return w.client.post(f"/targets/{w.target.pk}/signing/one/end/")


def asked_permission(w):
    with receiving() as url:
        w.target.config = {"url": url, "handshake": True}
        save_target(w.target)
        return w.client.post(f"/targets/{w.target.pk}/permission/")


def tried(w):
    seq = write.store(w.bus.pk, subject="A", data={"order_id": "12"})
    with receiving() as url:
        sent = editor(w.bus, path=["data.order_id"], values=["12"], **settings_of(w)) | {
            "config-http-url": url, "config-http-headers": "", "trial": "send", "selected": str(seq),
        }  # fmt: skip
        return w.client.post("/rules/trial/", sent)


def api(w, method, path, body=None):
    kind = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    return getattr(w.client, method)(f"/api/v1/{path}", **kind)


def dead(w):
    seq = write.store(w.bus.pk, (w.target.pk,), subject="A", data={"n": 1})
    write.hold(w.target.pk, seq, State.DEAD, reason="No.")
    return seq


def discarded(w):
    """The id of a request to discard that can still be taken back."""
    seq = dead(w)
    return api(
        w,
        "post",
        "dead-letters:discard",
        {"letters": [{"target": w.target.pk, "seq": seq}], "reason": "Old."},
    ).json()["id"]


def second(w):
    return SchemaVersion.objects.create(event_type=w.type, number=2, schema=SCHEMA, example="{}")


def other_pattern(w):
    """A later revision of the rule, so that there is one to go back to."""
    first = RuleRevision.objects.filter(rule_id=w.rule.pk).first()
    w.rule.pattern = {}
    save_rule(w.rule)
    return first


def other_policy(w):
    first = TargetRevision.objects.filter(target_id=w.target.pk).first()
    w.target.max_attempts = 9
    save_target(w.target)
    return first


def confirmed(w, url, data):
    """Sends it and, where it is asked whether that is meant, says yes."""
    asked = w.client.post(url, data)
    if asked.status_code == 302:
        return asked
    return w.client.post(url, data | {"confirmed": (asked.context or {}).get("digest", "")})


def settings_of(w):
    return {
        "config-http-url": "http://127.0.0.1:8999/hook",
        "config-http-headers": "Authorization: ••••",
        "config-http-method": "POST",
        "deliver": "connector:http",
        "target-name": "Billing",
        "do": "save",
    }


SOURCE = {"name": "Post", "uri": "/post"}
BUS = {"name": "second", "retention_days": 30, "description": ""}
FAREWELL = {"do": "deprecate", "words": "Use the other.", "ends_on": "", "successor": ""}
DOES = {
    "api-teams post": lambda w: api(w, "post", "teams", {"name": "New"}),
    "api-domains post": lambda w: api(w, "post", "domains", {"name": "New"}),
    "api-buses post": lambda w: api(w, "post", "buses", {"name": "new"}),
    "api-bus patch": lambda w: api(w, "patch", "buses/main", {"description": "The first."}),
    "api-bus-lifecycle put": lambda w: api(w, "put", "buses/main/lifecycle", {"lifecycle": "retired", "confirm": "main"}),
    "api-sources post": lambda w: api(w, "post", "sources", SOURCE | {"bus": "main", "team": "shop"}),
    "api-source patch": lambda w: api(w, "patch", "sources/shop", {"description": "The till."}),
    "api-source-lifecycle put": lambda w: api(w, "put", "sources/shop/lifecycle", {"lifecycle": "retired"}),
    "api-event-types post": lambda w: api(
        w, "post", "event-types",
        {"name": "a.b", "summary": "S.", "domain": "orders", "team": "shop", "schema": {"type": "object"}, "example": {}},
    ),
    "api-versions post": lambda w: api(
        w, "post", "event-types/order.placed/versions",
        {"schema": {**json.loads(SCHEMA), "description": "New."}, "example": {"order_id": "1"}, "notes": "n"},
    ),
    "api-version-lifecycle put": lambda w: (
        second(w), api(w, "put", "event-types/order.placed/versions/1/lifecycle", {"lifecycle": "deprecated"})
    )[1],
    "api-lifecycle put": lambda w: api(
        w, "put", "event-types/order.placed/lifecycle", {"lifecycle": "deprecated", "words": "Use the other."}
    ),
    "api-event-type patch": lambda w: api(w, "patch", "event-types/order.placed", {"summary": "Another."}),
    "api-event-type delete": lambda w: api(w, "delete", f"event-types/{retired(w)}?confirm=order.gone"),
    "api-drafts post": lambda w: api(w, "post", "drafts", {"name": "x.y", "summary": "S."}),
    "api-draft patch": lambda w: api(w, "patch", f"drafts/{w.draft.pk}", {"name": "order.found"}),
    "api-draft delete": lambda w: api(w, "delete", f"drafts/{w.draft.pk}"),
    "api-approval put": lambda w: api(w, "put", f"approvals/{w.approval.pk}", {"state": "granted", "answer": "Yes."}),
    "api-wanted post": lambda w: api(w, "post", "wanted", {"name": "some.thing", "why": "To know."}),
    "api-voice put": lambda w: api(w, "put", f"wanted/{w.wanted.pk}/voice"),
    "api-voice delete": lambda w: (
        first(lambda w: api(w, "put", f"wanted/{w.wanted.pk}/voice"), w),
        api(w, "delete", f"wanted/{w.wanted.pk}/voice"),
    )[1],
    "api-redrive post": lambda w: api(w, "post", "dead-letters:redrive", {"letters": [{"target": w.target.pk, "seq": dead(w)}]}),
    "api-discard post": lambda w: api(
        w, "post", "dead-letters:discard", {"letters": [{"target": w.target.pk, "seq": dead(w)}], "reason": "Old."}
    ),
    "api-undo-dead-letters post": lambda w: api(w, "post", f"dead-letter-jobs/{first(discarded, w)}:undo"),
    "sign-out": lambda w: w.client.post("/sign-out/"),
    "wanted": lambda w: w.client.post("/wanted/", {"name": "some.thing", "why": "To know."}),
    "join-wanted": lambda w: w.client.post(f"/wanted/{w.wanted.pk}/join/"),
    "follow": lambda w: w.client.post("/following/follow/", {"kind": "type", "key": "order.placed", "do": "follow"}),
    "feed-key": lambda w: w.client.post("/following/feed/", {"do": "make"}),
    "mail-address": lambda w: w.client.post("/following/mail/", {"email": "mara@example.com"}),
    "register-type": lambda w: w.client.post("/events/new/", registration(w)),
    "delete-draft": lambda w: w.client.post(f"/drafts/{w.draft.pk}/delete/"),
    "draft-discovered": lambda w: seen(w, lambda: w.client.post("/discovery/draft/", {"name": "order.found"})),
    "ignore-discovered": lambda w: seen(w, lambda: w.client.post("/discovery/ignore/", {"name": "order.found"})),
    "draft-drift": lambda w: drifted(w),
    "publish": lambda w: published(w.client),
    "edit-type": lambda w: w.client.post("/events/order.placed/edit/", registration(w, summary="Another.")),
    "delete-type": lambda w: w.client.post(f"/events/{retired(w)}/delete/"),
    "type-lifecycle": lambda w: w.client.post("/events/order.placed/lifecycle/", FAREWELL),
    "register-version": lambda w: w.client.post(
        "/events/order.placed/versions/new/",
        {"schema": json.dumps({**json.loads(SCHEMA), "description": "New."}), "example": '{"order_id": "1"}', "notes": ""},
    ),
    "set-default-version": lambda w: (second(w), w.client.post("/events/order.placed/default/", {"version": "1"}))[1],
    "register-source": lambda w: w.client.post("/sources/new/", SOURCE | {"bus": w.bus.pk, "team": w.team.pk}),
    "edit-source": lambda w: w.client.post(
        "/sources/shop/edit/", {"name": "Till", "uri": "/shop/checkout", "bus": w.bus.pk, "team": w.team.pk}
    ),
    "source-token": lambda w: w.client.post("/sources/shop/token/"),
    "retire-source": lambda w: w.client.post("/sources/shop/retire/"),
    "restore-source": lambda w: (
        Source.objects.update(retired_at=timezone.now()), w.client.post("/sources/shop/restore/")
    )[1],
    "profile": lambda w: w.client.post("/profile/", {"name": "Mara", "email": "", "language": "", "theme": "dark"}),
    "own-password": lambda w: w.client.post(
        "/profile/password/",
        {"old_password": "signal-box-9", "new_password1": "other-box-10", "new_password2": "other-box-10"},
    ),
    "new-team": lambda w: w.client.post("/settings/teams/new/", {"name": "New"}),
    "team": lambda w: w.client.post("/settings/teams/by-slug/shop/", {"name": "Checkout"}),
    "team-members": lambda w: w.client.post(
        "/settings/teams/by-slug/billing/members/", {"member": "lena", "do": "add"}
    ),
    "delete-team": lambda w: w.client.post("/settings/teams/by-slug/billing/delete/"),
    "invite-member": lambda w: w.client.post(
        "/settings/members/new/", {"username": "jonas", "name": "", "email": "", "role": "reader"}
    ),
    "member": lambda w: w.client.post("/settings/members/by-name/lena/", {"name": "Lena", "email": "", "role": "reader"}),
    "member-link": lambda w: w.client.post("/settings/members/by-name/lena/link/"),
    "switch-member": lambda w: w.client.post("/settings/members/by-name/lena/switch/", {"on": "0"}),
    "tokens": lambda w: w.client.post("/settings/tokens/", {"name": "new", "team": w.team.pk, "bus": w.bus.pk}),
    "revoke-token": lambda w: w.client.post(f"/settings/tokens/{w.token.pk}/revoke/"),
    "new-bus": lambda w: w.client.post("/settings/buses/new/", BUS),
    "bus": lambda w: w.client.post("/settings/buses/main/", BUS | {"name": "main", "retention_days": 7}),
    "retire-bus": lambda w: w.client.post("/settings/buses/main/retire/", {"confirm": "main"}),
    "restore-bus": lambda w: (
        Bus.objects.update(retired_at=timezone.now()), w.client.post("/settings/buses/main/restore/")
    )[1],
    "subscribe": lambda w: w.client.post("/subscribe/", editor(w.bus, path=["data.order_id"], values=["12"])),
    "edit-rule": lambda w: confirmed(
        w, f"/rules/{w.rule.pk}/edit/",
        editor(w.bus, name="Renamed", path=["data.order_id"], values=["12"], **settings_of(w)),
    ),
    "add-target": lambda w: w.client.post(
        f"/rules/{w.rule.pk}/targets/new/", {"send": "complete", "deliver": "place:bin", "target-name": "Two", "do": "save"}
    ),
    "edit-target": lambda w: w.client.post(
        f"/targets/{w.target.pk}/edit/", {"send": "complete", "target-max_attempts": "4"} | settings_of(w)
    ),
    "ask-approval": lambda w: (
        move_rule(w), w.client.post(f"/rules/{w.rule.pk}/ask/", {"approval-reason": "For bills."})
    )[1],
    "decide-approval": lambda w: w.client.post(
        f"/approvals/{w.approval.pk}/decide/", {"do": "grant", "answer": "Yes."}
    ),
    "refuse-team": lambda w: w.client.post("/approvals/order.placed/teams/billing/refuse/", {"answer": "No."}),
    "switch-rule": lambda w: w.client.post(f"/rules/{w.rule.pk}/switch/", {"enabled": "0"}),
    "duplicate-rule": lambda w: w.client.post(f"/rules/{w.rule.pk}/duplicate/"),
    "roll-back-rule": lambda w: roll_back(w),
    "roll-back-target": lambda w: (
        w.client.post(f"/targets/{w.target.pk}/history/{first(other_policy, w).pk}/roll-back/")
    ),
    "delete-rule": lambda w: w.client.post(f"/rules/{w.rule.pk}/delete/"),
    "delete-target": lambda w: w.client.post(f"/targets/{w.target.pk}/delete/"),
    "pause-target": lambda w: w.client.post(f"/targets/{w.target.pk}/pause/"),
    "resume-target": lambda w: (
        set_state(w.target, "paused"), w.client.post(f"/targets/{w.target.pk}/resume/")
    )[1],
    "pause-targets": lambda w: w.client.post("/targets/pause/", {"target": w.target.pk}),
    "resume-targets": lambda w: (
        set_state(w.target, "paused"), w.client.post("/targets/resume/", {"target": w.target.pk})
    )[1],
    "probe-target": lambda w: probed(w),
    "send-dead-letters": lambda w: w.client.post(
        f"/targets/{w.target.pk}/dead-letters/", {"to": save_target(sibling(w)).pk}
    ),
    "stop-catching-up": lambda w: catching_up(w),
    "signing-keys": lambda w: w.client.post(f"/targets/{w.target.pk}/signing/", {"kind": "hmac", "overlap": 0}),
    "end-key": lambda w: ended_key(w),
    "ask-permission": lambda w: asked_permission(w),
    "trial": lambda w: tried(w),
    "redrive": lambda w: w.client.post("/dead-letters/redrive/", {"letter": f"{w.target.pk}-{dead(w)}"}),
    "discard": lambda w: w.client.post(
        "/dead-letters/discard/", {"letter": f"{w.target.pk}-{dead(w)}", "reason": "Old."}
    ),
    "undo-dead-letters": lambda w: w.client.post(f"/dead-letters/jobs/{first(discarded, w)}/undo/"),
    "bins": lambda w: w.client.post("/bins/", {"name": "Another"}),
    "empty-bin": lambda w: w.client.post(f"/bins/{w.bin.pk}/empty/"),
    "delete-bin": lambda w: w.client.post(f"/bins/{w.bin.pk}/delete/"),
    "demo-generator": lambda w: w.client.post("/demo/generator/", {"on": "1"}),
}  # fmt: skip
