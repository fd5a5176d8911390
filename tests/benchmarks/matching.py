"""The matcher: bytes in, rule ids out, against a plain scan of the same rules and against what else Python offers.

Rules and events are those of tenants.py. One core, CPU time.
"""

from __future__ import annotations

import gc
import importlib
import json
import statistics
import subprocess
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rules.engine import Event, Matcher, compile
from rules.engine.branches import IndexedBranch, met
from rules.engine.event import ABSENT
from rules.engine.leaves import Leaves
from tests.benchmarks.figures import figure, note
from tests.benchmarks.reference import peers as reference
from tests.benchmarks.tenants import Pattern, Tenants
from tests.processes import Towns
from tests.unit.engine import hostile, naive

REPETITIONS = 5
EVENTS = 1500
SECONDS = 1.5  # for each measurement of something slow


def rate(work: Callable[[bytes], object], events: list[bytes]) -> float:
    """Events per CPU second."""
    began = time.process_time()
    for event in events:
        work(event)
    return len(events) / (time.process_time() - began)


def rate_of_slow(work: Callable[[bytes], object], events: list[bytes]) -> float:
    """The same for at most SECONDS, of at least one event."""
    began = time.process_time()
    done = 0
    while not done or (done < len(events) and time.process_time() - began < SECONDS):
        work(events[done])
        done += 1
    return done / (time.process_time() - began)


def ours(matcher: Matcher) -> Callable[[bytes], object]:
    return lambda raw: matcher.match(Event.from_json(raw))


def plain_scan(rules: list[Pattern]) -> Callable[[bytes], object]:
    """What one writes first: decode and flatten once, then ask every rule, reading its pattern as it is written."""
    ways = [(number, way) for number, rule in enumerate(rules) for way in naive.branches(rule, [])]

    def work(raw: bytes) -> object:
        leaves = naive.leaves_of(json.loads(raw))
        by_path: dict[str, list[Any]] = {}
        in_elements = {path for path, _, inside in leaves if inside}
        for path, leaf, _ in leaves:
            by_path.setdefault(path, []).append(leaf)

        def is_met(way: naive.Fields) -> bool:
            for path, alternatives in way.items():
                here = by_path.get(path)
                if here is None:
                    if {"exists": False} not in alternatives:
                        return False
                elif not any(naive.holds(alternative, leaf) for leaf in here for alternative in alternatives):
                    return False
            return in_elements.isdisjoint(way) or naive.meets_leaves(way, leaves)

        return {number for number, way in ways if is_met(way)}

    return work


def compiled_scan(matcher: Matcher) -> Callable[[bytes], object]:
    """The best scan there is: the matcher's own compiled checks, rule by rule, without its index."""
    [layer] = matcher._layers
    branches = [branch for rule in layer.rules.values() for branch in rule]

    def is_met(branch: IndexedBranch, leaves: Leaves) -> bool:
        for one in branch.requirements:
            value = leaves[one.path]
            if value is ABSENT:
                if not one.may_be_missing:
                    return False
            elif type(value) is list:
                if not one.may_be_missing and not any(map(one.holds, value)):
                    return False
            elif not one.holds(value):
                return False
        return not leaves.members or met(branch, leaves)

    def work(raw: bytes) -> object:
        leaves = Leaves(Event.from_json(raw))
        return {branch.rule_id for branch in branches if is_met(branch, leaves)}

    return work


def peers(rules: list[Pattern], events: list[bytes]) -> Iterator[tuple[str, float]]:
    """Other matchers that are here, with their events per CPU second; each asks one rule after the other, as its users do."""
    for name, module, make in (
        ("event-ruler (PyPI)", "event_ruler", _event_ruler),
        ("moto", "moto.events.models", _moto),
    ):
        try:
            found = importlib.import_module(module)
        except Exception as error:
            note(f"{name} is not measured: {type(error).__name__}: {error}")
            continue
        yield name, rate_of_slow(make(found, rules), events)
    if reason := reference.missing():
        note(f"{reference.LOCALSTACK} is not measured: {reason}")
    else:
        yield reference.LOCALSTACK, _localstack(rules, events)


def _event_ruler(module: Any, rules: list[Pattern]) -> Callable[[bytes], object]:
    texts = [json.dumps(rule) for rule in rules]

    def matches(event: str, text: str) -> bool:
        try:
            return bool(module.test_event_pattern(event, text))
        except Exception:  # most of the language is not understood there
            return False

    return lambda raw: [number for number, text in enumerate(texts) if matches(raw.decode(), text)]


def _moto(module: Any, rules: list[Pattern]) -> Callable[[bytes], object]:
    patterns = [module.EventPattern(json.dumps(rule), rule) for rule in rules]

    def work(raw: bytes) -> object:
        event = json.loads(raw)
        return [number for number, pattern in enumerate(patterns) if pattern.matches_event(event)]

    return work


def _localstack(rules: list[Pattern], events: list[bytes]) -> float:
    """Its events per CPU second, in its own environment."""
    given = {"rules": rules, "events": [event.decode() for event in events], "seconds": SECONDS}
    command = [str(reference.PYTHON), reference.script("localstack_matcher.py")]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    if said["refused"]:
        note(f"{reference.LOCALSTACK} refuses {said['refused']:,} of {len(rules):,} rules")
    return float(said["rate"])


# Rules → what the rate must be at least, as a multiple of a plain scan.
AGAINST_SCAN = {1: 0.5, 100: 5, 1000: 50, 10_000: 500, 100_000: 3000}
AGAINST_COMPILED = {1: 0.5, 100: 2, 1000: 20, 10_000: 200, 100_000: 1200}
AGAINST_PEERS = {1: 1, 100: 20, 1000: 200}


