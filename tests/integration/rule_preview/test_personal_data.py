"""Personal fields of real events in what the rule editor and a journey show to whom they do not concern."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Permission
from django.test import Client

from catalog.models import Bus, Domain, EventType, Team, Token
from delivery.models import BinRequest, RequestBin
from delivery.pages import lines
from delivery.pages.veil import hides
from delivery.tracking.words import Outcome, State
from rules.fields import fields_of
from rules.models import Rule, Target
from rules.revisions import subscribe
from tests.integration import rows as write
from tests.integration.rule_preview.tried import SCRIPT, Receiver, form, look, order, text
from tests.integration.rules_api.asking import PREVIEW, TEST, ask

DATA = {"n": 1, "total": {"amount": 700}, "customer": {"email": "lin@example.org", "country": "SE"}}


@pytest.fixture
def stored(bus: Bus) -> int:
    """The seq of an event of a type with a personal field; the reader is not of its owner's team."""
    team = Team.objects.get()
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", hue=0, team=team)
    EventType.objects.create(
        name="order.placed", summary="…", domain=domain, team=team, personal=["customer.email"]
    )
    return order(bus, 1, 700.0, data=DATA)


@pytest.fixture
def reader(client: Client, bus: Bus) -> Client:
    """Somebody of no team who may write rules, and look at everything."""
    user = get_user_model().objects.create_user("lin")
    for codename in (
        "view_rule",
        "add_rule",
        "change_rule",
        "change_target",
        "view_target",
        "view_eventtype",
    ):
        user.user_permissions.add(Permission.objects.get(codename=codename))
    client.force_login(user)
    return client


CONDITION = {"path": ["data.customer.email"], "method": ["is"], "values": ["somebody@example.org"]}


@pytest.mark.parametrize(
    "draft",
    [
        {},
        {"send": "complete"},
        {"template": '{"to": "${data.customer.email}"}'},
        CONDITION,
        {"path": ["data.n"], "method": ["is"], "values": ["2"]},
        {"contract": '{"type": "object", "properties": {"to": {"maxLength": 3}}}', "template": '{"to": "${data.customer.email}"}'},
        {"values": ["≥ broken"]},
    ],
)  # fmt: skip
def test_the_preview_hides_them_from_strangers_and_shows_them_to_staff(
    reader: Client, someone: Client, bus: Bus, stored: int, draft: dict[str, object]
) -> None:
    user = get_user_model().objects.get(username="lin")
    reader.force_login(user)
    seen = text(look(reader, bus, **draft))
    assert "o-1" in seen
    assert "lin@example.org" not in seen
    assert "SE" in seen
    someone.force_login(get_user_model().objects.get(username="mara"))
    assert "lin@example.org" in text(look(someone, bus, **draft))


EMAIL = {"path": ["data.customer.email"], "method": ["is"], "values": ["lin@example.org"]}
PROBES = [
    EMAIL,
    EMAIL | {"method": ["prefix"], "values": ["l"]},
    {"path": ["data.customer"], "method": ["present"], "values": [""]},
    {"mode": "json", "pattern": '{"type": ["order.placed"], "data": {"customer": {"email": [{"prefix": "l"}]}}}'},
    {"mode": "json", "pattern": '{"$or": [{"data": {"customer": {"email": ["lin@example.org"]}}}, {"source": ["x"]}]}'},
    {"sql": "data.customer.email = 'lin@example.org'"},
    {"sql": "EXISTS data AND data.Customer.EMAIL LIKE 'l%'"},
]  # fmt: skip


@pytest.mark.parametrize("draft", PROBES)
def test_nothing_is_counted_by_values_that_are_hidden(
    reader: Client, bus: Bus, stored: int, draft: dict[str, object]
) -> None:
    seen = " ".join(text(look(reader, bus, **draft)).split())
    assert "would have gone" not in seen
    assert not re.search(r'id="sql-pass"[^>]*><span', seen)
    assert "Not counted." in seen or "cannot be tried yet" in seen
    assert "Recent events and whether the rule takes them" not in seen


