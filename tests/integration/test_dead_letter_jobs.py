"""Dead letters are chosen by a filter, redriven and discarded by the hundred or the thousand, and forwarded."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest

from catalog.changes import LETTERS
from catalog.models import Bus, Team
from delivery.deadletters import asking, forwarding, work
from delivery.deadletters.asking import NothingChosen, ask, undo
from delivery.deadletters.chosen import Chosen, count, earlier_left, in_order, newest, page
from delivery.models import LetterJob
from delivery.tracking.read import now, rows
from delivery.tracking.words import State
from rules.models import Rule, Target
from rules.revisions import NotThere, send_dead_letters_to
from tests.databases import Database
from tests.events import a_target
from tests.integration import rows as write


@pytest.fixture
def target(log_database: Database) -> Target:
    return a_target()


def dead(target: Target, subject: str = "A", reason: str = "It answers 422.", **columns: Any) -> int:
    seq = write.store(target.rule.bus_id, (target.pk,), subject=subject)
    write.hold(target.pk, seq, State.DEAD, reason=reason, **columns)
    return seq


def states(target: Target) -> dict[int, int]:
    return dict(rows("SELECT seq, state FROM runner_exception WHERE target = %s", [target.pk]))  # type: ignore[arg-type]


def test_each_part_of_the_filter_narrows(target: Target) -> None:
    other = a_target(rule=target.rule, name="other")
    a, b = (
        dead(target, "A", "Order 1 is unknown"),
        dead(target, "B", "Order 2 is unknown", first_at=now() - 10**12),
    )
    c = dead(other, "A", "Away", status=None)

    def found(**values: Any) -> list[int]:
        chosen = Chosen(**values)
        listed = [letter.seq for letter in newest(chosen)]
        assert sorted(listed) == [letter.seq for letter in in_order(chosen, (0, 0), 100)[0]]
        assert count(chosen) == (len(listed), True)
        return listed

    cause = next(newest(Chosen(target=target.pk))).cause
    from delivery.deadletters.causes import cause_id

    assert found() == [c, b, a]
    assert found(target=target.pk) == [b, a]
    assert found(rule=target.rule_id) == [c, b, a]
    assert found(status=422) == [b, a]
    assert found(subject="A") == [c, a]
    assert found(type="order.placed") == [c, b, a]
    assert found(type="order.shipped") == []
    assert found(text="ORDER 2") == [b]
    assert found(cause=cause_id(cause)) == [b, a]
    assert found(since=now() - 10**9) == [c, a]
    assert found(until=now() - 10**9) == [b]
    assert found(letters=((target.pk, a), (other.pk, c), (target.pk, c))) == [c, a]
    assert found(letters=()) == []
    assert [letter.seq for letter in page(Chosen(), (c, other.pk), 5)[0]] == [b, a]
    assert Chosen.of(json.loads(json.dumps(Chosen(letters=((1, 2),)).values()))) == Chosen(letters=((1, 2),))


def test_a_page_goes_on_where_too_many_were_looked_at_without_finding_enough(target: Target) -> None:
    wanted = [dead(target, "rare"), *(dead(target, "common") for _ in range(5)), dead(target, "rare")]
    chosen = Chosen(subject="rare")
    found, place = page(chosen, None, 5, looked_at=3)
    assert [letter.seq for letter in found] == [wanted[-1]]
    seen, pages = [letter.seq for letter in found], 1
    while place is not None:
        found, place = page(chosen, place, 5, looked_at=3)
        seen += [letter.seq for letter in found]
        pages += 1
    assert (seen, pages) == ([wanted[-1], wanted[0]], 3)
    assert page(chosen, None, 1)[1] == (wanted[-1], target.pk)
    assert page(chosen, None, 2) == (list(newest(chosen)), None)


def test_an_event_that_its_bus_no_longer_keeps_is_known_by_its_own_bytes(target: Target) -> None:
    seq = dead(target, "kept")
    write.execute("DELETE FROM log_event WHERE seq = %s", seq)
    assert [(one.type, one.subject, one.source) for one in newest(Chosen(subject="kept"))] == [
        ("order.placed", "kept", "/shop")
    ]


def test_earlier_ones_of_the_same_subject_that_are_left_out_are_counted(target: Target) -> None:
    first, _other, last = dead(target, "A"), dead(target, "B"), dead(target, "A")
    chosen = list(newest(Chosen(letters=((target.pk, last),))))
    assert earlier_left(chosen) == 1
    assert earlier_left([*chosen, *newest(Chosen(letters=((target.pk, first),)))]) == 0


def test_a_few_are_asked_for_at_once_and_leave_a_record(target: Target) -> None:
    seqs = [dead(target), dead(target)]
    job = ask("redrive", Chosen(target=target.pk))
    assert states(target) == dict.fromkeys(seqs, State.RETRY)
    assert (job.total, job.done, job.ended, job.acted) == (2, 2, "done", [(target.pk, seq) for seq in seqs])
    with pytest.raises(NothingChosen):
        ask("redrive", Chosen(target=target.pk))
    assert LetterJob.objects.count() == 1


def test_a_discard_needs_a_reason_and_can_be_taken_back_for_ten_seconds(target: Target) -> None:
    seq = dead(target, reason="It answers 422: 10% off")
    with pytest.raises(ValueError, match="reason"):
        ask("discard", Chosen(target=target.pk), reason="  ")
    job = ask("discard", Chosen(target=target.pk), reason="a test")
    found = rows("SELECT state, due_at, reason FROM runner_exception WHERE seq = %s", [seq])[0]
    assert found[0] == State.DISCARD
    assert 5_000_000 < found[1] - now() <= asking.UNDO
    assert found[2] == "Discarded by Signalbox: a test\nIt answers 422: 10% off"
    assert undo(job) == 1
    assert rows("SELECT state, due_at, reason FROM runner_exception WHERE seq = %s", [seq]) == [
        (State.DEAD, None, "It answers 422: 10% off")
    ]
    assert undo(job) == 0
    job.refresh_from_db()
    assert job.ended == LetterJob.Ended.CANCELLED


def test_many_are_a_job_that_goes_on_where_it_got(target: Target) -> None:
    seqs = [dead(target, f"S{n % 3}") for n in range(12)]
    with patch.object(asking, "AT_ONCE", 5), patch.object(work, "PART", 5):
        job = ask("redrive", Chosen(target=target.pk))
        assert (job.ended_at, job.total, job.exact) == (None, 12, True)
        assert set(states(target).values()) == {State.DEAD}
        claimed = work.claim()
        assert claimed is not None
        assert work.claim() is None  # It is one worker's.
        assert work.step(claimed) == 5
        assert [seq for seq, state in sorted(states(target).items()) if state == State.RETRY] == seqs[:5]
        # That worker died. Its claim lapses, and another goes on.
        LetterJob.objects.update(held_until=0)
        assert work.work(stay=5) == 7
    job.refresh_from_db()
    assert (job.done, job.ended) == (12, LetterJob.Ended.DONE)
    assert set(states(target).values()) == {State.RETRY}


def test_a_worker_that_was_overtaken_marks_nothing(target: Target) -> None:
    for _n in range(6):
        dead(target)
    with patch.object(asking, "AT_ONCE", 2), patch.object(work, "PART", 2):
        ask("redrive", Chosen(target=target.pk))
        frozen = work.claim()
        assert frozen is not None
        other = LetterJob.objects.get(pk=frozen.pk)
        assert work.step(other) == 2
        with pytest.raises(work.Overtaken):
            work.step(frozen)
        assert undo(other) == 4
        with pytest.raises(work.Overtaken):
            work.step(other)
    assert sorted(states(target).values()) == [State.RETRY] * 2 + [State.DEAD] * 4


def test_a_large_discard_waits_for_an_undo_before_it_begins(target: Target) -> None:
    dead(target)
    dead(target)
    with patch.object(asking, "AT_ONCE", 1):
        job = ask("discard", Chosen(target=target.pk), reason="a test")
        assert work.claim() is None
        LetterJob.objects.update(starts_at=0)
        assert work.work(stay=1) == 2
    job.refresh_from_db()
    assert job.done == 2
    assert all(due <= now() for (due,) in rows("SELECT due_at FROM runner_exception"))


# ── forwarding ──


def copies() -> list[dict[str, Any]]:
    bus = Bus.objects.filter(name=LETTERS).first()
    found = rows("SELECT raw FROM log_event WHERE bus = %s ORDER BY seq", [bus.pk if bus else 0])
    return [json.loads(bytes(raw)) for (raw,) in found]


def routed(target: Target) -> int:
    return int(rows("SELECT count(*) FROM log_route WHERE target = %s", [target.pk])[0][0])


def test_a_dead_letter_goes_on_to_the_target_that_takes_them_once(target: Target) -> None:
    to = a_target(rule=target.rule, name="morgue")
    before = routed(to)
    seq = dead(target, "A", "It answers 422:\nno")
    assert forwarding.forward() == 0
    send_dead_letters_to(target, to)
    assert forwarding.forward() == 1
    copy = copies()[0]
    original = json.loads(bytes(rows("SELECT raw FROM log_event WHERE seq = %s", [seq])[0][0]))
    assert copy == original | {
        "id": f"{original['id']}~dead-{target.pk}-0",
        "deadlettertarget": target.name,
        "deadletterreason": "It answers 422: no",
        "deadletterstatus": 422,
        "deadletterattempts": 1,
        "deadletterseq": str(seq),
    }
    assert routed(to) == before + 1
    assert forwarding.forward() == 0
    # A worker killed between the two commits: the log knows the copy.
    write.execute("UPDATE runner_exception SET told = 0")
    assert forwarding.forward() == 0
    assert len(copies()) == 1


def test_one_that_was_redriven_and_died_again_goes_on_again(target: Target) -> None:
    send_dead_letters_to(target, a_target(rule=target.rule, name="morgue"))
    seq = dead(target)
    assert forwarding.forward() == 1
    ask("redrive", Chosen(target=target.pk))
    write.execute("UPDATE runner_exception SET state = %s WHERE seq = %s", int(State.DEAD), seq)
    assert forwarding.forward() == 1
    assert [one["id"].rpartition("-")[2] for one in copies()] == ["0", "1"]


def test_a_copy_that_dies_too_goes_no_further(target: Target) -> None:
    morgue = a_target(rule=target.rule, name="morgue")
    last = a_target(rule=target.rule, name="last")
    send_dead_letters_to(target, morgue)
    send_dead_letters_to(morgue, last)
    dead(target)
    forwarding.forward()
    bus = Bus.objects.get(name=LETTERS)
    (seq,) = rows("SELECT seq FROM log_event WHERE bus = %s", [bus.pk])[0]
    write.hold(morgue.pk, int(seq), State.DEAD)
    assert forwarding.forward() == 0
    assert len(copies()) == 1


def test_dead_letters_never_go_in_a_circle_nor_to_another_team(target: Target) -> None:
    other = a_target(rule=target.rule, name="other")
    send_dead_letters_to(target, other)
    for wrong in (target, other):
        with pytest.raises(NotThere, match="circle"):
            send_dead_letters_to(other, target if wrong is target else other)
    rule = Rule.objects.create(
        name="elsewhere", bus=target.rule.bus, team=Team.objects.create(slug="elsewhere", name="Elsewhere")
    )
    foreign = a_target(rule=rule, name="foreign")
    with pytest.raises(NotThere, match="another team"):
        send_dead_letters_to(target, foreign)
    send_dead_letters_to(target, None)
    target.refresh_from_db()
    assert target.dead_letters_to is None
