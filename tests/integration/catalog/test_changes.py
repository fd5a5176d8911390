"""What changes is recorded by whatever way it is saved, told on the page and counted for who follows it."""

from __future__ import annotations

import json
from datetime import date

import pytest
from django.contrib.auth import get_user_model

from catalog import changes
from catalog.following import follows
from catalog.following.telling import told
from catalog.models import Bus, Change, EventType, Follow, Source, Team
from tests.integration.catalog.shop import EXAMPLE, SCHEMA, more, registration, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def other():
    """A second person, of the team Billing."""
    user = get_user_model().objects.create_superuser("jonas", password="signal-box-9")
    Team.objects.create(name="Billing", slug="billing").members.add(user)
    return user


def kinds(**lookup):
    return list(Change.objects.filter(**lookup).order_by("pk").values_list("kind", "by"))


def test_registering_a_type_with_its_first_version_is_one_piece_of_news(client, person, town, log):
    client.post("/events/new/", registration(town))
    (news,) = Change.objects.filter(type_name="order.cancelled")
    assert (news.kind, news.by, news.team, news.detail["version"]) == (
        "type.registered",
        "mara",
        "checkout",
        1,
    )


def test_a_new_version_is_news_with_what_its_author_says(client, person, town, log):
    wider = json.dumps(json.loads(SCHEMA) | {"title": "Order"})
    client.post(
        "/events/order.placed/versions/new/",
        {"schema": wider, "example": EXAMPLE, "notes": "A title."},
    )
    news = Change.objects.get(kind="version.registered")
    assert (news.by, news.detail) == ("mara", {"version": 2, "notes": "A title.", "verdict": "compatible"})
    page = text_of(client.get("/"))
    assert "has a new version, 2." in page
    assert "A title." in page


def test_editing_says_what_was_changed_and_nothing_when_nothing_was(client, person, town, log):
    form = {
        "domain": town.domain_id, "team": town.team_id, "summary": town.summary, "validation": "reject", "docs": "",
        "sources": [source.pk for source in town.sources.all()],
    }  # fmt: skip
    client.post("/events/order.placed/edit/", form)
    assert not kinds(kind="type.changed")
    client.post("/events/order.placed/edit/", form | {"docs": "Read me.", "sources": []})
    assert Change.objects.get(kind="type.changed").detail == {"fields": ["docs", "sources"]}


def test_what_is_deleted_keeps_its_history_and_who_deleted_it(client, person, town, log):
    client.post("/events/order.placed/delete/")
    assert kinds(type_name="order.placed")[-1] == ("type.deleted", "mara")
    assert len(kinds(type_name="order.placed")) == 2
    page = text_of(client.get("/changes/?type=order.placed"))
    assert "was deleted from the catalog." in page
    assert "is on the shelf." in page


def test_sources_and_buses_are_news(client, person, town, log):
    source = {
        "name": "Tills",
        "uri": "/tills",
        "bus": Bus.objects.get().pk,
        "team": town.team_id,
        "description": "",
    }
    client.post("/sources/new/", source)
    client.post("/sources/tills/edit/", source | {"uri": "/shop/tills"})
    client.post("/settings/buses/new/", {"name": "second", "retention_days": 7, "description": ""})
    client.post("/settings/buses/second/", {"retention_days": 9, "description": ""})
    assert kinds(source="tills") == [("source.registered", "mara"), ("source.changed", "mara")]
    assert kinds(bus="second") == [("bus.registered", "mara"), ("bus.changed", "mara")]
    assert Change.objects.get(kind="bus.changed").detail == {"fields": ["retention_days"]}
    assert "Tills was changed: uri." in text_of(client.get("/changes/"))


def test_a_wish_and_its_answer_are_news(client, person, town, log):
    client.post("/wanted/", {"name": "invoice.overdue", "why": "Reminders."})
    client.post("/wanted/", {"name": "invoice.overdue", "why": "Again."})
    more(town, "invoice.overdue")
    assert [kind for kind, _ in kinds(type_name="invoice.overdue")] == [
        "wanted.asked", "type.registered", "wanted.answered",
    ]  # fmt: skip


def test_whoever_records_a_registration_too_adds_to_it(town, person):
    changes.record("type.registered", event_type=town, by=person, detail={"why": "Imported."})
    (news,) = Change.objects.filter(kind="type.registered")
    assert (news.by, news.detail["version"], news.detail["why"]) == ("mara", 1, "Imported.")


def test_a_deprecation_takes_what_the_type_says_of_its_end(town, person):
    (successor,) = more(town, "order.placed.v2")
    town.lifecycle, town.ends_on, town.successor, town.farewell = (
        "deprecated",
        date(2026, 12, 24),
        successor,
        "Move.",
    )
    town.save()
    change = changes.record("type.deprecated", event_type=town, by=person)
    (one,) = told([change])
    assert one.title == "order.placed is deprecated and ends on 24 December 2026."
    assert one.remarks == ["Use order.placed.v2 in its place.", "Move."]