def test_a_condition_on_what_is_hidden_says_why_it_has_no_count(
    reader: Client, bus: Bus, stored: int
) -> None:
    draft = {"path": ["data.n", "data.customer.email"], "method": ["is", "is"], "values": ["1", "x"]}
    seen = " ".join(text(look(reader, bus, **draft)).split())
    assert "It asks for personal data that you may not see" in seen
    assert re.search(r'id="row-0-pass"[^>]*>.*?100%', seen), "the other condition is counted"
    assert re.search(r'id="row-1-pass"[^>]*><span class="small faint"[^>]*>not counted<', seen)


def test_who_may_see_them_has_counts_by_them(someone: Client, bus: Bus, stored: int) -> None:
    seen = " ".join(text(look(someone, bus, **EMAIL)).split())
    assert "1</span></b> of the 1 events there are would have gone" in seen


def test_what_is_sent_is_not_checked_on_hidden_values(
    reader: Client, someone: Client, bus: Bus, stored: int
) -> None:
    draft = {
        "template": '{"to": "${data.customer.email}"}',
        "contract": '{"type": "object", "properties": {"to": {"pattern": "^z"}}}',
    }
    reader.force_login(get_user_model().objects.get(username="lin"))
    seen = text(look(reader, bus, **draft))
    assert "Not checked on events: it sends personal data that you may not see." in seen
    assert "matches, and cannot be sent" not in seen
    someone.force_login(get_user_model().objects.get(username="mara"))
    assert "matches, and cannot be sent" in text(look(someone, bus, **draft))


def test_the_editors_completions_hold_no_personal_values(reader: Client, bus: Bus, stored: int) -> None:
    samples = {field.path: field.sample for field in fields_of(["order.placed"])}
    assert samples["data.customer.email"] == ""
    assert samples["data.customer.country"] == "SE"
    page = text(reader.post("/subscribe/", form(bus, do="refresh")))
    assert "lin@example.org" not in page


def test_a_journey_and_its_download_hide_them(reader: Client, bus: Bus, stored: int) -> None:
    rule = Rule(name="Lin only", bus=bus, team=Team.objects.get(), enabled=True)
    rule.pattern = {"type": ["order.placed"], "data": {"customer": {"email": ["ada@example.org"]}}}
    rule.save()
    for url in (f"/journey/{stored}/", f"/journey/{stored}/event.json"):
        page = text(reader.get(url))
        assert "••••" in page
        assert "lin@example.org" not in page
        assert "SE" in page


ANSWER = '{"error": "lin@example.org is unknown"}'


