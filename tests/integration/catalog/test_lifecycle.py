"""The life of event types and versions: who may move them, what is said, what blocks, what is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone

from catalog import lifecycle as life
from catalog.facts import TypeFacts
from catalog.following.telling import sentence_of
from catalog.models import Change, EventType, Lifecycle, SchemaVersion
from tests.integration.catalog.shop import SCHEMA, more, text_of

pytestmark = pytest.mark.django_db

URL = "/events/order.placed/lifecycle/"
QUIET = TypeFacts(minutes=[0] * 60, day=0, invalid_day=0, listeners=0, last_seen=None)


@pytest.fixture
def told(town):
    """Asks what was recorded of changes since the town was made: kind, name of the type, detail."""
    before = set(Change.objects.values_list("pk", flat=True))
    return lambda: [
        (one.kind, one.type_name, one.detail)
        for one in Change.objects.exclude(pk__in=before).exclude(kind__endswith=".registered").order_by("pk")
    ]


@pytest.fixture
def unused(log, monkeypatch):
    """Nobody sends or takes anything."""
    monkeypatch.setattr(log, "listeners", lambda name: [])
    return log


def member(client, town, *codenames):
    """Somebody of the owning team with these permissions, signed in."""
    user = get_user_model().objects.create_user("jonas")
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    town.team.members.add(user)
    client.force_login(user)
    return user


def farewell(**changes):
    day = timezone.localdate() + timedelta(days=30)
    return {
        "do": "deprecate",
        "ends_on": day.isoformat(),
        "successor": "order.committed",
        "words": "Use the new one.",
    } | changes


def test_a_type_that_ends_says_when_what_instead_and_why_on_its_page(client, person, town, log, told):
    more(town, "order.committed")
    answer = client.post(URL, farewell(), follow=True)
    town.refresh_from_db()
    assert town.lifecycle == Lifecycle.DEPRECATED
    assert town.deprecated_at is not None
    text = text_of(answer)
    assert f"Deprecated, ends on {town.ends_on:%-d %B %Y}." in text
    assert "Use the new one." in text
    assert 'href="/events/order.committed/"' in answer.content.decode()
    [(kind, name, detail)] = told()
    assert (kind, name) == ("type.deprecated", "order.placed")
    assert detail == {
        "ends_on": town.ends_on.isoformat(),
        "successor": "order.committed",
        "farewell": "Use the new one.",
        "again": False,
    }


def test_the_announcement_of_a_type_that_ends_can_be_mended(client, person, town, log, told):
    more(town, "order.committed")
    client.post(URL, farewell())
    town.refresh_from_db()
    since = town.deprecated_at
    # A day that has passed meanwhile is no reason to refuse better words.
    EventType.objects.filter(pk=town.pk).update(ends_on=timezone.localdate() - timedelta(days=3))
    town.refresh_from_db()
    said = farewell(words="Use the new one, soon.", successor="", ends_on=town.ends_on.isoformat())
    assert client.post(URL, said).status_code == 302
    town.refresh_from_db()
    assert (town.farewell, town.successor, town.deprecated_at) == ("Use the new one, soon.", None, since)
    assert told()[-1][2]["again"] is True


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ends_on": "2020-01-01"}, "This day is over."),
        ({"ends_on": "soon"}, "Enter a valid date."),
        ({"successor": "no.such"}, "There is no event type called “no.such”."),
        ({"successor": "order.placed"}, "A type cannot take its own place."),
        ({"successor": "order.gone"}, "order.gone is retired itself."),
        ({"successor": "order.older"}, "order.older is to be replaced by this type."),
        ({"words": ""}, "This field is required."),
    ],
)
def test_an_announcement_that_leads_nowhere_is_refused_at_its_field(client, person, town, log, changes, said):
    more(town, "order.committed")
    more(town, "order.gone", lifecycle=Lifecycle.RETIRED)
    more(town, "order.older", lifecycle=Lifecycle.DEPRECATED, successor=town)
    answer = client.post(URL, farewell(**changes))
    assert answer.status_code == 422
    assert said in text_of(answer)
    town.refresh_from_db()
    assert town.lifecycle == Lifecycle.ACTIVE


def test_what_is_in_use_is_retired_only_by_typing_its_name(client, person, town, log, told):
    log.by_version = {1: 1204}
    life.deprecate(town, life.Farewell(), person)
    page = text_of(client.get(URL))
    assert "1 subscription, 1,204 events a day still use it" in page
    assert "v1: 1 subscription, 1,204 events a day still use it" in page
    assert "Billing Orders to billing" in page
    for typed in ("", "order.place"):
        answer = client.post(URL, {"do": "retire", "confirm": typed})
        assert answer.status_code == 422
        assert "Type order.placed to end it all the same." in text_of(answer)
    assert client.post(URL, {"do": "retire", "confirm": "order.placed"}).status_code == 302
    town.refresh_from_db()
    assert town.lifecycle == Lifecycle.RETIRED
    assert [kind for kind, *_ in told()] == ["type.deprecated", "type.retired"]


def test_what_nobody_uses_is_retired_without_typing(client, person, town, unused):
    life.deprecate(town, life.Farewell(), person)
    assert "not in use" in text_of(client.get(URL))
    assert client.post(URL, {"do": "retire"}).status_code == 302
    town.refresh_from_db()
    assert town.lifecycle == Lifecycle.RETIRED


def test_an_ending_is_taken_back_from_both_states_and_leaves_no_trace_of_it(
    client, person, town, unused, told
):
    for last in (Lifecycle.DEPRECATED, Lifecycle.RETIRED):
        life.deprecate(town, life.Farewell(timezone.localdate(), None, "Goes."), person)
        if last == Lifecycle.RETIRED:
            life.retire(town, person)
        assert client.post(URL, {"do": "activate"}).status_code == 302
        town.refresh_from_db()
        assert (town.lifecycle, town.ends_on, town.deprecated_at, town.farewell) == ("active", None, None, "")
        assert told()[-1] == ("type.reactivated", "order.placed", {"before": last})


@pytest.mark.parametrize(
    ("state", "do"),
    [
        ("draft", "deprecate"),
        ("draft", "retire"),
        ("active", "retire"),
        ("active", "activate"),
        ("retired", "deprecate"),
    ],
)
def test_no_state_is_skipped(client, person, town, unused, told, state, do):
    EventType.objects.filter(pk=town.pk).update(lifecycle=state)
    answer = client.post(URL, farewell(successor="", do=do))
    assert answer.status_code == 422
    assert "Load the page again." in text_of(answer)
    town.refresh_from_db()
    assert (town.lifecycle, told()) == (state, [])


def test_only_the_owners_decide_and_others_are_told_why_not(client, town, log):
    user = member(client, town, "view_eventtype", "change_eventtype")
    assert "Deprecate it" in text_of(client.get(URL))
    town.team.members.clear()
    assert "Only members of Checkout, who own it, and staff decide this." in text_of(client.get(URL))
    assert "Deprecate it" not in text_of(client.get(URL))
    assert client.post(URL, farewell(successor="")).status_code == 403
    assert client.get(f"{URL}readiness/").content == b""
    town.team.members.add(user)
    user.user_permissions.remove(Permission.objects.get(codename="change_eventtype"))
    assert client.post(URL, farewell(successor="")).status_code == 403
    assert "it needs catalog.change_eventtype" in text_of(client.get(URL))
    town.refresh_from_db()
    assert town.lifecycle == Lifecycle.ACTIVE


def test_staff_decide_about_every_team(client, town, log):
    staff = get_user_model().objects.create_user("lin", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_eventtype"))
    client.force_login(staff)
    assert client.post(URL, farewell(successor="")).status_code == 302


def test_only_the_owners_delete_a_type(client, town, log):
    user = member(client, town, "view_eventtype", "delete_eventtype")
    town.team.members.clear()
    answer = client.post("/events/order.placed/delete/")
    assert answer.status_code == 403
    assert "Only members of Checkout" in text_of(answer)
    town.team.members.add(user)
    assert client.post("/events/order.placed/delete/").status_code == 302
    assert not EventType.objects.exists()


@pytest.fixture
def newer(town):
    """Version 2, active."""
    return SchemaVersion.objects.create(event_type=town, number=2, schema=SCHEMA + " ")


def test_a_version_ends_when_another_one_goes_on(client, person, town, log, newer, told):
    answer = client.post(URL, {"version": "1", "do": "deprecate"})
    assert answer.status_code == 302
    assert town.versions.get(number=1).lifecycle == Lifecycle.DEPRECATED
    log.by_version = {1: 7}
    answer = client.post(URL, {"version": "1", "do": "retire"})
    assert answer.status_code == 422
    assert "It is still in use." in text_of(answer)
    assert client.post(URL, {"version": "1", "do": "retire", "confirm": "order.placed"}).status_code == 302
    assert town.versions.get(number=1).lifecycle == Lifecycle.RETIRED
    assert client.post(URL, {"version": "1", "do": "activate"}).status_code == 302
    assert town.versions.get(number=1).lifecycle == Lifecycle.ACTIVE
    assert [(kind, detail["version"]) for kind, _, detail in told()] == [
        ("type.deprecated", 1),
        ("type.retired", 1),
        ("type.reactivated", 1),
    ]


def test_the_version_that_counts_ends_only_when_another_is_chosen(client, person, town, log, newer):
    answer = client.post(URL, {"version": "2", "do": "deprecate"})
    assert answer.status_code == 422
    assert town.versions.get(number=2).lifecycle == Lifecycle.ACTIVE
    first = town.versions.get(number=1)
    assert client.post(URL, {"version": "2", "do": "deprecate", "instead": first.pk}).status_code == 302
    town.refresh_from_db()
    assert (town.current, town.versions.get(number=2).lifecycle) == (first, Lifecycle.DEPRECATED)


def test_a_version_that_ends_says_its_last_day(client, person, town, log, newer, told):
    day = timezone.localdate() + timedelta(days=30)
    over = client.post(URL, {"version": "1", "do": "deprecate", "ends_on": "2020-01-31"})
    assert over.status_code == 422
    assert "This day is over." in text_of(over)
    assert (
        client.post(URL, {"version": "1", "do": "deprecate", "ends_on": day.isoformat()}).status_code == 302
    )
    version = town.versions.get(number=1)
    assert (version.lifecycle, version.ends_on) == (Lifecycle.DEPRECATED, day)
    assert f"until {day.day} {day:%b} {day.year}" in text_of(client.get(URL))
    ((kind, _name, detail),) = told()
    assert (kind, detail["version"], detail["ends_on"]) == ("type.deprecated", 1, day.isoformat())
    said = f"takes events of version 1 until {day.day} {day:%B} {day.year}."
    assert sentence_of(Change.objects.get(kind="type.deprecated")) == said
    assert client.post(URL, {"version": "1", "do": "activate"}).status_code == 302
    assert town.versions.get(number=1).ends_on is None


def test_the_choice_of_the_default_is_recorded_like_every_change(client, person, town, log, newer, told):
    for asked in ("1", "1", ""):
        client.post("/events/order.placed/default/", {"version": asked})
    assert [detail for _kind, _name, detail in told()] == [
        {"fields": ["default_version"], "version": 1},
        {"fields": ["default_version"]},
    ]
    first, second = Change.objects.filter(kind="type.changed").order_by("pk")
    assert first.by == "mara"
    assert sentence_of(first) == "counts events that name no version for version 1."
    assert sentence_of(second) == "counts events that name no version for its newest version."
    assert "counts events that name no version for version 1." in text_of(client.get("/changes/"))


def test_what_counts_instead_of_a_version_that_ends_is_recorded_too(client, person, town, log, newer, told):
    first = town.versions.get(number=1)
    client.post(URL, {"version": "2", "do": "deprecate", "instead": first.pk})
    assert [kind for kind, _name, _detail in told()] == ["type.changed", "type.deprecated"]


def test_the_only_version_does_not_end_by_itself(client, person, town, log):
    assert "No other version is active." in text_of(client.get(f"{URL}?version=1"))
    answer = client.post(URL, {"version": "1", "do": "deprecate"})
    assert answer.status_code == 422
    assert "No other version is active." in text_of(answer)
    assert client.get(f"{URL}?version=9").status_code == 404
    assert client.get(f"{URL}?version=x").status_code == 404


def test_successors_are_offered_while_a_name_is_typed(client, person, town, log):
    more(town, "order.committed", "order.paid")
    more(town, "order.gone", lifecycle=Lifecycle.RETIRED)
    offered = client.get(f"{URL}successors/?successor=order").content.decode()
    assert [name for name in ("order.committed", "order.paid") if name in offered] == [
        "order.committed",
        "order.paid",
    ]
    assert "order.gone" not in offered
    assert 'value="order.placed"' not in offered
    assert client.get(f"{URL}successors/").content.strip() == b""


def test_the_page_of_a_type_shows_owners_who_still_uses_what_ends(client, person, town, log):
    assert "/lifecycle/readiness/" not in client.get("/events/order.placed/").content.decode()
    life.deprecate(town, life.Farewell(), person)
    assert (
        'hx-get="/events/order.placed/lifecycle/readiness/"'
        in client.get("/events/order.placed/").content.decode()
    )
    text = text_of(client.get(f"{URL}readiness/"))
    assert "1 subscription, 0 events a day still use it" in text
