"""What the editor shows beside a rule: past events by window, shares, what is sent; trials; where a target starts."""

from __future__ import annotations

import html
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client

from catalog.models import Bus, Team
from delivery.models import Backfill
from delivery.pages import samples
from delivery.pages.past import LogPast
from rules.contract import compile_contract
from rules.engine import Filter
from rules.models import Rule, Target, TargetRevision, Trial
from rules.revisions import subscribe
from tests.integration import rows as write


class Received(NamedTuple):
    """One request."""

    headers: list[tuple[str, str]]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """A server on the loopback that keeps what it is sent and answers 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[Received] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(Received(self.headers.items(), body))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing."""


@pytest.fixture
def sink() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever, daemon=True)
    thread.start()
    yield receiver
    receiver.shutdown()
    receiver.server_close()
    thread.join()


SCRIPT = {"HX-Request": "true"}
MINUTE = 60_000_000


@pytest.fixture(autouse=True)
def an_empty_log(transactional_db: None) -> Iterator[None]:
    write.empty()
    yield
    write.empty()


@pytest.fixture
def bus() -> Bus:
    Team.objects.create(name="Shop", slug="shop")
    return Bus.objects.create(name="main")


@pytest.fixture
def someone(client: Client, bus: Bus) -> Client:
    client.force_login(get_user_model().objects.create_superuser("mara"))
    return client


def order(bus: Bus, number: int, amount: float, ago: int = 0, **attributes: Any) -> int:
    """Stores an order received `ago` minutes ago; its seq."""
    data = {"n": number, "total": {"amount": amount}, "lines": [{"sku": "a"}, {"sku": "b"}]}
    values = {"id": f"e{number}", "subject": f"o-{number}", "data": data} | attributes
    return write.store(bus.pk, at=write.now() - ago * MINUTE, **values)


def form(bus: Bus, **values: Any) -> dict[str, Any]:
    """What the editor sends."""
    return {
        "name": "Large orders", "bus": bus.pk, "team": Team.objects.get().pk, "type": ["order.placed"],
        "mode": "rows", "place": [""], "path": ["data.total.amount"], "method": ["number"], "values": ["≥ 500"],
        "send": "template", "template": '{"ref": "${data.n}"}', "deliver": "connector:http",
        "config-http-url": "http://127.0.0.1:8999/hook?key=s3cret", "target-name": "Billing",
    } | values  # fmt: skip


def look(someone: Client, bus: Bus, **values: Any) -> Any:
    return someone.post("/rules/preview/", form(bus, **values), headers=SCRIPT)


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def test_each_condition_has_its_own_share_and_the_whole_has_one(someone: Client, bus: Bus) -> None:
    for number in range(10):
        order(bus, number, 100 * number)
    answer = look(
        someone,
        bus,
        place=["", "0.0", "0.1"],
        path=["data.total.amount", "data.n", "subject"],
        method=["number", "is", "is"],
        values=["≥ 500", "6", "o-7"],
        sql="subject LIKE 'o-%'",
    )
    assert [(one.at, round(one.share)) for one in answer.context["row_results"]] == [
        (0, 50),
        (1, 10),
        (2, 10),
    ]
    assert (answer.context["taken"], answer.context["sql_share"]) == (2, "100")
    assert "of the 10 events there are would have gone to Billing" in text(answer)
    assert "amount is 400" in text(answer)


def test_an_expression_and_filters_count_and_give_the_reason(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900)
    order(bus, 2, 900, source="/other")
    answer = look(someone, bus, sql="source = '/shop'")
    assert answer.context["taken"] == 1
    assert "source" in next(line.why for line in answer.context["tried"] if not line.taken)
    answer = look(someone, bus, filters='[{"exact": {"source": "/shop"}}]')
    assert answer.context["taken"] == 1
    answer = look(someone, bus, sql="source =")
    assert answer.context["draft"].filter is None
    assert "The filter cannot be tried yet." in text(answer)
    assert answer.context["chosen"].event.name == "o-2"


