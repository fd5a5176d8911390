"""Dead letters are redriven or discarded: one, one reason, or none."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.test import Client

from delivery.tracking.words import State
from tests.integration import rows as write
from tests.integration.deliveries.billing import REASON, refuse, text

# The log commits by itself, so its rows are not undone with a test's transaction.
pytestmark = pytest.mark.django_db(transaction=True)


def _states(town: SimpleNamespace) -> dict[int, int]:
    from delivery.tracking.read import rows

    return dict(rows("SELECT seq, state FROM runner_exception WHERE target = %s", [town.billing.pk]))  # type: ignore[arg-type]


def test_one_reason_or_all_are_redriven(someone: Client, town: SimpleNamespace) -> None:
    from delivery.deadletters.causes import cause_id, cause_of

    first, second, third = refuse(town), refuse(town), refuse(town)
    write.execute("UPDATE runner_exception SET reason = 'Another.' WHERE seq = %s", third)
    page = text(someone.get("/dead-letters/"))
    assert REASON in page
    assert "Another." in page
    someone.post(f"/dead-letters/redrive/?target={town.billing.pk}&seq={first}&from=journey")
    assert _states(town) == {first: State.RETRY, second: State.DEAD, third: State.DEAD}
    someone.post(f"/dead-letters/redrive/?target={town.billing.pk}&group={cause_id(cause_of(REASON, 422))}")
    assert _states(town) == {first: State.RETRY, second: State.RETRY, third: State.DEAD}
    someone.post(
        f"/dead-letters/discard/?target={town.billing.pk}&group={cause_id('Another.')}", {"reason": "old"}
    )
    assert _states(town)[third] == State.DISCARD


def test_a_group_that_is_gone_touches_nothing_else(someone: Client, town: SimpleNamespace) -> None:
    seq = refuse(town)
    someone.post(f"/dead-letters/redrive/?target={town.billing.pk}&group=000000000000")
    someone.post(f"/dead-letters/discard/?target={town.billing.pk}&group=000000000000")
    assert _states(town) == {seq: State.DEAD}
    assert someone.post("/dead-letters/redrive/").status_code == 404
    assert someone.get("/dead-letters/redrive/").status_code == 405
