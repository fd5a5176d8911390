"""The matcher: bytes in, rule ids out, against a plain scan of the same rules and against what else Python offers.

Rules and events look like those of a bus with many tenants. "selective": types and sources grow with the rules, as
tenants do, so an event is for one to three rules; "hot": 500 types whatever the number of rules, so the number of
rules that match grows too. One core, CPU time.
"""

from __future__ import annotations

import gc
import importlib
import json
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from rules.engine import Event, Matcher, compile
from rules.engine.event import ABSENT
from rules.engine.index import IndexedBranch, met
from rules.engine.leaves import Leaves
from tests.benchmarks.figures import figure, note
from tests.processes import Towns
from tests.unit.engine import hostile

REPETITIONS = 5
EVENTS = 1500
SECONDS = 1.5  # for each measurement of something slow

AREAS = "orders payments shipping stock users billing catalog search fraud support devices media access points".split()
VERBS = (
    "created updated deleted approved rejected failed completed expired assigned archived cancelled".split()
)
REGIONS = "eu-north-1 eu-west-1 us-east-1 us-west-2 cn-hangzhou cn-shanghai ap-south-1 sa-east-1".split()
STATES = "new pending paid shipped delivered returned cancelled failed held review".split()
CURRENCIES = "SEK NOK EUR USD CNY GBP JPY INR".split()
COUNTRIES = "SE NO DE FR GB US CN JP IN BR ES IT MX CA AU NL".split()
TIERS = "free basic silver gold platinum".split()
CARRIERS = "dhl ups fedex postnord sf-express usps gls dpd".split()
TAGS = "fresh sale fragile bulky gift eco".split()
ENDINGS = ["", ".json", ".pdf", ".png"]
NETWORKS = [10, 172, 192, 203]

Pattern = dict[str, Any]