@pytest.mark.parametrize(
    ("window", "looked"), [("latest", 4), ("live", 1), ("day", 3), ("week", 4), ("nonsense", 4)]
)
def test_a_window_chooses_the_events(someone: Client, bus: Bus, window: str, looked: int) -> None:
    for number, ago in enumerate((3 * 24 * 60, 23 * 60, 60, 1)):
        order(bus, number, 900, ago)
    assert look(someone, bus, window=window).context["looked"] == looked


@pytest.mark.parametrize("types", [["order.placed"], [], ["order.placed", *"abcdef"]])
def test_of_very_many_events_a_bounded_number_is_looked_at_all_over_the_time(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, types: list[str]
) -> None:
    monkeypatch.setattr(samples, "MOST", 20)
    monkeypatch.setattr(samples, "SLICES", 10)
    for number in range(60):
        order(bus, number, 1, ago=60 - number)
    found = samples.take(bus.pk, types, "day")
    assert len(found.events) == 20
    numbers = [seen.event.data["n"] for seen in found.events]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[0] > 50
    assert numbers[-1] < 6
    assert "20 events spread over the 60 of the last 24 hours" in found.span


def test_of_large_events_only_as_many_as_fit_are_read(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        order(bus, number, 1, data={"n": number, "text": "x" * 1000})
    monkeypatch.setattr(samples, "TAKEN_BYTES", 3_500)
    found = samples.take(bus.pk, ["order.placed"])
    assert [seen.event.data["n"] for seen in found.events] == [9, 8, 7]
    assert found.span == "the newest 3 of them, which are large: the 10 events there are"
    monkeypatch.setattr(samples, "TAKEN_BYTES", 10)
    assert len(samples.take(bus.pk, ["order.placed"]).events) == 1


def test_an_event_is_decoded_once(someone: Client, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        order(bus, number, 900)
    first = samples.take(bus.pk, ["order.placed"])
    again = samples.take(bus.pk, [])
    assert [one.event for one in first.events] == [one.event for one in again.events]
    assert all(one.event is other.event for one, other in zip(first.events, again.events, strict=True))
    monkeypatch.setattr(samples, "KEPT", 2)
    order(bus, 9, 900)
    assert len(samples.take(bus.pk, []).events) == 6
    assert len(samples._kept) == 2


def test_what_would_be_sent_is_shown_with_its_headers_and_without_secrets(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900)
    values = {"config-http-headers": "Authorization: Bearer t0ken\nX-Team: shop"}
    answer = look(someone, bus, **values)
    out = answer.context["out"]
    assert out.line == "POST /hook?… HTTP/1.1"
    assert out.body == '{"ref": 1}'
    headers = dict(out.headers)
    assert headers["host"] == "127.0.0.1:8999"
    assert headers["content-type"] == "application/json"
    assert headers["content-length"] == "10"
    assert headers["ce-id"] == "e1"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert (headers["authorization"], headers["x-team"]) == ("••••", "••••")
    assert "t0ken" not in text(answer)
    assert "s3cret" not in out.line
    # The values that the transform takes are marked, and every value can be pressed.
    page = text(answer)
    assert "<mark>1</mark>" in page
    assert 'hx-post="/subscribe/"' in page


def test_a_whole_event_is_sent_as_the_runner_sends_it(someone: Client, bus: Bus, sink: Receiver) -> None:
    seq = order(bus, 1, 900, note="å")
    rule = Rule(name="r", bus=bus, team=Team.objects.get(), pattern={}, enabled=False)
    target = Target(name="Billing", connector="http", config={"url": sink.url("/hook")})
    subscribe(rule, target)
    values = {"send": "complete", "config-http-url": sink.url("/hook"), "rule": rule.pk, "target": target.pk}
    shown = dict(look(someone, bus, selected=str(seq), **values).context["out"].headers)
    someone.post("/rules/trial/", form(bus, trial="send", selected=str(seq), **values), headers=SCRIPT)
    [request] = sink.requests
    sent = {name.lower(): value for name, value in request.headers}
    differing = {"webhook-id", "webhook-timestamp", "ce-trial"}
    assert {name: value for name, value in sent.items() if name not in differing} == {
        name: value for name, value in shown.items() if name not in differing
    }


def test_a_trial_asks_then_sends_exactly_one_and_is_recorded(
    someone: Client, bus: Bus, sink: Receiver
) -> None:
    order(bus, 1, 900)
    order(bus, 2, 100)
    values = {"config-http-url": sink.url("/hook")}
    asked = someone.post("/rules/trial/", form(bus, trial="ask", **values), headers=SCRIPT)
    assert "Send o-1 to Billing for real?" in text(asked)
    assert sink.requests == []
    done = someone.post("/rules/trial/", form(bus, trial="send", **values), headers=SCRIPT)
    assert "Billing took it." in text(done)
    [request] = sink.requests
    headers = {name.lower(): value for name, value in request.headers}
    assert headers["ce-trial"] == "true"
    assert headers["webhook-id"].startswith("msg_trial_")
    assert request.body == b'{"ref": 1}'
    trial = Trial.objects.get()
    assert (trial.outcome, trial.status, trial.event_id, trial.by.get_username()) == (
        "delivered",
        200,
        "e1",
        "mara",
    )
    # Nothing of it looks like a delivery.
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM attempt")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(
    ("values", "outcome", "words"),
    [
        ({"config-http-url": "http://169.254.169.254/latest"}, "misconfigured", "link-local"),
        ({"config-http-url": "http://10.1.2.3/"}, "misconfigured", "private network"),
    ],
)
def test_a_trial_goes_only_where_deliveries_may_go(
    someone: Client, bus: Bus, values: dict[str, Any], outcome: str, words: str
) -> None:
    order(bus, 1, 900)
    answer = someone.post("/rules/trial/", form(bus, trial="send", **values), headers=SCRIPT)
    trial = Trial.objects.get()
    assert (trial.outcome, trial.status) == (outcome, None)
    assert words in trial.reason
    assert "did not take it" in text(answer)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"deliver": "place:bin"}, "Save the draft"),
        ({"template": "${"}, "Mend what is sent first"),
        ({"config-http-url": ""}, "Mend the target's settings first"),
        ({"type": ["never.seen"]}, "no past event"),
    ],
)
def test_what_cannot_be_sent_says_why(someone: Client, bus: Bus, values: dict[str, Any], words: str) -> None:
    order(bus, 1, 900)
    for step in ("ask", "send"):
        answer = someone.post("/rules/trial/", form(bus, trial=step, **values), headers=SCRIPT)
        assert words in text(answer)
    assert not Trial.objects.exists()