def test_what_a_target_answered_is_hidden_with_them(
    reader: Client, someone: Client, bus: Bus, stored: int
) -> None:
    rule = Rule(name="All orders", bus=bus, team=Team.objects.get(), pattern={"type": ["order.placed"]})
    target = Target(name="CRM", connector="http", config={"url": "http://127.0.0.1:9/"}, state="paused")
    subscribe(rule, target)
    reason = f"It answers 422: {ANSWER}"
    write.attempt(target.pk, stored, Outcome.REJECTED, status=422, reason=reason, response=ANSWER)
    write.hold(target.pk, stored, State.DEAD, reason=reason)
    reader.force_login(get_user_model().objects.get(username="lin"))
    for url in (f"/journey/{stored}/?target={target.pk}", f"/targets/{target.pk}/"):
        page = text(reader.get(url))
        assert "422" in page
        assert "Its answer is hidden" in page, url
    assert "lin@example.org" not in text(reader.get(f"/journey/{stored}/?target={target.pk}"))
    someone.force_login(get_user_model().objects.get(username="mara"))
    assert "lin@example.org is unknown" in text(someone.get(f"/journey/{stored}/?target={target.pk}"))


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([["Webhook-Id", "msg_1_{seq:x}"]], '{"to": "lin@example.org"}'),
        ([["ce-type", "order.placed"], ["webhook-id", "msg_1_ffffff"]], '{"to": "lin@example.org"}'),
        (
            [],
            '{"specversion": "1.0", "type": "order.placed", "data": {"customer": {"email": "lin@example.org"}}}',
        ),
    ],
    ids=["by the delivery", "by the header", "by the body"],
)
def test_a_bin_hides_the_body_of_an_event_with_them(
    reader: Client, someone: Client, bus: Bus, stored: int, headers: list[list[str]], body: str
) -> None:
    lin = get_user_model().objects.get(username="lin")
    lin.user_permissions.add(Permission.objects.get(codename="view_requestbin"))
    made = RequestBin.objects.create(name="A bin", team=Team.objects.get())
    sent = [[name, value.format(seq=stored)] for name, value in headers]
    BinRequest.objects.create(bin=made, method="POST", headers=sent, body=body, size=len(body))
    plain = '{"hello": "bin"}'
    BinRequest.objects.create(bin=made, method="POST", headers=[], body=plain, size=len(plain))
    reader.force_login(lin)
    page = html.unescape(text(reader.get(f"/bins/{made.pk}/")))
    assert "lin@example.org" not in page
    assert "The body is hidden: the event has personal data." in page
    assert plain in page, "what has nothing personal is shown"
    found = lines.of_requests(list(made.requests.all()), AnonymousUser())
    assert "lin@example.org" not in lines.request_rows(found, new=True), "nor does the live feed show it"
    someone.force_login(get_user_model().objects.get(username="mara"))
    assert "lin@example.org" in html.unescape(text(someone.get(f"/bins/{made.pk}/")))


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        ({"send": "complete"}, True),
        ({"template": '{"to": "${data.customer.email}"}'}, True),
        ({"template": '{"where": "${data.customer.country}"}'}, False),
    ],
)
def test_nobody_sends_by_hand_what_they_may_not_see(
    reader: Client, bus: Bus, stored: int, sink: Receiver, sent: dict[str, str], refused: bool
) -> None:
    values = {
        "path": [""],
        "method": ["is"],
        "values": [""],
        "config-http-url": sink.url("/hook"),
        "trial": "send",
    }
    answer = text(reader.post("/rules/trial/", form(bus, **values | sent), headers=SCRIPT))
    assert ("This would send personal data" in answer) is refused
    assert len(sink.requests) == (0 if refused else 1)


@pytest.mark.parametrize(
    ("contract", "words"),
    [
        ('{"properties": {"to": {"maxLength": 3}}}', "why is hidden"),
        ('{"required": ["from"]}', "“from” is missing"),
    ],
)
def test_a_refused_save_names_no_personal_value(
    someone: Client, bus: Bus, stored: int, contract: str, words: str
) -> None:
    values = {"template": '{"to": "${data.customer.email}"}', "contract": contract, "do": "start"}
    answer = text(someone.post("/subscribe/", form(bus, **values), headers=SCRIPT))
    assert "would not fit" in answer
    assert words in answer
    assert "lin@example.org" not in answer


@pytest.mark.parametrize(("team", "seen"), [("Shop", "lin@example.org"), ("Growth", "••••")])
def test_a_program_reads_them_in_stored_events_with_a_token_of_a_team_that_may(
    client: Client, bus: Bus, stored: int, team: str, seen: str
) -> None:
    whose, _made = Team.objects.get_or_create(name=team, defaults={"slug": team.lower()})
    _token, secret = Token.issue(name="tests", bus=bus, team=whose, reads=True)

    def ask_for(url: str, asked: dict[str, object]) -> dict[str, object]:
        found = ask(client, url, asked, Authorization=f"Bearer {secret}")
        assert found.status_code == 200, found.content
        return dict(json.loads(found.content))

    transform = {"kind": "template", "template": '{"to": "${data.customer.email}"}'}
    found = ask_for(PREVIEW, {"transform": transform, "seq": stored})
    assert json.loads(found["body"]) == {"to": seen}
    pattern = {"data": {"customer": {"email": ["lin@example.org"]}}}
    tested = ask_for(TEST, {"pattern": pattern, "bus": bus.name})
    assert tested["matched"] == (1 if seen != "••••" else 0)


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ("data.customer.email", True),
        ("data.customer", True),
        ("data.customer.email.domain", True),
        ("data.customer.country", False),
        ("data.lines.name", True),
        ("data", True),
        ("subject", False),
        ("data.other", False),
    ],
)
def test_a_condition_is_personal_when_it_looks_at_or_around_what_is(path: str, hidden: bool) -> None:
    assert hides(path, ["customer.email", "lines[].name"]) is hidden