def _workload(hot: bool) -> None:
    name = "hot" if hot else "selective"
    rates: dict[int, list[float]] = {}
    outputs: dict[int, Output] = {}
    for count in AGAINST_SCAN:
        if hot and count == 1:
            continue
        tenants = Tenants(count, hot, seed=count)
        rules = [tenants.rule() for _ in range(count)]
        events = [tenants.event() for _ in range(EVENTS)]
        began = time.process_time()
        matcher = compile(enumerate(rules))
        built = time.process_time() - began
        gc.collect()
        gc.freeze()
        mine = ours(matcher)
        scans = {
            "a plain scan of the same rules": (plain_scan(rules), AGAINST_SCAN[count]),
            "a scan with compiled checks": (compiled_scan(matcher), AGAINST_COMPILED[count]),
        }
        for scan, _ in scans.values():
            assert all(set(mine(event)) == scan(event) for event in events[:3])  # type: ignore[call-overload]
        rate(mine, events)
        rates[count] = [rate(mine, events) for _ in range(REPETITIONS)]
        outputs[count] = _output(matcher, events)
        for against, (scan, goal) in scans.items():
            figure(
                f"matching, {name}, {count:,} rules, against {against}",
                [statistics.median(rates[count])],
                [rate_of_slow(scan, events)],
                against,
                goal,
                "events/s of one core",
                build_us_per_rule=round(built / count * 1e6, 1),
                rules_met_per_event=round(outputs[count].ids, 1),
            )
        if count in AGAINST_PEERS and not hot:
            for peer, theirs in peers(rules, events):
                figure(
                    f"matching, {name}, {count:,} rules, against {peer}",
                    [statistics.median(rates[count])],
                    [theirs],
                    peer,
                    AGAINST_PEERS[count],
                    "events/s of one core",
                )
        if count == 100_000 and not hot:
            _changes(matcher, tenants)
        gc.unfreeze()
    for count, goal in ((10_000, 0.4), (100_000, 0.3)):
        ids = {size: round(outputs[size].ids, 1) for size in (100, count)}
        figure(
            f"matching, {name}, rate at {count:,} rules to rate at 100",
            rates[count],
            rates[100],
            "the matcher with 100 rules",
            goal,
            "events/s of one core",
            rules_met_per_event=ids,
            us_per_event={size: round(_us(rates[size]), 1) for size in (100, count)},
            us_to_put_out_the_ids={size: round(outputs[size].us, 2) for size in (100, count)},
        )
        if hot:
            more = outputs[count].ids - outputs[100].ids
            figure(
                f"matching, {name}, what each id more than at 100 rules costs at {count:,}",
                [(_us(rates[count]) - _us(rates[100])) / more],
                [1.0],
                "1 microsecond",
                1,
                "microseconds per id put out",
                at_most=True,
                only_to_put_it_out=round((outputs[count].us - outputs[100].us) / more, 3),
            )


class Output(NamedTuple):
    """ids: rule ids that one event gets; us: microseconds it takes to put them out when they are known: the least that
    any matcher needs for them."""

    ids: float
    us: float


def _output(matcher: Matcher, events: list[bytes]) -> Output:
    known = [tuple(matcher.match(Event.from_json(event))) for event in events]
    took = []
    for _ in range(REPETITIONS):
        began = time.process_time()
        for ids in known:
            sorted(ids)
        took.append(time.process_time() - began)
    return Output(statistics.mean(map(len, known)), 1e6 * statistics.median(took) / len(known))


def _us(rates: list[float]) -> float:
    return 1e6 / statistics.median(rates)


def _changes(matcher: Matcher, tenants: Tenants) -> None:
    """Milliseconds from a saved rule to a matcher that has it, and from a removed one to a matcher without it."""
    added, removed = [], []
    for number in range(20):
        rule = tenants.rule()
        began = time.process_time()
        changed = matcher.with_changes([(1_000_000 + number, rule)], [])
        added.append(1000 * (time.process_time() - began))
        began = time.process_time()
        changed.with_changes([], [1_000_000 + number, 5 * number])
        removed.append(1000 * (time.process_time() - began))
    limit = [5.0] * len(added)
    for what, took in (("adding", added), ("removing", removed)):
        figure(f"matching, {what} one of 100,000 rules", took, limit, "5 ms", 1, "ms", at_most=True)


def _memory() -> None:
    for count in (10_000, 50_000):
        tenants = Tenants(count, hot=False, seed=1)
        rules = [tenants.rule() for _ in range(count)]
        gc.collect()
        tracemalloc.start()
        matcher = compile(enumerate(rules))
        gc.collect()
        used = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert len(matcher) == count
        figure(
            f"matching, memory at {count:,} rules",
            [used / count],
            [2048],
            "2 KiB",
            1,
            "bytes per rule",
            at_most=True,
        )


def _hostile() -> None:
    """Milliseconds for the worst events and rules we know, 10,000 rules each."""
    for case in hostile.cases(rules=10_000):
        matcher = compile(enumerate(case.rules))
        matcher.match(case.event())  # what is made on first use
        took = []
        for _ in range(3):
            event = case.event()
            began = time.process_time()
            matcher.match(event)
            took.append(1000 * (time.process_time() - began))
        figure(f"matching, hostile: {case.name}", took, [50.0] * 3, "50 ms", 1, "ms", at_most=True)


def run(towns: Towns) -> None:
    """The figures of the matcher; about two minutes."""
    _workload(hot=False)
    _workload(hot=True)
    _memory()
    _hostile()