class Tenants:
    """Rules and events of a bus; the same seed gives the same ones."""

    def __init__(self, rules: int, hot: bool, seed: int) -> None:
        self._random = random.Random(seed)
        names = random.Random(99)
        self._types = [
            f"com.example.{names.choice(AREAS)}.{names.choice(AREAS)[:-1]}{number}.{names.choice(VERBS)}"
            for number in range(500 if hot else max(500, rules // 4))
        ]
        self._sources = [
            f"/tenants/t{number}/{AREAS[number % len(AREAS)]}/{names.choice(REGIONS)}"
            for number in range(200 if hot else max(200, rules // 20))
        ]

    def event(self) -> bytes:
        """About 850 bytes, in CloudEvents JSON format; a few types and sources send most of them."""
        draw = self._random
        kind = self._types[int(len(self._types) * draw.random() ** 2)]
        source = self._sources[int(len(self._sources) * draw.random() ** 2)]
        items = [
            {
                "sku": f"SKU-{draw.randrange(5000):05d}",
                "quantity": draw.randrange(1, 9),
                "price": round(draw.random() * 300, 2),
                "tags": draw.sample(TAGS, 2),
            }
            for _ in range(draw.choice([1, 1, 2, 2]))
        ]
        data = {
            "order": {
                "id": f"o-{draw.randrange(10**9)}",
                "amount": round(draw.random() * 10_000, 2),
                "currency": draw.choice(CURRENCIES),
                "status": draw.choice(STATES),
                "items": items,
            },
            "customer": {
                "id": f"c-{draw.randrange(100_000)}",
                "tier": draw.choice(TIERS),
                "country": draw.choice(COUNTRIES),
                "email": f"user{draw.randrange(10**5)}@example.org",
                "ip": f"{draw.choice(NETWORKS)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(1, 255)}",
            },
            "shipping": {
                "carrier": draw.choice(CARRIERS),
                "weight": draw.randrange(1, 50_000),
                "express": False,
            }
            if draw.random() < 0.8
            else None,
            "flags": {"test": draw.random() < 0.05, "retry": draw.randrange(5)},
        }
        if draw.random() < 0.3:
            data["coupon"] = f"CPN{draw.randrange(2000)}"
        event = {
            "specversion": "1.0",
            "id": f"{draw.getrandbits(128):032x}",
            "source": source,
            "type": kind,
            "subject": f"{kind.split('.')[2]}/{draw.randrange(10**6)}{draw.choice(ENDINGS)}",
            "time": f"2026-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}T08:{draw.randrange(60):02d}:00Z",
            "datacontenttype": "application/json",
            "dataschema": f"https://schemas.example.com/{kind}/v1.json",
            "region": draw.choice(REGIONS),
            "traceparent": f"00-{draw.getrandbits(128):032x}-{draw.getrandbits(64):016x}-01",
            "partitionkey": f"c{draw.randrange(100_000)}",
            "data": data,
        }
        return json.dumps(event, separators=(",", ":")).encode()

    def rule(self) -> Pattern:
        """One pattern: 57 in 100 exact, 13 numeric, 10 prefix, 4 suffix, 8 anything-but, 4 cidr, 2 exists, …"""
        draw = self._random
        share = draw.random()
        for limit, make in _MIX:
            if share < limit:
                return make(draw, lambda: draw.choice(self._types), lambda: draw.choice(self._sources))
        raise AssertionError("the shares of the mix end at 1")


Draw = random.Random
Pick = Callable[[], str]


def _data(**fields: Any) -> Pattern:
    return {"data": fields}


def _states(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    return {"type": [kind()], **_data(order={"status": draw.sample(STATES, draw.choice([1, 2]))})}


def _large(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    amount = [{"numeric": [">", draw.randrange(5000, 9900)]}]
    return {"type": [kind()], **_data(order={"amount": amount}, customer={"tier": [draw.choice(TIERS)]})}


def _narrow(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    low = round(draw.random() * 9990, 2)
    amount = [{"numeric": [">=", low, "<", round(low + 0.5 + draw.random() * 4.5, 2)]}]
    return _data(order={"amount": amount, "currency": [draw.choice(CURRENCIES)]})


def _prefixed(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    name = kind()
    prefix = name[: max(14, len(name) - draw.choice([0, 3, 6, 9]))]
    return {"type": [{"prefix": prefix}], "region": [draw.choice(REGIONS)]}


def _other_states(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    order = {"status": [{"anything-but": draw.sample(STATES, 2)}]}
    return {
        "type": [kind()],
        **_data(order=order, customer={"country": [{"anything-but": draw.choice(COUNTRIES)}]}),
    }


def _real(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    order = {"currency": [{"anything-but": [draw.choice(CURRENCIES)]}]}
    return {"source": [source()], **_data(flags={"test": [False]}, order=order)}


def _network(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    block = f"{draw.choice(NETWORKS)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(256)}"
    return _data(customer={"ip": [{"cidr": f"{block}/{draw.choice([24, 24, 26, 28, 30])}"}]})


def _coupon(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    coupon = [{"exists": draw.random() < 0.5}]
    return {"type": [kind()], **_data(coupon=coupon, shipping={"carrier": [draw.choice(CARRIERS)]})}


def _wildcard(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    wildcard = f"com.example.*.{kind().split('.')[3]}.*"
    return {"type": [{"wildcard": wildcard}], **_data(customer={"tier": draw.sample(TIERS, 2)})}


def _either(draw: Draw, kind: Pick, source: Pick) -> Pattern:
    items = {"sku": [f"SKU-{draw.randrange(5000):05d}"], "quantity": [{"numeric": [">=", 2]}]}
    best = {"source": [source()], **_data(customer={"tier": ["platinum"]})}
    return {"$or": [{"type": [kind()]}, best], **_data(order={"items": items})}


# (cumulated share, how such a pattern is made)
_MIX: list[tuple[float, Callable[[Draw, Pick, Pick], Pattern]]] = [
    (0.30, lambda draw, kind, source: {"type": [kind() for _ in range(draw.choice([1, 1, 1, 2, 3]))]}),
    (
        0.45,
        lambda draw, kind, source: {"source": [source()], "type": [kind(), kind()][: draw.choice([1, 2])]},
    ),
    (0.57, _states),
    (0.65, _large),
    (0.70, _narrow),
    (0.77, _prefixed),
    (
        0.80,
        lambda draw, kind, source: {
            "source": [{"prefix": source()}],
            **_data(customer={"country": [draw.choice(COUNTRIES)]}),
        },
    ),
    (
        0.84,
        lambda draw, kind, source: {
            "subject": [{"suffix": f"{draw.randrange(100_000):05d}{draw.choice(ENDINGS)}"}]
        },
    ),
    (0.89, _other_states),
    (0.92, _real),
    (0.96, _network),
    (0.98, _coupon),
    (0.99, _wildcard),
    (
        0.995,
        lambda draw, kind, source: _data(
            customer={"id": [{"equals-ignore-case": f"C-{draw.randrange(100_000)}"}]}
        ),
    ),
    (1.0, _either),
]


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


def scan(matcher: Matcher) -> Callable[[bytes], object]:
    """The plain way to do the same: decode and flatten once, then ask every rule."""
    [layer] = matcher._layers
    branches = [branch for rule in layer.rules.values() for branch in rule]

    def is_met(branch: IndexedBranch, leaves: Leaves) -> bool:
        members = leaves.members
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
        return not members or met(branch, leaves)

    def work(raw: bytes) -> object:
        leaves = Leaves(Event.from_json(raw))
        return {branch.rule_id for branch in branches if is_met(branch, leaves)}

    return work


def peers(rules: list[Pattern]) -> Iterator[tuple[str, Callable[[bytes], object]]]:
    """Other matchers that can be imported here; each asks one rule after the other, as its users do."""
    for name, module, make in (
        ("event-ruler (PyPI)", "event_ruler", _event_ruler),
        ("moto", "moto.events.models", _moto),
        ("localstack-core", "localstack.services.events.event_rule_engine", _localstack),
    ):
        try:
            found = importlib.import_module(module)
        except Exception as error:
            note(f"{name} is not measured: {type(error).__name__}: {error}")
            continue
        yield name, make(found, rules)


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


def _localstack(module: Any, rules: list[Pattern]) -> Callable[[bytes], object]:
    compiler, engine = module.EventPatternCompiler(), module.EventRuleEngine()
    patterns = [compiler.compile_event_pattern(json.dumps(rule)) for rule in rules]

    def work(raw: bytes) -> object:
        event = json.loads(raw)
        return [
            number
            for number, pattern in enumerate(patterns)
            if engine.evaluate_pattern_on_event(pattern, event)
        ]

    return work


# Rules → what the rate must be at least, as a multiple of a plain scan.
AGAINST_SCAN = {1: 0.5, 100: 5, 1000: 50, 10_000: 500, 100_000: 3000}
AGAINST_PEERS = {1: 1, 100: 20, 1000: 200}


def _workload(hot: bool) -> None:
    name = "hot" if hot else "selective"
    rates: dict[int, list[float]] = {}
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
        mine, plain = ours(matcher), scan(matcher)
        for event in events[:3]:
            assert set(mine(event)) == plain(event)  # type: ignore[call-overload]
        rate(mine, events)
        rates[count] = [rate(mine, events) for _ in range(REPETITIONS)]
        matched = statistics.mean(len(matcher.match(Event.from_json(event))) for event in events[:200])
        scanned = [rate_of_slow(plain, events)]
        figure(
            f"matching, {name}, {count:,} rules",
            [statistics.median(rates[count])],
            scanned,
            "a plain scan of the same rules",
            AGAINST_SCAN[count],
            "events/s of one core",
            build_us_per_rule=round(built / count * 1e6, 1),
            rules_met_per_event=round(matched, 1),
        )
        if count in AGAINST_PEERS and not hot:
            for peer, work in peers(rules):
                figure(
                    f"matching, {name}, {count:,} rules, against {peer}",
                    [statistics.median(rates[count])],
                    [rate_of_slow(work, events)],
                    peer,
                    AGAINST_PEERS[count],
                    "events/s of one core",
                )
        if count == 100_000 and not hot:
            _changes(matcher, tenants)
        gc.unfreeze()
    for count, goal in ((10_000, 0.4), (100_000, 0.3)):
        figure(
            f"matching, {name}, rate at {count:,} rules to rate at 100",
            rates[count],
            rates[100],
            "the matcher with 100 rules",
            goal,
            "events/s of one core",
        )


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