def test_a_trial_uses_the_stored_secret_and_needs_the_right_to_change_targets(
    client: Client, bus: Bus, sink: Receiver
) -> None:
    order(bus, 1, 900)
    config = {"url": sink.url("/hook"), "headers": {"Authorization": "Bearer s3cret"}}
    rule = Rule(name="r", bus=bus, team=Team.objects.get(), pattern={}, enabled=False)
    subscribe(rule, Target(name="Billing", connector="http", config=config))
    target = Target.objects.get()
    person = get_user_model().objects.create_user("reader")
    person.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(person)
    values = form(bus, trial="send", rule=rule.pk, target=target.pk)
    values |= {"config-http-url": sink.url("/hook"), "config-http-headers": "Authorization: ••••"}
    assert client.post("/rules/trial/", values).status_code == 403
    person.user_permissions.add(Permission.objects.get(codename="change_target"))
    assert client.post("/rules/trial/", values, headers=SCRIPT).status_code == 200
    assert dict(sink.requests[0].headers)["Authorization"] == "Bearer s3cret"
    assert "Trials" in text(client.get(f"/rules/{rule.pk}/"))


def test_a_trial_takes_no_stored_secret_to_another_host(someone: Client, bus: Bus, sink: Receiver) -> None:
    order(bus, 1, 900)
    config = {"url": "https://billing.example/hook", "headers": {"Authorization": "Bearer s3cret"}}
    rule = Rule(name="r", bus=bus, team=Team.objects.get(), pattern={}, enabled=False)
    subscribe(rule, Target(name="Billing", connector="http", config=config))
    values = form(bus, trial="send", rule=rule.pk, target=Target.objects.get().pk)
    values |= {"config-http-url": sink.url("/hook"), "config-http-headers": "Authorization: ••••"}
    answer = someone.post("/rules/trial/", values, headers=SCRIPT)
    assert "another host" in text(answer)
    assert sink.requests == []
    assert not Trial.objects.exists()


