"""What a shift asks of the database for one target: what ended, what is to be sent next, what is to be read."""

from __future__ import annotations

from delivery.log.schema import SLOTS, lanes_of
from delivery.runner.sending import BUFFER, Sender
from delivery.runner.sharing import Use
from delivery.runner.work import CLEAR, Cycle


def ask(cycle: Cycle, sender: Sender, prune: bool, records: bool, clock: int) -> None:
    """Adds one target to a round. `records`: plain outcomes too. `clock`: the database's, microseconds."""
    target, progress, throttle, quiet = sender.facts.id, sender.progress, sender.throttle, sender.quiet
    due = sender.next_due is not None and sender.next_due <= clock
    # Routes go, and exceptions are read, by what is committed.
    waits = due or bool(progress.to_drain) or progress.outbox.presses
    records = records or quiet or prune or waits or not throttle.calm
    cycle.holding[target] = set(progress.fences)
    if quiet:
        cycle.full.add(target)
    if not throttle.calm and not sender.waiting:
        throttle.give_back()
    if sender.wants_more and progress.ready:
        heads, following = sender.to_clear(CLEAR)
        if heads:
            cycle.flights.append((target, heads, following))
    report = throttle.report(records and bool(progress.outbox.latencies), len(progress.fences) < SLOTS)
    if report is not None:
        cycle.reports.append(report)
    at_once = sender.asks_for_places or (
        throttle.slows and (cycle.sweep or (report is not None and report.taken > 0))
    )
    if (at_once or cycle.sweep) and not (quiet or throttle.open):
        cycle.uses[target] = Use(throttle.most, throttle.share, sender.under_way, throttle.may_slow, at_once)
    if records and progress.outbox:
        cycle.outboxes.append(progress.take_outbox())
    if quiet and sender.idle:
        cycle.release[target] = (list(progress.fences), sender.halted)
        return
    if prune:
        cycle.prune[target] = {
            slot: min(progress.lanes[lane].cursor for lane in lanes_of(slot)) for slot in progress.fences
        }
    if quiet:
        return
    if progress.to_drain:
        by_key = progress.policy.order == "key"
        cycle.drain[target] = [chain if by_key else None for chain in progress.to_drain]
        progress.to_drain.clear()
    if due:
        sender.next_due = None
        cycle.due.add(target)
    if not throttle.calm and sender.waiting and throttle.wants_probe(clock):
        cycle.probes.add(target)
    if throttle.rate is not None and (wanted := throttle.to_draw(sender.waiting, clock)):
        cycle.draws[target] = (throttle.rate, wanted)
    cycle.room[target] = BUFFER - progress.buffered if sender.roomy else 0
    if progress.drains is not None and cycle.sweep:
        cycle.draining[target] = progress.drains
    cycle.reading[target] = progress
    if _sends_at_once(sender):
        cycle.opens.add(target)


def _sends_at_once(sender: Sender) -> bool:
    """Whether what is read may be recorded as in flight in the same round, for nothing holds it back."""
    progress, throttle = sender.progress, sender.throttle
    held = progress.ready or progress.parked or progress.watchful
    return sender.wants_more and not held and throttle.calm and throttle.rate is None