@pytest.mark.parametrize(
    ("kind", "detail", "said"),
    [
        ("type.deprecated", {"ends_on": None, "again": True}, "says something else about its end."),
        ("type.deprecated", {"version": 1, "successor_version": 2}, "is to end in version 1."),
        ("type.reactivated", {"before": "draft"}, "is active now."),
        ("type.reactivated", {"before": "retired"}, "is in use again."),
        ("type.reactivated", {"version": 1}, "takes events of version 1 again."),
        ("type.retired", {"version": 1}, "takes no more events of version 1."),
        ("type.quality_dropped", {"share": 0.125}, "fits its schema less often: 12.5% of its events do not."),
        (
            "type.changed",
            {"fields": ["docs", "team", "domain", "tags"]},
            "was changed: docs; team; domain; 1 more.",
        ),
    ],
)
def test_what_happened_is_said_in_a_sentence(town, kind, detail, said):
    (one,) = told([changes.record(kind, event_type=town, detail=detail)])
    assert one.title == f"order.placed {said}"


def test_how_a_version_differs_is_said_in_sentences(town):
    differs = [
        "Optional field a was added.",
        "Field b may be missing",
        "c is text now.",
        "d is gone.",
        "e is gone.",
    ]
    (one,) = told(
        [changes.record("version.registered", event_type=town, detail={"version": 2, "changes": differs})]
    )
    said = "Optional field a was added. Field b may be missing. c is text now. And 2 more."
    assert one.remarks == [said]


def test_long_details_are_shortened_and_unknown_kinds_refused(town):
    change = changes.record(
        "type.changed", event_type=town, detail={"fields": ["x" * 9000] * 500, "at": date(2026, 1, 2)}
    )
    assert len(change.detail["fields"]) == changes.ENTRIES
    assert len(change.detail["fields"][0]) == changes.TEXT
    assert change.detail["at"] == "2026-01-02"
    with pytest.raises(KeyError, match="no kind of change"):
        changes.record("type.exploded", event_type=town)


def test_every_kind_has_a_sentence_and_a_page(client, person, town, log):
    source, bus = Source.objects.get(), Bus.objects.get()
    for kind, about in changes.KINDS.items():
        subject = {"type": {"event_type": town}, "source": {"source": source}, "bus": {"bus": bus}}[
            about.subject
        ]
        changes.record(kind, **subject, detail={"version": 1} if kind.startswith("version") else {})
    rows = told(Change.objects.all())
    assert {one.change.kind for one in rows} == set(changes.KINDS)
    for one in rows:
        assert one.sentence.endswith("."), one
        assert client.get(one.path).status_code == 200, one


@pytest.mark.parametrize(
    ("kind", "key", "concerned"),
    [
        ("type", "order.placed", {"type.changed"}),
        ("source", "shop", {"type.changed", "source.changed"}),
        ("team", "checkout", {"type.changed", "source.changed"}),
        ("type", "order.lost", set()),
        ("source", "tills", set()),
        ("team", "billing", set()),
    ],
)
def test_followers_of_a_type_a_source_or_a_team_see_what_concerns_them(
    person, town, other, kind, key, concerned
):
    Follow.objects.create(user=person, kind=kind, key=key)
    more(town, "order.lost")
    Change.objects.all().delete()
    changes.record("type.changed", event_type=town)
    changes.record("source.changed", source=Source.objects.get())
    assert {change.kind for change in follows.followed(person)} == concerned
    assert not follows.followed(other)


def test_what_a_team_follows_concerns_its_members(town, person, other):
    follows.start("type", "order.placed", team=Team.objects.get(slug="billing"))
    change = changes.record("type.deprecated", event_type=town)
    assert change in follows.followed(other)
    assert change not in follows.followed(person)


def test_following_is_pressed_on_the_page_and_the_rail_counts_what_is_new(client, person, town, log):
    page = client.get("/sources/shop/")
    assert 'aria-pressed="false"' in page.content.decode()
    back = client.post(
        "/following/follow/", {"kind": "source", "key": "shop", "do": "follow", "next": "/sources/shop/"}
    )
    assert back["Location"] == "/sources/shop/"
    page = client.get("/sources/shop/")
    assert "Following" in text_of(page)
    assert '<span>Changes</span><span class="count">' not in page.content.decode(), "the past is not new"
    changes.record("type.deprecated", event_type=town)
    counted = '<span>Changes</span><span class="count"><span class="num">1</span></span>'
    assert counted in client.get("/sources/").content.decode()
    assert "order.placed new" in text_of(client.get("/changes/"))
    assert "order.placed new" not in text_of(client.get("/changes/")), "it has been seen"
    assert counted not in client.get("/sources/").content.decode()


