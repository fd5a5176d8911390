"""What a transform would have sent, held against the contract of its target."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalog.models import Bus
from rules.contract import compile_contract
from rules.models import Rule, Target, TargetRevision
from tests.integration.rule_preview.tried import (
    OPENAPI,
    SCHEMA,
    form,
    look,
    order,
    text,
)


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


def test_a_template_written_for_a_contract_says_what_it_lacks(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900)
    contract = {"type": "object", "required": ["amount", "owner"], "properties": {
        "amount": {"type": "number"}, "owner": {"type": "string"}}}  # fmt: skip
    answer = someone.post("/subscribe/", form(bus, contract=json.dumps(contract), do="fill-contract"))
    sending = answer.context["draft"].sending
    assert json.loads(sending.template) == {"amount": "${data.total.amount}"}
    assert sending.missing == "omit"
    assert "Nothing in the events is called like owner: left out, and yours to write." in text(answer)
