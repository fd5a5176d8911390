"""One event sent by hand, as the runner would send it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from catalog.models import Bus, Team
from delivery.tracking.read import rows
from rules.models import Rule, Target, Trial
from rules.revisions import subscribe
from tests.integration.rule_preview.tried import (
    SCRIPT,
    Receiver,
    form,
    look,
    order,
    text,
)
from tests.recorded import attempts


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
    assert attempts(rows) == []


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


def test_personal_data_is_not_sent_by_hand_either(someone: Client, bus: Bus, sink: Receiver) -> None:
    from catalog.approvals import ask, decide
    from catalog.models import Domain, EventType

    order(bus, 1, 900)
    shop = Team.objects.get()
    people = Team.objects.create(name="People", slug="people")
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", team=people)
    kind = EventType.objects.create(
        name="order.placed", summary="…", domain=domain, team=people, personal=["total"]
    )
    values = {"send": "complete", "config-http-url": sink.url("/hook"), "team": shop.pk}
    refused = someone.post("/rules/trial/", form(bus, trial="send", **values), headers=SCRIPT)
    assert "total of order.placed is personal data" in text(refused)
    assert sink.requests == []
    decide(ask(kind, shop, "Letters", None), True, "", None)
    someone.post("/rules/trial/", form(bus, trial="send", **values), headers=SCRIPT)
    assert len(sink.requests) == 1
