"""The preview of a rule tells what it would have done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from tests.integration import rows as write
from tests.integration.deliveries.billing import order, text

# The log commits by itself, so its rows are not undone with a test's transaction.
pytestmark = pytest.mark.django_db(transaction=True)


def preview(town: SimpleNamespace, **values: Any) -> dict[str, Any]:
    return {
        "name": "x", "bus": town.bus, "type": ["order.placed"], "mode": "rows", "path": ["data.currency"],
        "method": ["is"], "values": ["SEK"], "send": "template", "template": '{"ref": "${data.ref}"}',
        "deliver": "connector:http", "config-http-url": "http://127.0.0.1:8999/hook", "target-name": "Billing",
    } | values  # fmt: skip


def test_a_preview_tells_what_a_rule_would_have_done(someone: Client, town: SimpleNamespace) -> None:
    for currency in ("SEK", "EUR", "SEK", "EUR", "EUR"):
        order(town, currency)
    write.store(town.bus, type="other")
    answer = someone.post("/rules/preview/", preview(town), headers={"HX-Request": "true"})
    page = text(answer)
    assert (answer.context["taken"], answer.context["looked"], answer.context["share"]) == (2, 5, "40")
    assert "data.currency is &quot;EUR&quot;, the rule wants &quot;SEK&quot;" in page
    assert (
        answer.context["out"].body == '{"ref":"order-88190"}' or '"order-88190"' in answer.context["out"].body
    )
    assert "POST /hook HTTP/1.1" in page
    assert "127.0.0.1:8999" in page
    assert "all 2 matching events" in page


def test_a_preview_shows_the_event_that_was_picked(someone: Client, town: SimpleNamespace) -> None:
    seqs = [order(town) for _ in range(20)]
    answer = someone.post("/rules/preview/", preview(town, selected=str(seqs[0])))
    assert answer.context["chosen"].event.seq == seqs[0]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"values": [""]}, "Write a value"),
        ({"mode": "json", "pattern": "{"}, "Line 1"),
        ({"template": "${"}, "Line 1"),
        ({"config-http-url": "not a url"}, "would have gone"),
        ({"type": ["never.seen"]}, "nothing to try it on"),
    ],
)
def test_a_preview_of_something_wrong_says_where(
    someone: Client, town: SimpleNamespace, wrong: dict[str, Any], sentence: str
) -> None:
    order(town)
    answer = someone.post("/rules/preview/", preview(town, **wrong))
    assert answer.status_code == 200
    assert sentence in text(answer)


def test_a_preview_takes_two_thousand_events_in_a_bounded_number_of_queries(
    someone: Client, town: SimpleNamespace, django_assert_max_num_queries: Any
) -> None:
    for number in range(2020):
        order(town, "SEK" if number % 2 else "EUR")
    someone.get(
        "/rules/"
    )  # That a person was here is written once in five minutes, and not by what is counted.
    with django_assert_max_num_queries(25):
        answer = someone.post("/rules/preview/", preview(town))
    assert answer.context["looked"] == 2000
