"""How much work a schema makes, before any event is checked with it.

A schema of a few lines may ask for more steps than there are atoms: alternatives within alternatives, each of which
looks at the same value again. What is counted here is how often schemas are applied to one value of an event: to the
whole (level 0), to a member of it (level 1) and so on. The count is never below what the validator does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from catalog.schemas.graph import Node, SchemaGraph
from catalog.schemas.text import pointer_of

# Steps that one check may take: measured 10 to 100 million a second.
STEPS = 10_000_000
# Steps for the whole value alone, and levels an event must be allowed to have.
STEPS_OF_A_VALUE = 2_000_000
LEAST_LEVELS = 6
# Schemas that look at the same value, one inside the other. Each costs stack; at 200 within 100 levels it ran out.
CHAIN = 64
# Deeper events do not come in.
LEVELS = 128
# Operations that the counting itself may take, about half a second.
_COUNTING = 400_000
_METASCHEMA = 200


@dataclass(frozen=True)
class Cost:
    """What a check takes.

    steps: for a value at each level; the last one holds for all further levels when `endless`, else nothing is
    looked at below. alternatives: the most anyOf and oneOf that stand within each other for one value.
    """

    steps: tuple[int, ...]
    endless: bool
    alternatives: int

    @cached_property
    def guarded(self) -> bool:
        """Whether an event has to be measured before it is checked.

        The whole value is only one: what it takes was bounded when the schema was saved.
        """
        return max(self.steps[1:], default=0) > 64

    @cached_property
    def cut(self) -> bool:
        """Whether the counting ended before the schema did."""
        return self.steps[-1] > STEPS

    def of(self, value: Any) -> int:
        """At most how many steps a check of `value` takes; counting ends above STEPS."""
        total, level, here = 0, 0, [value]
        while here and total <= STEPS:
            if level < len(self.steps):
                total += self.steps[level] * len(here)
            elif self.endless or self.cut:
                total += self.steps[-1] * len(here)
            else:
                break
            here = [
                child
                for one in here
                if isinstance(one, dict | list)
                for child in (one.values() if isinstance(one, dict) else one)
            ]
            level += 1
        return total


class TooCostly(ValueError):
    """The schema cannot be checked in bounded time; `pointer` is where, the message says why and what to do."""

    def __init__(self, message: str, pointer: str) -> None:
        super().__init__(message)
        self.pointer = pointer


def cost_of(graph: SchemaGraph) -> Cost:
    """The cost of the whole. Raises TooCostly for a schema that leads back to itself without looking deeper, too."""
    return _Counting(graph).cost()


class _Counting:
    def __init__(self, graph: SchemaGraph) -> None:
        self.nodes = graph.nodes
        self.left = _COUNTING
        self.same = [_same(node) for node in self.nodes]
        self.own = [_own(node) for node in self.nodes]
        self.order = self._order()

    def _order(self) -> list[int]:
        """The nodes that the whole reaches, each after those that look at the same value with it."""
        order: list[int] = []
        state = [0] * len(self.nodes)
        roots = [0]
        while roots:
            trail: list[tuple[int, int]] = [(roots.pop(), 0)]
            if state[trail[0][0]]:
                continue
            state[trail[0][0]] = 1
            while trail:
                at, next_one = trail[-1]
                if next_one == len(self.same[at]):
                    trail.pop()
                    state[at] = 2
                    order.append(at)
                    roots.extend(child for inner, child in self.nodes[at].inner if inner.place == "child")
                    continue
                child = self.same[at][next_one]
                if state[child] == 1:
                    # Which anchor a dynamic reference means is known only while checking: it may be no circle.
                    if not _is_dynamic(self.nodes[at], child):
                        self._circle([one for one, _ in trail], child)
                    del self.same[at][next_one]
                    continue
                trail[-1] = (at, next_one + 1)
                if state[child] == 0:
                    state[child] = 1
                    trail.append((child, 0))
        return order

    def _circle(self, trail: list[int], back: int) -> None:
        circle = trail[trail.index(back) :]
        names = [pointer_of(self.nodes[one].path) or "#" for one in circle]
        shown = " → ".join([*names[:6], *(["…"] if len(names) > 6 else []), names[0]])
        place = next((one for one in circle if self.nodes[one].references), back)
        raise TooCostly(
            f"This leads back to itself without looking at anything: {shown}. Remove one of these references, or "
            "put it under properties or items.",
            pointer_of(self.nodes[place].path),
        )

    def cost(self) -> Cost:
        alternatives = self._chains()
        steps: list[int] = []
        level = self._first()
        while True:
            steps.append(level[0])
            if level[0] > STEPS:
                break
            if self.left < 0:
                steps.append(STEPS + 1)
                break
            further = self._next(level)
            if not any(further.values()):
                break
            if further == level or len(steps) == LEVELS:
                self._check(steps, True)
                return Cost(tuple(steps), True, alternatives)
            level = further
        self._check(steps, False)
        return Cost(tuple(steps), False, alternatives)

    def _check(self, steps: list[int], endless: bool) -> None:
        if steps[0] > STEPS_OF_A_VALUE:
            self._refuse(
                "alternatives or allOf within each other apply more than two million schemas to one value"
            )
        if not endless and steps[-1] > STEPS and len(steps) <= LEAST_LEVELS:
            self._refuse("schemas that contain each other multiply with each level of the event")

    def _refuse(self, why: str) -> None:
        raise TooCostly(f"Checking one event with this schema could take for ever: {why}. Simplify it.", "")

    def _chains(self) -> int:
        """Refuses what runs out of stack; tells how many alternatives stand within each other."""
        length: dict[int, int] = {}
        choices: dict[int, int] = {}
        for at in self.order:
            below = self.same[at]
            schema = self.nodes[at].schema
            chooses = isinstance(schema, dict) and ("anyOf" in schema or "oneOf" in schema)
            length[at] = 1 + max((length[one] for one in below), default=0)
            choices[at] = chooses + max((choices[one] for one in below), default=0)
            if length[at] > CHAIN:
                raise TooCostly(
                    f"More than {CHAIN} schemas refer to each other for the same value. Shorten the chain.",
                    pointer_of(self.nodes[at].path),
                )
        return max(choices.values())

    def _first(self) -> dict[int, int]:
        steps: dict[int, int] = {}
        for at in self.order:
            total = self.own[at]
            for one in self.same[at]:
                total += steps[one]
            if _looks_back(self.nodes[at]):
                total += total
            steps[at] = min(total, STEPS + 1)
        return steps

    def _next(self, level: dict[int, int]) -> dict[int, int]:
        """The steps one level deeper: of the member or entry that most schemas look at."""
        members, entries = self._shares(level, _MEMBERS), self._shares(level, _ENTRIES)
        return {at: min(max(members[at], entries[at]), STEPS + 1) for at in self.order}

    def _shares(self, level: dict[int, int], keywords: _Keywords) -> dict[int, int]:
        shares: dict[int, tuple[int, dict[str | int, int]]] = {}
        for at in self.order:
            every, named = _below(self.nodes[at], level, keywords)
            for one in self.same[at]:
                below, below_named = shares[one]
                for name in below_named.keys() - named.keys():
                    named[name] = every
                for name in named:
                    named[name] += below_named.get(name, below)
                every += below
                self.left -= 1 + len(named)
            if _looks_back(self.nodes[at]):
                every, named = every * 2, {name: one * 2 for name, one in named.items()}
            self.left -= 1 + len(named)
            shares[at] = every, named
        return {at: max(every, max(named.values(), default=0)) for at, (every, named) in shares.items()}


class _Keywords(NamedTuple):
    """Which keywords look at the members of an object, or at the entries of an array."""

    named: frozenset[str]
    others: frozenset[str]
    every: frozenset[str]


_MEMBERS = _Keywords(
    frozenset({"properties"}),
    frozenset({"additionalProperties"}),
    frozenset({"patternProperties", "unevaluatedProperties"}),
)
_ENTRIES = _Keywords(
    frozenset({"prefixItems"}),
    frozenset({"items", "additionalItems"}),
    frozenset({"contains", "unevaluatedItems"}),
)


def _below(node: Node, level: dict[int, int], keywords: _Keywords) -> tuple[int, dict[str | int, int]]:
    """The steps for any member that has no schema of its own, and for those that have one, by name or index."""
    every = others = 0
    named: dict[str | int, int] = {}
    for inner, child in node.inner:
        if inner.keyword in keywords.named or ("items" in keywords.others and isinstance(inner.key, int)):
            if inner.place == "child" and inner.key is not None:
                named[inner.key] = named.get(inner.key, 0) + level[child]
        elif inner.place == "child" and inner.keyword in keywords.others:
            others += level[child]
        elif inner.place == "child" and inner.keyword in keywords.every:
            # A pattern is tried on every name, which is slower than a step.
            every += level[child] + 2 * (inner.keyword == "patternProperties")
    return every + others, {name: steps + every for name, steps in named.items()}


def _same(node: Node) -> list[int]:
    found = [child for inner, child in node.inner if inner.place == "same"]
    for reference in node.references:
        found.extend(reference.targets)
    return found


def _is_dynamic(node: Node, target: int) -> bool:
    return not any(target in one.targets for one in node.references if one.keyword == "$ref") and not any(
        child == target for inner, child in node.inner if inner.place == "same"
    )


def _own(node: Node) -> int:
    """The steps of the keywords themselves."""
    schema = node.schema
    if not isinstance(schema, dict):
        return 1
    steps = 1 + len(schema) // 4
    options = schema.get("enum")
    if isinstance(options, list) and any(not isinstance(one, str) for one in options):
        # Texts are looked up; all else is compared, one after the other.
        steps += 10 * len(options)
    steps += _METASCHEMA * sum(not one.targets for one in node.references)
    return steps


def _looks_back(node: Node) -> bool:
    """Whether what was looked at is asked for again."""
    return isinstance(node.schema, dict) and (
        "unevaluatedProperties" in node.schema or "unevaluatedItems" in node.schema
    )
