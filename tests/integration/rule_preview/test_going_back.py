"""Going back asks what saving asks: whether what would be sent fits the contract."""

from __future__ import annotations

import html
import json
from typing import Any

from django.test import Client

from catalog.models import Bus
from rules.models import Rule, RuleRevision, TargetRevision
from rules.revisions import save_rule, save_target
from tests.integration.rule_preview.tried import SCHEMA, form, order

TEMPLATE = '{"ref": "${data.n}", "amount": "${data.total.amount}"}'


def made(someone: Client, bus: Bus, **values: Any) -> Rule:
    """A listening rule whose target takes amounts up to 1,000, as its contract says."""
    values = {"contract": json.dumps(SCHEMA), "template": TEMPLATE, "do": "start"} | values
    assert someone.post("/subscribe/", form(bus, **values)).status_code == 302
    return Rule.objects.get()


def test_a_target_does_not_go_back_to_what_its_contract_refuses(someone: Client, bus: Bus) -> None:
    rule = made(someone, bus)
    target = rule.targets.get()
    contract = target.contract
    target.contract = {}
    save_target(target)
    order(bus, 2, 5000)
    back = f"/targets/{target.pk}/history/{TargetRevision.objects.get(number=1).pk}/roll-back/"
    said = html.unescape(someone.post(back, follow=True).content.decode())
    refused = html.unescape(
        someone.post(
            f"/rules/{rule.pk}/edit/",
            form(bus, template=TEMPLATE, contract=contract["schema"], do="save"),
        ).content.decode()
    )
    for page in (said, refused):
        assert "The target would not take it." in page
        assert "o-2 would not fit" in page
    target.refresh_from_db()
    assert (target.contract, target.revision) == ({}, 2)
    # A rule that does not listen sends nothing yet, so it may.
    rule.enabled = False
    save_rule(rule)
    someone.post(back)
    target.refresh_from_db()
    assert (target.contract, target.revision) == (contract, 3)


def test_a_rule_does_not_go_back_to_events_that_a_target_refuses(someone: Client, bus: Bus) -> None:
    rule = made(someone, bus)
    rule.pattern = {"type": ["order.placed"], "data": {"total": {"amount": [{"numeric": ["<", 600]}]}}}
    save_rule(rule)
    order(bus, 2, 5000)
    first = RuleRevision.objects.get(rule_id=rule.pk, number=1)
    answer = someone.post(f"/rules/{rule.pk}/history/{first.pk}/roll-back/", follow=True)
    said = html.unescape(answer.content.decode())
    assert "It does not go back. Billing would not take it: o-2 would not fit" in said
    rule.refresh_from_db()
    assert rule.revision == 2
