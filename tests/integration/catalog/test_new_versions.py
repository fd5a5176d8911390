"""A new version: what it would break and the event that shows it, before it is saved; who may save it all the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from catalog.models import EventType, Lifecycle, Observation, SchemaVersion
from catalog.registering import judge, save_version
from catalog.schemas.shape import Shape
from tests.integration.catalog.shop import EXAMPLE, SCHEMA, text_of

pytestmark = pytest.mark.django_db

NEW = "/events/order.placed/versions/new/"
CHECK = f"{NEW}check/"
OLD = json.loads(SCHEMA)
# order_id may be missing: a listener that reads by version 1 would refuse such an event.
LOOSE = json.dumps(OLD | {"required": []}, indent=1)
# An optional field more: nobody minds.
MORE = json.dumps(OLD | {"properties": OLD["properties"] | {"gift": {"type": "boolean"}}}, indent=1)
# Required now: events of before do not fit.
TIGHT = json.dumps(OLD | {"required": ["order_id", "total"]}, indent=1)


def version(schema=MORE, **fields):
    return {"schema": schema, "example": EXAMPLE} | fields


def check(client, schema, **fields):
    response = client.post(CHECK, version(schema, **fields), headers={"HX-Request": "true"})
    assert response.status_code == 200
    return response


def test_a_version_that_keeps_the_promise_is_said_to_and_saved_with_its_verdict(client, person, town, log):
    page = text_of(check(client, MORE))
    assert "It keeps the promise." in page
    assert "“Listeners keep working” is proved against v1" in page
    assert "data.gift" in page
    assert client.post(NEW, version(notes="a gift")).url == "/events/order.placed/"
    saved = town.latest
    assert (saved.number, saved.notes, saved.override) == (2, "a gift", "")
    assert (saved.verdict["outcome"], saved.verdict["against"], saved.verdict["accepted"]) == (
        "compatible",
        [1],
        True,
    )


def test_a_break_is_shown_with_its_place_and_the_event_that_shows_it(client, person, town, log):
    response = check(client, LOOSE)
    page = text_of(response)
    assert "It breaks the promise." in page
    assert "data.order_id may be missing now; the old schema requires it." in page
    assert "Accepted by this version, refused by v1" in page
    shown = response.context["answer"].breaks[0]
    counterexample = json.loads(shown.counterexample)
    assert "order_id" not in counterexample
    assert 'class="code pad"' in response.content.decode()
    assert "Leave the field as it was" in page


def test_what_breaks_for_old_events_is_told_the_other_way_round(client, person, town, log):
    EventType.objects.filter(pk=town.pk).update(compatibility="backward")
    page = text_of(check(client, TIGHT))
    assert "Accepted by v1, refused by this version" in page
    assert "Old examples it refuses" not in page
    SchemaVersion.objects.create(
        event_type=town, number=2, schema=SCHEMA + " ", example='{"order_id": "order-2"}'
    )
    page = text_of(check(client, TIGHT))
    assert "Old examples it refuses" in page
    assert "v2 : “total” is missing." in page.replace("v2:", "v2 :")


def observe(town, *values, sensitive=()):
    shape = Shape(sensitive)
    for value in values:
        shape.add(value)
    now = datetime.now(UTC)
    Observation.objects.create(
        type_name=town.name, day=now.date(), source="/shop", bus="main", shape=shape.to_json(),
        events=len(values), sampled=len(values), first_at=now, last_at=now,
    )  # fmt: skip


def test_what_was_really_seen_stands_beside_what_was_found(client, person, town, log):
    observe(town, *({"order_id": f"o-{n}"} for n in range(3)), {"total": {"amount": 5}})
    assert "‘data.order_id’ was seen in 3 of 4 events" in text_of(check(client, LOOSE))


def test_a_caution_needs_a_type_that_accepts_cautions(client, person, town, log):
    few = {"type": "object", "properties": {"state": {"enum": ["sent", "lost"]}}}
    more = {"type": "object", "properties": {"state": {"enum": ["sent", "lost", "found"]}}}
    SchemaVersion.objects.create(event_type=town, number=2, schema=json.dumps(few), example="{}")
    observe(town, *({"state": "sent"} for _ in range(9)), {"state": "lost"})
    page = text_of(check(client, json.dumps(more)))
    assert "values that they have not seen so far" in page
    assert "caution" in page
    assert "‘data.state’ was seen in 10 of 10 events (“sent” 90%, “lost” 10%)" in page
    assert client.post(NEW, version(json.dumps(more))).status_code == 200
    EventType.objects.filter(pk=town.pk).update(accept_cautions=True)
    assert "It passes, with cautions." in text_of(check(client, json.dumps(more)))
    assert client.post(NEW, version(json.dumps(more))).status_code == 302
    assert town.latest.verdict["breaks"][0]["caution"] is True
    assert town.latest.override == ""


def test_values_of_personal_fields_are_never_shown(client, person, town, log):
    few = {"type": "object", "properties": {"state": {"enum": ["sent"]}}}
    SchemaVersion.objects.create(event_type=town, number=2, schema=json.dumps(few), example="{}")
    EventType.objects.filter(pk=town.pk).update(personal=["state"])
    observe(town, *({"state": "secret"} for _ in range(10)))
    page = text_of(
        check(client, json.dumps({"type": "object", "properties": {"state": {"enum": ["sent", "lost"]}}}))
    )
    assert "was seen in 10 of 10 events" in page
    assert "secret" not in page


def test_an_owner_saves_it_all_the_same_only_with_a_reason_that_is_kept(client, person, town, log):
    refused = client.post(NEW, version(LOOSE))
    assert "To save it all the same, say why." in text_of(refused)
    assert "It breaks the promise." in text_of(refused)
    assert town.versions.count() == 1
    assert client.post(NEW, version(LOOSE, override=" ")).status_code == 200
    assert client.post(NEW, version(LOOSE, override="Billing agreed on 3 May.")).status_code == 302
    saved = town.latest
    assert saved.override == "Billing agreed on 3 May."
    kept = saved.verdict["breaks"][0]
    assert (kept["path"], kept["direction"], kept["against"]) == ("data.order_id", "forward", 1)
    assert kept["has_counterexample"] is True
    assert saved.verdict["accepted"] is False


def test_others_are_told_whom_to_ask_and_a_member_of_the_team_may(client, person, town, log, colleague):
    client.force_login(colleague)
    page = text_of(check(client, LOOSE))
    assert "ask its owner, the team Checkout" in page
    assert "Why it is saved all the same" not in page
    refused = client.post(NEW, version(LOOSE, override="I want to."))
    assert "Only its owner may save it all the same: Checkout, or staff." in text_of(refused)
    assert town.versions.count() == 1
    assert client.post(NEW, version(MORE)).status_code == 302
    town.team.members.add(colleague)
    assert client.post(NEW, version(LOOSE, override="We agreed.")).status_code == 302


def test_a_reason_is_not_kept_where_none_was_needed(client, person, town, log):
    client.post(NEW, version(MORE, override="just in case"))
    assert town.latest.override == ""


def test_a_type_without_a_promise_compares_nothing_and_still_shows_what_changes(client, person, town, log):
    EventType.objects.filter(pk=town.pk).update(compatibility="none")
    page = text_of(check(client, LOOSE))
    assert "This type promises nothing" in page
    assert "What changes" in page
    assert client.post(NEW, version(LOOSE)).status_code == 302


def test_a_transitive_promise_asks_every_version_that_is_in_use(client, person, town, log):
    EventType.objects.filter(pk=town.pk).update(compatibility="forward_transitive", accept_cautions=False)
    save_version(town, person, schema=LOOSE, example="{}")
    town.refresh_from_db()
    found = judge(town, LOOSE + " ")
    assert found.against == (1, 2)
    assert [one.against for one in found.verdict.breaks] == [1]
    first = town.versions.get(number=1)
    first.lifecycle = Lifecycle.RETIRED
    first.save(update_fields=["lifecycle"])
    assert judge(town, LOOSE + " ").compatible


def test_a_long_history_is_compared_from_the_newest_as_far_as_there_is_time(person, town):
    EventType.objects.filter(pk=town.pk).update(compatibility="full_transitive")
    town.refresh_from_db()
    for number in range(2, 9):
        save_version(town, person, schema=SCHEMA + " " * number, example=EXAMPLE)
    ticks = iter(range(100))
    found = judge(town, MORE, clock=lambda: next(ticks) * 0.4)
    assert found.against == (6, 7, 8)
    assert "5 older versions" in found.verdict.undecided[0].why
    assert not found.accepted
    assert judge(town, MORE).against == tuple(range(1, 9))


def test_what_cannot_be_decided_is_said_and_counts_as_not_kept(client, person, town, log, monkeypatch):
    from catalog import registering

    monkeypatch.setattr(registering, "CHECK_SECONDS", 0.0)
    page = text_of(check(client, LOOSE))
    assert "It could not be decided." in page
    assert "Not decided" in page
    assert "It could not be decided whether" in text_of(client.post(NEW, version(LOOSE)))
    assert client.post(NEW, version(LOOSE, override="Looked at by hand.")).status_code == 302
    assert town.latest.verdict["outcome"] == "undecided"


def test_a_wrong_schema_or_example_is_told_before_any_verdict(client, person, town, log):
    page = text_of(check(client, '{\n "type": "objekt"\n}'))
    assert "Line 2: /type" in page
    assert "promise" not in page.replace("keeps the promise", "")
    assert "Line 1: /order_id" in text_of(check(client, MORE, example='{"order_id": 5}'))
    assert "Nothing has changed yet." in text_of(check(client, SCHEMA))


def test_a_first_version_is_judged_by_nothing(client, person, town, log):
    town.versions.all().delete()
    assert client.get(NEW).status_code == 200
    check(client, MORE)
    assert client.post(NEW, version(MORE)).status_code == 302
    assert town.latest.verdict == {}


def test_marks_of_personal_data_are_added_by_anybody_and_taken_away_by_owners(
    client, person, town, log, colleague
):
    EventType.objects.filter(pk=town.pk).update(personal=["order_id"])
    client.post(NEW, version(MORE))
    town.refresh_from_db()
    assert town.personal == ["order_id"]
    client.force_login(colleague)
    again = {"personal_shown": "1", "personal": ["gift"]}
    client.post(NEW, version(MORE.replace("boolean", "integer").replace("gift", "gifts"), **again))
    town.refresh_from_db()
    assert town.personal == ["order_id", "gift"]
    client.force_login(person)
    client.post(NEW, version(MORE, personal_shown="1", override="back"))
    town.refresh_from_db()
    assert town.personal == []


def test_without_script_a_button_checks_and_saves_nothing(client, person, town, log):
    page = client.post(NEW, version(LOOSE, action="check"))
    assert "It breaks the promise." in text_of(page)
    assert town.versions.count() == 1


def test_the_live_check_asks_for_whom_it_touches(client, person, town, log):
    html = check(client, LOOSE).content.decode()
    assert 'hx-post="/rules/affected/?type=order.placed"' in html