def test_without_script_the_preview_and_the_question_are_pages(
    someone: Client, bus: Bus, sink: Receiver
) -> None:
    order(bus, 1, 900)
    values = {"config-http-url": sink.url("/hook"), "config-http-headers": "X-Key: s3cret"}
    page = text(someone.post("/rules/preview/", form(bus, **values)))
    assert "<!doctype html>" in page
    assert "hx-swap-oob" not in page
    page = text(someone.post("/rules/trial/", form(bus, trial="ask", **values)))
    assert "<!doctype html>" in page
    assert 'name="template"' in page
    assert "s3cret" not in page


def test_a_changed_filter_says_what_it_gains_and_loses(bus: Bus) -> None:
    for number in range(10):
        order(bus, number, 100 * number)
    before = Filter({"type": ["order.placed"], "data": {"total": {"amount": [{"numeric": [">=", 500]}]}}})
    after = Filter({"type": ["order.placed"], "data": {"n": [{"numeric": ["<", 7]}]}}, "EXISTS subject")
    found = LogPast().difference(bus.pk, before, after)
    assert (found.looked, found.kept, found.gained, found.lost) == (10, 2, 5, 3)
    assert [one.name for one in found.gains] == ["o-4", "o-3", "o-2", "o-1", "o-0"]
    assert [one.name for one in found.losses] == ["o-9", "o-8", "o-7"]


@pytest.mark.parametrize(("choice", "expected"), [("now", None), ("beginning", 3), ("time", 1)])
def test_a_target_starts_where_it_was_said_and_the_count_was_shown(
    someone: Client, bus: Bus, choice: str, expected: int | None
) -> None:
    for number, ago in enumerate((300, 200, 100)):
        order(bus, number, 900, ago)
    order(bus, 9, 1, 50)
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 150 * 60))
    values = form(bus, start=choice, **{"start-time": at})
    said = text(someone.post("/rules/start-count/", values))
    if expected is None:
        assert "Past events are not sent." in said
    else:
        assert f'<b class="num">{expected}</b> past event' in said
    # A draft takes nothing yet.
    assert someone.post("/subscribe/", values | {"do": "draft"}).status_code == 302
    assert not Backfill.objects.exists()
    rule = Rule.objects.get()
    assert someone.post(f"/rules/{rule.pk}/edit/", values | {"do": "start"}).status_code == 302
    if expected is None:
        assert not Backfill.objects.exists()
    else:
        job = Backfill.objects.get()
        assert job.target == rule.targets.get().pk
        assert job.revision == Rule.objects.get().revision


def test_past_events_are_counted_once_the_filter_can_be_tried(someone: Client, bus: Bus) -> None:
    values = form(bus, start="beginning", values=["many"])
    said = text(someone.post("/rules/start-count/", values))
    assert "counted when the filter can be tried" in said
    assert "not sent" not in said


def test_saving_a_target_that_starts_in_the_past_says_what_it_gets_first(someone: Client, bus: Bus) -> None:
    for number in range(3):
        order(bus, number, 900, 100)
    values = form(bus, start="beginning", do="start")
    said = text(someone.post("/subscribe/", values, follow=True))
    assert "Listening. Billing gets 3 past events first, then every new one." in said
    rule = Rule.objects.get()
    added = values | {"target-name": "Second", "do": "save"}
    said = text(someone.post(f"/rules/{rule.pk}/targets/new/", added, follow=True))
    assert "Second gets 3 past events first, then every new one." in said
    third = added | {"target-name": "Third", "start": "now"}
    said = text(someone.post(f"/rules/{rule.pk}/targets/new/", third, follow=True))
    assert "Third gets every event of this rule from now on." in said


