"""What the map says where nothing flows, and what it calls a place of our own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration import rows as write
from tests.integration.deliveries.billing import text
from tests.integration.deliveries.drawn import links, table

if TYPE_CHECKING:
    from django.test import Client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("new_reader")]

MINUTE, DAY = 60_000_000, 24 * 60


def came(bus: int, minutes: int) -> None:
    """An order of the shop so many minutes ago, as it is counted."""
    at = write.now() - minutes * MINUTE
    write.execute(
        "INSERT INTO rollup_received (bus, type, minute, events, invalid, bytes) VALUES (%s, %s, %s, 1, 0, 9)",
        bus, "order.placed", at // MINUTE,
    )  # fmt: skip
    write.execute(
        "INSERT INTO rollup_source (source, type, slot, events, first_at, last_at) VALUES (%s, %s, %s, 1, %s, %s) "
        "ON CONFLICT (source, type, slot) DO UPDATE SET first_at = excluded.first_at",
        "/shop", "order.placed", at // (10 * MINUTE), at, at,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ago", "said", "why"),
    [
        ([], "no events yet", ""),
        ([3 * DAY], "last 3 days ago", "it came once"),
        ([DAY - 60, 2 * DAY - 60], "last 23 h ago", "its events come up to 24 h apart"),
        ([180, 195, 211], "silent for 3 h", "before that its events came at most 16 min apart"),
    ],
)
def test_what_sends_nothing_is_silent_by_its_own_rhythm_and_says_why(
    someone: Client, town: SimpleNamespace, shop: Any, ago: list[int], said: str, why: str
) -> None:
    from rules.models import Rule

    Rule.objects.all().delete()
    for minutes in ago:
        came(town.bus, minutes)
    both, silent = ", ".join(filter(None, (said, why))), said.startswith("silent")
    page = someone.get("/map/")
    node = links(page)["type:order.placed"]
    assert node.get("aria-label") == node.findtext("title") == f"order.placed, event type, {both}"
    assert [one.text for one in node.iter("text")] == ["order.placed", said]
    assert (node.find("circle[@class='idle']") is not None) == silent
    source = links(page)["source:/shop"]
    assert (source.get("aria-label") or "").startswith(f"Web shop, source, {said}")
    assert table(someone.get("/map/?view=table"))[0][-1] == (f"{said} {why}" if silent else both)
    assert f'<dt>Rate</dt><dd class="num">{both}</dd>' in text(someone.get("/map/?focus=type:order.placed"))
    assert f'<dt>Rate</dt><dd class="num">{said}' in text(someone.get("/map/?focus=source:/shop"))
    assert "Only trouble" not in text(page), "silence alone is none"


def test_a_target_that_is_a_request_bin_of_ours_is_called_one(someone: Client, town: SimpleNamespace) -> None:
    from delivery.models import RequestBin
    from rules.models import Rule, Target
    from rules.revisions import subscribe

    bin = RequestBin.objects.create(name="Orders", team=town.rule.team)
    target = Target(
        name="Orders", connector="http", config={"url": f"http://127.0.0.1:8999/bin/{bin.address}"}
    )
    subscribe(Rule(name="Watch", bus=town.rule.bus, team=town.rule.team, pattern={}), target)

    def below(key: int) -> str | None:
        return [one.text for one in links(someone.get("/map/"))[f"target:{key}"].iter("text")][-1]

    assert below(target.pk) == "Request bin"
    assert below(town.billing.pk) == "HTTP"
    bin.delete()
    assert below(target.pk) == "HTTP", "nothing of ours is at that address any more"
