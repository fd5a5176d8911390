"""Events found by what is known of them, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from delivery.tracking.words import Outcome, State
from tests.databases import Database
from tests.integration import rows as write


@pytest.fixture
def shop(log_database: Database) -> SimpleNamespace:
    """Two buses and two targets of one rule."""
    from catalog.models import Bus, Team
    from rules.models import Rule, Target
    from rules.revisions import save_rule, save_target

    first, second = Bus.objects.create(name="main"), Bus.objects.create(name="second")
    team = Team.objects.create(name="Shop", slug="shop")
    rule = save_rule(Rule(name="All", bus=first, team=team, pattern={"source": [{"exists": True}]}))
    named = [
        save_target(Target(name=name, rule=rule, connector="http", config={"url": "http://127.0.0.1:9/"}))
        for name in ("Billing", "Packing")
    ]
    return SimpleNamespace(bus=first.pk, second=second.pk, billing=named[0].pk, packing=named[1].pk)


def found(before: int | None = None, limit: int = 50, **wanted: Any) -> list[int]:
    from delivery.tracking.search import Wanted, search

    return [line.seq for line in search(Wanted(**wanted), before, limit).events]


def test_each_condition_narrows_and_all_must_hold(shop: SimpleNamespace) -> None:
    at = write.now()
    a = write.store(shop.bus, type="a", source="/x", at=at - 300)
    b = write.store(shop.second, type="b", source="/x", at=at - 200)
    c = write.store(shop.bus, type="a", source="/y", at=at - 100, valid=0)
    assert found() == [c, b, a]
    assert found(types=("a",)) == [c, a]
    assert found(types=("a", "b")) == [c, b, a]
    assert found(source="/x") == [b, a]
    assert found(types=("a",), source="/x") == [a]
    assert found(invalid=True) == [c]
    assert found(since=at - 200) == [c, b]
    assert found(until=at - 100) == [b, a]
    assert found(since=at - 200, until=at - 100) == [b]
    assert found(since=at + 1) == []
    assert found(seqs=(a, c, 999), types=("a",)) == [c, a]
    assert found(seqs=()) == []


TEXTS = [
    ("Order-881 for Åsa", "order-881"),
    ("Order-881 for Åsa", "ORDER-881 for Åsa"),
    ('she said "no"', 'said "no"'),
    ("C:\\temp\\new", "C:\\temp\\new"),
    ("100 %_of it", "100 %_of"),
    ("日本語", "本語"),
    ("two\nlines", "two\nlines"),
]


def test_a_text_is_found_whatever_its_case_and_however_json_writes_it(shop: SimpleNamespace) -> None:
    write.store(shop.bus, data={"note": "something else"})
    seq = write.store(shop.bus)
    for value, text in TEXTS:
        for ascii_only in (False, True):
            raw = {"specversion": "1.0", "id": "1", "source": "/", "type": "t", "data": {"note": value}}
            write.execute(
                "UPDATE log_event SET raw = %s WHERE seq = %s",
                json.dumps(raw, ensure_ascii=ascii_only).encode(),
                seq,
            )
            assert found(text=text) == [seq], (text, ascii_only)
            assert found(text=text + "!") == [], (text, ascii_only)


def test_what_became_of_an_event_at_a_target_or_anywhere(shop: SimpleNamespace) -> None:
    taken, dead, waiting, twice = (write.store(shop.bus, type="a") for _ in range(4))
    write.attempt(shop.billing, taken, Outcome.DELIVERED)
    write.attempt(shop.billing, dead, Outcome.REJECTED)
    write.hold(shop.billing, dead, State.DEAD)
    write.hold(shop.billing, waiting, State.WAITING)
    for target in (shop.billing, shop.packing):
        write.hold(target, twice, State.RETRY)
    assert found(target=shop.billing, delivered=True) == [taken]
    assert found(target=shop.packing, delivered=True) == []
    assert found(state=State.DEAD) == [dead]
    assert found(state=State.DEAD, target=shop.packing) == []
    assert found(state=State.RETRY) == [twice]
    assert found(target=shop.billing) == [twice, waiting, dead]
    assert found(state=State.WAITING, types=("b",)) == []


def test_deliveries_are_found_in_packs_and_rows_alike_down_to_the_last(
    shop: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from delivery.tracking import attempts, packing

    monkeypatch.setattr(attempts, "PACKS", 2)
    seqs = [write.store(shop.bus) for _ in range(40)]
    # Each pack reaches over the next: it ends above it, and holds older ones than the next one's newest.
    for at in range(0, 30, 3):
        own = [seqs[at], seqs[at + 1], seqs[at + 5]]
        plain = [packing.Plain(seq, 1, 1, 200, None) for seq in own]
        for pack in packing.pack(plain, 1, "w"):
            write.execute(
                "INSERT INTO attempt_pack (target, hi, lo, body) VALUES (%s, %s, %s, %s)",
                shop.billing, pack.hi, pack.lo, pack.body,
            )  # fmt: skip
    write.attempt(shop.billing, seqs[35], Outcome.DELIVERED, number=2)
    write.attempt(shop.billing, seqs[36], Outcome.REJECTED)
    every = attempts.delivered_to(shop.billing, 0, seqs[-1], 1000)
    assert every == sorted(every, reverse=True)
    assert every[0] == seqs[35]
    assert len(every) == len(set(every)) == 31
    for limit in (1, 2, 5, 9):
        assert attempts.delivered_to(shop.billing, 0, seqs[-1], limit) == every[:limit]
        assert (
            attempts.delivered_to(shop.billing, seqs[3], seqs[20], limit)
            == [seq for seq in every if seqs[3] < seq <= seqs[20]][:limit]
        )


def test_pages_follow_each_other_without_a_gap_and_end(
    shop: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from delivery.tracking import search as searching
    from delivery.tracking.search import Wanted

    monkeypatch.setattr(searching, "STRETCH", 7)
    monkeypatch.setattr(searching, "AT_ONCE", 3)
    seqs = [write.store(shop.bus, type="ab"[n % 2], source=f"/{n % 3}") for n in range(30)]
    for wanted, expected in (
        (Wanted(), seqs),
        (Wanted(types=("a",)), seqs[::2]),
        (Wanted(source="/1"), seqs[1::3]),
        (Wanted(types=("b",), source="/2"), [seq for n, seq in enumerate(seqs) if n % 2 and n % 3 == 2]),
        (Wanted(source="/none"), []),
        (Wanted(seqs=tuple(seqs)), seqs),
    ):
        for limit in (1, 2, 4, 50):
            told: list[int] = []
            before: int | None = None
            for _ in range(40):
                page = searching.search(wanted, before, limit)
                assert len(page.events) <= limit
                assert page.looked <= 8
                told += [line.seq for line in page.events]
                before = page.before
                if before is None:
                    break
            assert before is None
            assert told == expected[::-1], (wanted, limit)


def test_what_is_not_kept_makes_room_for_what_is(shop: SimpleNamespace) -> None:
    from delivery.tracking.search import Wanted, search

    seqs = [write.store(shop.bus, type="a") for _ in range(20)]
    for wanted in (Wanted(text="specversion"), Wanted(types=("a",), text="specversion")):
        page = search(wanted, None, 4, lambda events: [line for line in events if line.seq % 3 == 0])
        kept = [seq for seq in seqs[::-1] if seq % 3 == 0]
        assert [line.seq for line in page.events] == kept[:4]
        assert page.before == kept[3]
        rest = search(wanted, page.before, 40, lambda events: [line for line in events if line.seq % 3 == 0])
        assert [line.seq for line in rest.events] == kept[4:]
        assert rest.before is None


def test_an_empty_log_has_nothing(shop: SimpleNamespace) -> None:
    assert found() == []
    assert found(text="abc", since=1, until=2) == []