SCHEMA = {
    "type": "object",
    "properties": {"ref": {"type": "integer"}, "amount": {"type": "number", "maximum": 1000}},
    "required": ["ref", "amount"],
}
OPENAPI = """
openapi: 3.1.0
info: {title: Billing, version: "1"}
paths:
  /invoices:
    post:
      operationId: makeInvoice
      requestBody: {content: {application/json: {schema: {type: object, required: [amount], properties: {amount: {type: number}, note: {type: string}}}}}}
      responses: {"200": {description: ok}}
"""


def test_what_is_sent_is_held_against_the_targets_contract(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900)
    order(bus, 2, 5000)
    contract = json.dumps(SCHEMA)
    answer = look(someone, bus, contract=contract)
    assert "amount" in answer.context["outputs"].wrong
    assert answer.context["sent"][("amount",)] == ""
    values = {"contract": contract, "template": '{"ref": "${data.n}", "amount": "${data.total.amount}"}'}
    answer = look(someone, bus, values=["500 to 1000"], **values)
    assert "Fits the contract for the 1 matching event" in text(answer)
    assert answer.context["sent"] == {("ref",): "1", ("amount",): "900"}
    # Saving checks it against what the rule would have taken; a draft may be unfinished.
    refused = someone.post("/subscribe/", form(bus, do="start", **values))
    assert refused.status_code == 422
    assert "o-2 would not fit" in text(refused)
    assert not Rule.objects.exists()
    assert someone.post("/subscribe/", form(bus, do="draft", **values)).status_code == 302
    rule = Rule.objects.get()
    assert rule.targets.get().contract == {"schema": contract}
    assert TargetRevision.objects.get().contract == {"schema": contract}
    # Nor does it start from its own page.
    refused = someone.post(f"/rules/{rule.pk}/switch/", {"enabled": "1"}, follow=True)
    assert "Billing would not take it: o-2 would not fit" in text(refused)
    assert Rule.objects.get().draft
    fixed = form(bus, do="start", **values | {"values": ["500 to 1000"]})
    assert someone.post(f"/rules/{rule.pk}/edit/", fixed).status_code == 302


def test_an_event_that_the_contract_refuses_does_not_go_to_the_target(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900)
    refused = order(bus, 2, 5000)
    passed_by = order(bus, 3, 1)
    values = {
        "contract": json.dumps(SCHEMA),
        "template": '{"ref": "${data.n}", "amount": "${data.total.amount}"}',
    }
    answer = look(someone, bus, selected=str(refused), **values)
    told = {line.event.seq: (line.taken, bool(line.refused)) for line in answer.context["tried"]}
    assert told[refused] == (True, True)
    assert told[passed_by] == (False, False)
    assert text(answer).count("goes to Billing") == 1
    assert "refused, so it is not sent" in text(answer)
    assert "It does not fit the target's contract. /amount:" in text(answer)
    shown = text(look(someone, bus, selected=str(passed_by), **values))
    assert "would be sent if it passed" in shown
    assert "as Billing will receive it" not in shown


def test_nothing_is_called_good_while_the_contract_is_not_read(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900)
    shown = text(look(someone, bus, contract='{"type": '))
    assert "Not checked against the contract: it has a mistake itself." in shown
    assert "Valid JSON" not in shown


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (
            {"template": '{"a": "${data.total.amont}"}'},
            "<code>data.total.amont</code> is in none of the 2 matching events."
            " Did you mean <code>data.total.amount</code>?",
        ),
        (
            {"send": "partial", "part-name": ["a"], "part-path": ["$.data.lines[0].sko"]},
            "Did you mean <code>data.lines[0].sku</code>?",
        ),
        ({"send": "jsonata", "jsonata": '{"a": data.zzzzzz}'}, "<code>data.zzzzzz</code> is in none of"),
        (
            {"template": '{"a": "${data.total.amount}"'},
            "Not JSON, line 1, column 29: Expecting ',' delimiter. It is sent as <code>text/plain</code>.",
        ),
    ],
    ids=["template", "part", "jsonata", "broken JSON"],
)
def test_what_is_sent_is_not_praised_when_it_is_likely_a_mistake(
    someone: Client, bus: Bus, sent: dict[str, Any], said: str
) -> None:
    order(bus, 1, 900)
    order(bus, 2, 1000)
    shown = text(look(someone, bus, **sent))
    assert said in shown
    assert '<span class="st warn">' in shown
    assert "for all 2 matching events" not in shown
    # It says so and stands in nobody's way.
    assert someone.post("/subscribe/", form(bus, do="start", **sent)).status_code == 302