def test_htmx_gets_the_button_anew(client, person, town, log):
    press = {"kind": "type", "key": "order.placed", "next": "/events/order.placed/"}
    answer = client.post("/following/follow/", press | {"do": "follow"}, headers={"HX-Request": "true"})
    html = answer.content.decode()
    assert 'aria-pressed="true"' in html
    assert 'name="next" value="/events/order.placed/"' in html
    answer = client.post("/following/follow/", press | {"do": "stop"}, headers={"HX-Request": "true"})
    assert 'aria-pressed="false"' in answer.content.decode()
    assert not Follow.objects.exists()


@pytest.mark.parametrize(
    ("press", "status"),
    [
        ({"kind": "type", "key": "nothing.there", "do": "follow"}, 404),
        ({"kind": "bus", "key": "main", "do": "follow"}, 404),
        ({"kind": "type", "key": "order.placed", "do": "dance"}, 400),
        ({"kind": "type", "key": "order.placed", "do": "follow", "team": "checkout"}, 404),
    ],
)
def test_what_cannot_be_followed_is_refused(client, person, town, log, press, status):
    assert client.post("/following/follow/", press).status_code == status
    assert not Follow.objects.exists()


def test_the_list_of_what_i_follow_switches_mail_and_stops(client, person, town, log, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    town.team.members.add(person)
    client.post("/following/follow/", {"kind": "team", "key": "checkout", "do": "follow", "team": "checkout"})
    client.post("/following/follow/", {"kind": "type", "key": "order.placed", "do": "follow"})
    page = text_of(client.get("/following/"))
    assert "order.placed" in page
    assert "No mail server is set." in page
    client.post("/following/follow/", {"kind": "type", "key": "order.placed", "do": "quiet"})
    assert list(Follow.objects.order_by("kind").values_list("kind", "mail")) == [
        ("team", True),
        ("type", False),
    ]
    town.delete()
    assert "order.placed gone" in text_of(client.get("/following/"))
    client.post("/following/follow/", {"kind": "type", "key": "order.placed", "do": "stop"})
    client.post("/following/follow/", {"kind": "team", "key": "checkout", "do": "stop", "team": "checkout"})
    assert "You follow nothing yet." in text_of(client.get("/following/"))


def test_an_address_that_is_none_is_sent_back(client, person, town, log):
    assert "valid email" in text_of(client.post("/following/mail/", {"email": "nobody"}))
    client.post("/following/mail/", {"email": "mara@example.com"})
    person.refresh_from_db()
    assert person.email == "mara@example.com"


def test_the_page_of_changes_filters_and_turns_its_pages(client, person, town, log):
    many = more(town, *(f"order.n{number}" for number in range(60)))
    first = client.get("/changes/?show=all")
    assert "1 to 50 of 61" in text_of(first)
    assert "51 to 61 of 61" in text_of(client.get("/changes/?show=all&page=2"))
    assert "You follow nothing yet." in text_of(client.get("/changes/?show=followed"))
    only = text_of(client.get(f"/changes/?type={many[3].name}"))
    assert "order.n3 is on the shelf." in only
    assert "order.n4" not in only
    assert "Nothing is known of no.such" in text_of(client.get("/changes/?type=no.such"))
    follows.start("type", "order.placed", user=person)
    Change.objects.all().delete()
    assert "Nothing has changed among what you follow." in text_of(client.get("/changes/"))


def test_changes_are_shown_with_few_queries(client, person, town, log, django_assert_max_num_queries):
    more(town, *(f"order.n{number}" for number in range(60)))
    with django_assert_max_num_queries(16):
        client.get("/changes/?show=all")


def test_what_signalbox_keeps_of_itself_is_neither_news_nor_anybodys_to_change(client, person, town, log):
    from catalog import system

    before = Change.objects.count()
    bus = system.ensure()
    assert system.ensure() == bus
    own = EventType.objects.filter(domain__slug="signalbox")
    assert own.count() == len(changes.KINDS)
    assert Change.objects.count() == before
    name = "dev.signalbox.type.registered"
    for page in ("edit", "delete", "versions/new"):
        answer = client.post(f"/events/{name}/{page}/", {}, follow=True)
        assert "Signalbox keeps" in text_of(answer), page
    assert EventType.objects.filter(name=name).exists()
    assert "its own bus" in text_of(
        client.post("/settings/buses/new/", {"name": "system", "retention_days": 3})
    )
    assert "own news" in text_of(client.post("/events/new/", registration(town, name=name)))
    assert "Signalbox" not in str(client.get("/events/new/").context["form"].fields["team"].choices)
