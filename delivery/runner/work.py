"""One round of a shift's database work: what the loop asks for, what comes back, and the order it is done in."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalog.stamps import RULES
from delivery.log.schema import lanes_of
from delivery.runner.facts import Facts, read_facts
from delivery.runner.gate import Gate, Report
from delivery.runner.items import Item, Outbox
from delivery.runner.lease import Claimed
from delivery.runner.progress import Progress
from delivery.runner.rate import Drawn
from delivery.runner.sharing import Use, fair
from delivery.runner.store import Store

CLEAR = 256  # events of one target recorded as in flight at once


@dataclass(slots=True)
class Cycle:
    """What the loop asks of the database."""

    since: int
    leaving: bool
    renew: bool = False
    sweep: bool = False
    outboxes: list[Outbox] = field(default_factory=list)
    flights: list[tuple[int, list[Item], list[Item]]] = field(default_factory=list)
    release: dict[int, tuple[list[int], tuple[str, str] | None]] = field(default_factory=dict)
    prune: dict[int, dict[int, int]] = field(default_factory=dict)
    drain: dict[int, list[int | None]] = field(default_factory=dict)
    draining: dict[int, str] = field(
        default_factory=dict
    )  # targets, and the order that may be drained by now
    due: set[int] = field(default_factory=set)
    room: dict[int, int] = field(default_factory=dict)
    keep_flights: set[int] = field(default_factory=set)
    lost: dict[int, list[int]] = field(default_factory=dict)
    again: dict[tuple[int, int], int] = field(default_factory=dict)
    reading: dict[int, Progress] = field(default_factory=dict)
    opens: set[int] = field(default_factory=set)  # targets to which what is read may be sent at once
    holding: dict[int, set[int]] = field(default_factory=dict)  # target -> slots, whatever their leases say
    full: set[int] = field(default_factory=set)  # targets of which nothing more is to be claimed
    reports: list[Report] = field(default_factory=list)
    probes: set[int] = field(default_factory=set)  # targets whose breaker wants a probe
    uses: dict[int, Use] = field(default_factory=dict)  # of the places of targets
    draws: dict[int, tuple[float, int]] = field(default_factory=dict)  # rate, and how many events of it


@dataclass(slots=True)
class News:
    """What the database answered."""

    flights: list[int] = field(default_factory=list)
    released: set[int] = field(default_factory=set)
    renewed: dict[tuple[int, int], bool] | None = None  # and whether retention asks for it
    seen: int = 0
    claimed: list[Claimed] = field(default_factory=list)
    facts: dict[int, Facts] = field(default_factory=dict)
    facts_changed: dict[int, Facts] | None = None
    drained: set[int] = field(default_factory=set)
    newest: list[tuple[int, int, int]] = field(default_factory=list)
    leased: dict[tuple[int, int], int] = field(
        default_factory=dict
    )  # wanted, but another shift holds it still
    events: dict[int, tuple[list[Item], bool, dict[int, int]]] = field(default_factory=dict)
    opened: dict[int, tuple[int, list[Item]]] = field(
        default_factory=dict
    )  # flights of what was read, and of what of it
    held: list[tuple[int, list[Item]]] = field(default_factory=list)
    ahead: int | None = None  # of the database's clock before the monotonic one, microseconds
    gates: dict[int, Gate] = field(default_factory=dict)
    probes: dict[int, int] = field(default_factory=dict)  # numbers of probes that are this shift's to send
    shares: dict[int, int | None] = field(
        default_factory=dict
    )  # places that may be used; None: too many share them
    drawn: dict[int, tuple[Drawn, int]] = field(default_factory=dict)  # with the time it was drawn at


def perform(store: Store, cycle: Cycle) -> News:
    """Does one round, in the thread that owns the store. Raises LeaseLost with nothing of the round recorded."""
    news = News()
    if cycle.outboxes or cycle.flights:
        news.flights = store.commit(
            cycle.outboxes, [(target, heads + following) for target, heads, following in cycle.flights]
        )
    if cycle.reports:
        news.gates = store.report(cycle.reports)
    if cycle.renew:
        news.renewed = store.renew()
    for target, lost in cycle.lost.items():
        store.release(target, lost, forget_flights=False)
    for target, (slots, halted) in cycle.release.items():
        if halted is not None:
            _stop_target(target, *halted)
        store.release(target, slots, forget_flights=target not in cycle.keep_flights)
        news.released.add(target)
    for target, cursors in cycle.prune.items():
        store.prune(target, cursors)
    if cycle.leaving:
        return news
    hints = store.routed_since(cycle.since)
    news.seen = max((seq for _, _, seq in hints), default=0)
    news.newest = hints
    # Read before the facts of what is claimed: a change after it is seen by the next sweep.
    version = store.rules_version(RULES) if cycle.sweep else store.seen_rules
    _claim(store, cycle, hints, news)
    _ask_gates(store, cycle, news)
    if cycle.sweep:
        news.newest += store.released()  # and with it hints: it is the same list
    _read(store, cycle, hints, news)
    if version != store.seen_rules:
        store.seen_rules = version
        news.facts_changed = read_facts(cycle.reading)
    if cycle.sweep:
        cycle.due |= store.due_targets() & cycle.reading.keys()
    for target in cycle.due:
        news.held.append((target, store.due(target, cycle.reading[target].fences)))
    for target, keys in cycle.drain.items():
        for key in keys:
            news.held.append((target, store.drain(target, key)))
    for target, mode in cycle.draining.items():
        if not store.drainable(target, mode):
            news.drained.add(target)
    return news


def _ask_gates(store: Store, cycle: Cycle, news: News) -> None:
    """What all shifts know of the breakers of targets that are served here, and what this one may send."""
    if cycle.sweep:
        news.ahead = store.database.ahead()
        news.gates |= store.gates(cycle.reading)
    for target in cycle.probes:
        news.gates[target], number = store.claim_probe(target)
        if number is not None:
            news.probes[target] = number
    for target, (rate, wanted) in cycle.draws.items():
        news.drawn[target] = store.draw(target, rate, wanted)
    if cycle.uses:
        _share(store, cycle, news)


def _share(store: Store, cycle: Cycle, news: News) -> None:
    """The parts of those that ask, and at a sweep of those whose part may have changed: another shift came or went."""
    shifts = store.shifts()
    crowded = store.crowded() if cycle.sweep else set()
    for target, use in cycle.uses.items():
        alone = fair(use.most, [store.owner], store.owner, shifts - 1)
        if use.at_once or (cycle.sweep and (target in crowded or use.share != alone)):
            news.shares[target] = store.share(target, use, shifts)


def _claim(store: Store, cycle: Cycle, hints: list[tuple[int, int, int]], news: News) -> None:
    wanted: dict[int, dict[int, int]] = {}
    for target, slot, seq in hints:
        if _claimable(cycle, target, slot):
            wanted.setdefault(target, {})[slot] = seq
    for (target, slot), seq in cycle.again.items():
        if _claimable(cycle, target, slot):
            wanted.setdefault(target, {}).setdefault(slot, seq)
    for target, slot in store.leased((target, slot) for target, slots in wanted.items() for slot in slots):
        # Perhaps its holder is about to leave; the loop asks again in a moment, and the sweep after that.
        news.leased[target, slot] = wanted[target].pop(slot)
    wanted = {target: slots for target, slots in wanted.items() if slots}
    if cycle.sweep:
        rows = store.open_slots()
        # With several shifts alive, each takes its share of what is open and leaves the rest to the others.
        shifts = store.shifts() if rows else 1
        for target, slot, seq in rows[: max(1, -(-len(rows) // shifts))]:
            if _claimable(cycle, target, slot):
                wanted.setdefault(target, {})[slot] = seq
    if not wanted:
        return
    news.facts = read_facts(wanted)
    for target, slots in wanted.items():
        facts = news.facts.get(target)
        if facts is None or facts.state != "running":
            continue
        news.claimed += store.claim(target, slots, target not in cycle.holding, facts.policy)
        news.newest += [(target, slot, seq) for slot, seq in store.newest(target)]
    news.gates |= store.gates({one.target for one in news.claimed} - cycle.holding.keys())


def _claimable(cycle: Cycle, target: int, slot: int) -> bool:
    """Not what this shift holds, though its lease lapsed: what was in flight under it is accounted for first."""
    return not (
        target in cycle.release or target in cycle.full or slot in cycle.holding.get(target, frozenset())
    )


def _read(store: Store, cycle: Cycle, hints: list[tuple[int, int, int]], news: News) -> None:
    """Reads the slots that hints tell of, and those that had more than fitted."""
    for target, progress in cycle.reading.items():
        room = cycle.room[target]
        newest = dict(progress.newest)
        for hinted, slot, seq in hints:
            if hinted == target and slot in progress.fences:
                newest[slot] = max(newest.get(slot, 0), seq)
        slots: dict[int, int] = {}
        for slot in progress.fences:
            # The lanes of a slot are read together, so they stand at the same seq but right after a lease was taken.
            read = min(progress.lanes[lane].read for lane in lanes_of(slot))
            if read < newest.get(slot, 0):
                slots[slot] = read
        if not slots or room <= 0:
            continue
        items, more = store.events(target, slots, max(16, room // len(slots)))
        # A slot that was cut short is read up to the last event that came; the others up to the newest known.
        ends = {slot: more.get(slot, newest[slot]) for slot in slots}
        if progress.policy.order == "all":
            # Strictly one after the other over all lanes: nothing beyond the first slot that was cut short, nor what
            # was committed after the hints, for some slots were read before it.
            cut = min([*more.values(), max(newest.values())])
            items = [item for item in items if item.seq <= cut]
            ends = {slot: min(end, cut) for slot, end in ends.items()}
        fresh = [item for item in items if item.seq > progress.lanes[item.lane].read]
        news.events[target] = (
            fresh,
            bool(more),
            {lane: end for slot, end in ends.items() for lane in lanes_of(slot)},
        )
    _open(store, cycle, news)


def _open(store: Store, cycle: Cycle, news: News) -> None:
    """Records as in flight what was read for targets that are to be sent it at once, unless that is too much at a time."""
    flights = []
    for target in cycle.opens & news.events.keys():
        items = [item for item in news.events[target][0] if cycle.reading[target].is_new(item)]
        if 0 < len(items) <= CLEAR:
            flights.append((target, items))
    if flights:
        ids = store.commit([], flights)
        news.opened = {target: (one, items) for (target, items), one in zip(flights, ids, strict=True)}


def _stop_target(target: int, state: str, reason: str) -> None:
    from rules.models import Target
    from rules.revisions import set_state

    row = Target.objects.filter(pk=target).first()
    if row is not None and row.state == Target.State.RUNNING:
        set_state(row, state, reason)


def without(cycle: Cycle, target: int, slots: list[int]) -> None:
    """Takes a target whose lease was lost out of a round, and gives back what is left of its leases."""
    cycle.outboxes = [outbox for outbox in cycle.outboxes if outbox.target != target]
    cycle.flights = [flight for flight in cycle.flights if flight[0] != target]
    for asked in (
        cycle.prune,
        cycle.drain,
        cycle.draining,
        cycle.room,
        cycle.reading,
        cycle.draws,
        cycle.uses,
    ):
        asked.pop(target, None)
    cycle.opens.discard(target)
    cycle.due.discard(target)
    cycle.probes.discard(target)
    cycle.release[target] = (slots, None)
    cycle.keep_flights.add(target)