def test_a_path_is_looked_for_in_every_event_also_when_the_contract_refuses_the_first(
    someone: Client, bus: Bus
) -> None:
    for number in range(3):
        order(bus, number, 900, **({"data": {"n": 1, "late": 1}} if number == 0 else {}))
    sent = {"contract": '{"required": ["ref"]}', "values": ["is"], "path": [""]}
    shown = look(someone, bus, template='{"a": "${data.late}", "b": "${data.nope}"}', **sent)
    assert shown.context["outputs"].good == 0
    assert shown.context["outputs"].unread == ("data.nope",)
    assert "<code>data.nope</code> is in none of the 3 matching events." in text(shown)


def test_a_text_that_is_meant_as_one_is_no_mistake(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900)
    assert "Text for the 1 matching event" in text(look(someone, bus, template="Order ${data.n}"))
    sent = {"template": "[${data.n}", "content-type": "text/markdown"}
    assert "Text for the 1 matching event" in text(look(someone, bus, **sent))


def test_an_operation_of_an_openapi_document_is_a_contract_and_fills_a_template(
    someone: Client, bus: Bus
) -> None:
    order(bus, 1, 900)
    answer = someone.post("/subscribe/", form(bus, contract=OPENAPI, do="fill-contract"))
    draft = answer.context["draft"]
    assert answer.context["contracting"].operation == "makeInvoice"
    assert json.loads(draft.sending.template) == {"amount": "${data.total.amount}"}
    values = {"contract": OPENAPI, "contract-operation": "post /invoices", "template": draft.sending.template}
    assert someone.post("/subscribe/", form(bus, do="start", **values)).status_code == 302
    contract = Target.objects.get().contract
    assert (contract["method"], contract["path"]) == ("post", "/invoices")
    assert compile_contract(contract).fields()[0].path == ("amount",)
    assert 'value="post /invoices"' in text(someone.get(f"/targets/{Target.objects.get().pk}/edit/"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"contract": "{"}, "Line 1"),
        ({"contract": '{"type": "thing"}'}, "type"),
        ({"contract": OPENAPI, "contract-operation": "post /nothing"}, "/nothing"),
        ({"contract": "openapi: 2.0.0"}, "version"),
    ],
)
def test_a_contract_that_is_none_is_refused(
    someone: Client, bus: Bus, values: dict[str, Any], words: str
) -> None:
    answer = someone.post("/subscribe/", form(bus, do="start", **values))
    assert answer.status_code == 422
    assert any(words in problem for problem in answer.context["contracting"].problems)
    assert not Rule.objects.exists()


def test_a_saved_rule_is_tried_on_its_own_bus_with_its_stored_secrets(someone: Client, bus: Bus) -> None:
    other = Bus.objects.create(name="other")
    order(bus, 1, 900)
    order(other, 2, 900)
    order(other, 3, 900)
    config = {"url": "http://127.0.0.1:8999/hook", "headers": {"Authorization": "Bearer s3cret"}}
    rule = Rule(name="r", bus=other, team=Team.objects.get(), pattern={}, enabled=False)
    subscribe(rule, Target(name="Billing", connector="http", config=config))
    values = form(bus, rule=rule.pk, target=Target.objects.get().pk, start="beginning")
    values |= {"config-http-url": "http://127.0.0.1:8999/hook", "config-http-headers": "Authorization: ••••"}
    del values["bus"]  # a browser does not send a disabled field
    answer = someone.post("/rules/preview/", values, headers=SCRIPT)
    assert answer.context["looked"] == 2
    assert dict(answer.context["out"].headers)["authorization"] == "••••"
    assert answer.context["status"].word in text(answer)
    assert "s3cret" not in text(answer)
    assert '<b class="num">2</b> past events' in text(someone.post("/rules/start-count/", values))
