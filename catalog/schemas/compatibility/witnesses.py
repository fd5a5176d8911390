"""The search for a value that a writer may send and a reader refuses.

For a finding: values of its place that show it, put into a whole value of the writer or into an example event at that
place. Every value is tried on the whole schemas; only what the writer accepts and the reader rejects counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from catalog.schemas.compatibility.budget import Budget, Exhausted
from catalog.schemas.compatibility.findings import Finding, Step
from catalog.schemas.compatibility.merging import Merger
from catalog.schemas.compatibility.normal import Schema, Unsupported
from catalog.schemas.compatibility.proving import Prover
from catalog.schemas.compatibility.reading import Document, value_key
from catalog.schemas.compatibility.sampling import LONGEST, NoValue, Sampler

TRIES = 400
SECOND = 12  # values that show something else too, before one of them is taken
MISSING = object()
POOL: tuple[Any, ...] = (
    "text", 1, None, True, 1.5, {}, [], "", 0, -1, False, "zzzzzzzzzzzzzzzzzzzz", 1_000_000, {"unknown": 1}, [1], ["a"],
    [1, 1], [1, "a", None], "A1!", "!", -1.5, 0.001, [None], [{}],
)  # fmt: skip


class Search:
    """Searches values for the findings of one direction. `shows(value)` tells whether a value is what is wanted.

    `relation(finding, value)` tells whether it is refused for what the finding says: 2 only for that, 1 also, 0 not.
    """

    def __init__(
        self,
        writer: Document,
        reader: Document,
        prover: Prover,
        shows: Callable[[Any], bool],
        relation: Callable[[Finding, Any], int],
        examples: Sequence[Any],
        budget: Budget,
    ) -> None:
        self.writer = writer
        self.reader = reader
        self.prover = prover
        self.shows = shows
        self.relation = relation
        self.examples = examples
        self.budget = budget
        self.sampler = Sampler(writer, budget)

    def known(self) -> Iterator[Any]:
        """The examples that show a break as they are."""
        for value in self.examples:
            self.budget.step()
            if self.shows(value):
                yield value

    def for_finding(self, finding: Finding) -> tuple[bool, Any]:
        """Whether a value was found, and the value: one with nothing else wrong where there is one. Raises Exhausted."""
        return self._first(self._whole_values(finding), finding)

    def anywhere(self) -> tuple[bool, Any]:
        """The same without a place to look at: what the prover says remains, then plain values of the writer."""
        return self._first(self._all_values())

    def _first(self, values: Iterator[Any], finding: Finding | None = None) -> tuple[bool, Any]:
        second: list[Any] = []
        try:
            for value in self._distinct(values):
                if self.shows(value):
                    related = 2 if finding is None else self.relation(finding, value)
                    if related == 2:
                        return True, value
                    second += [value] if related else []
                    if len(second) >= SECOND:
                        break
        except Exhausted:
            if not second:
                raise
        return (True, second[0]) if second else (False, None)

    def _distinct(self, values: Iterator[Any]) -> Iterator[Any]:
        tried: set[str] = set()
        for value in islice(values, TRIES * 4):
            key = value_key(value)
            if key not in tried:
                if len(tried) >= TRIES:
                    return
                tried.add(key)
                self.budget.step()
                yield value

    def _all_values(self) -> Iterator[Any]:
        yield from self._remaining(self.writer.root, self.reader.root)
        yield from islice(self.sampler.values(self.writer.root), 200)
        yield from POOL
        yield from self._of_reader(self.reader.root)

    def _remaining(self, narrow: Schema, wide: Schema) -> Iterator[Any]:
        """Values of what the prover says the writer sends and the reader refuses."""
        left = self.prover.difference(self.writer.standing_alone(narrow), self.reader.standing_alone(wide))
        if left is None or left is False:
            return
        yield from islice(self._sampled(left), 60)

    def _of_reader(self, reader: Schema) -> Iterator[Any]:
        """Values of the reader's own alternatives: where two of them meet, a oneOf refuses."""
        yield from islice(self._sampled(self.reader.standing_alone(reader)), 60)

    def _sampled(self, schema: Schema) -> Iterator[Any]:
        if isinstance(schema, dict):
            schema = {word: value for word, value in schema.items() if word != "$schema"}
        try:
            merged = Merger(Document(schema), closing=False, budget=self.budget).merged()
        except (Unsupported, RecursionError, KeyError):
            return
        yield from Sampler(merged, self.budget).values(merged.root)

    # ── values for a finding ──

    def _whole_values(self, finding: Finding) -> Iterator[Any]:
        bad = list(islice(self._bad_values(finding), 48))
        for value in bad:
            for example in self.examples[:4]:
                yield from self._patched(example, finding.trail, finding.steps, value)
            yield from self._lifted(finding.trail, finding.steps, value)
        if not finding.steps:
            yield from self.examples

    def _bad_values(self, finding: Finding) -> Iterator[Any]:
        """Values for the place itself, the likely ones first."""
        yield from finding.values
        for inner in self._inner(finding.steps):
            if isinstance(inner, dict) and finding.word in ("required", "dependentRequired"):
                yield {name: value for name, value in inner.items() if name != finding.wanted}
            elif isinstance(inner, dict) and finding.word in (
                "additionalProperties",
                "unevaluatedProperties",
            ):
                yield {**inner, "unknown": "text"}
        writer = finding.writer
        match finding.word:
            case "required" | "dependentRequired":
                yield from self._without(writer, finding.wanted)
            case "additionalProperties" | "unevaluatedProperties" | "propertyNames" if finding.wanted is None:
                for value in islice(self.sampler.values(writer), 4):
                    if isinstance(value, dict):
                        yield from ({**value, "unknown": more} for more in ("text", 1))
            case "minItems" | "maxItems" | "uniqueItems" | "maxProperties" | "minProperties":
                yield from self._counted(writer, finding)
        yield from self._remaining(writer, finding.reader)
        yield from islice(self.sampler.values(writer), 40)
        yield from self._of_reader(finding.reader)
        yield from POOL

    def _inner(self, steps: tuple[Step, ...]) -> Iterator[Any]:
        """What the examples hold at a place."""
        for example in self.examples[:4]:
            inner = example
            for step in steps:
                inner = _inside(inner, step)
            if inner is not MISSING:
                yield inner

    def _without(self, writer: Schema, name: str) -> Iterator[Any]:
        if isinstance(writer, dict):
            for value in islice(self.sampler.objects({**writer, "type": "object"}, 0), 4):
                yield {key: one for key, one in value.items() if key != name}

    def _counted(self, writer: Schema, finding: Finding) -> Iterator[Any]:
        wanted = finding.wanted if isinstance(finding.wanted, int) else 1
        if not isinstance(writer, dict) or wanted > LONGEST:
            return
        over: dict[str, Any] = {
            "maxItems": {"minItems": wanted + 1, "type": "array"},
            "minItems": {"maxItems": wanted - 1, "type": "array"},
            "uniqueItems": {"minItems": max(2, writer.get("minItems", 0)), "type": "array"},
            "maxProperties": {"minProperties": wanted + 1, "type": "object"},
            "minProperties": {"type": "object"},
        }
        plain = {**writer, **over[finding.word]}
        if finding.word == "uniqueItems":
            for value in islice(self.sampler.values(plain), 6):
                if isinstance(value, list) and value:
                    yield [*value[:-1], value[0]] if len(value) > 1 else value * 2
        yield from islice(self.sampler.values(plain), 12)

    def _lifted(
        self, trail: tuple[dict[str, Any], ...], steps: tuple[Step, ...], value: Any
    ) -> Iterator[Any]:
        """`value` inside the least whole value of the writer that can hold it, then inside a fuller one."""
        for full in (False, True):
            whole = value
            try:
                for plain, step in zip(reversed(trail), reversed(steps), strict=True):
                    whole = self._around(plain, step, whole, full)
            except NoValue:
                continue
            yield whole
            if not steps:
                return

    def _around(self, plain: dict[str, Any], step: Step, value: Any, full: bool) -> Any:
        kind, key = step
        if kind == "entry":
            assert isinstance(key, int)
            least = max(key + 1, min(plain.get("minItems", 0), LONGEST))
            found = [value]
            for array in islice(self.sampler.arrays({**plain, "minItems": least}, 0), 3):
                if len(array) >= least:
                    found = array
                    break
            return [*found[:key], value, *found[key + 1 :]]
        limited = {word: one for word, one in plain.items() if word != "enum"}
        limited["required"] = [name for name in plain.get("required", ()) if name != key]
        options = list(islice(self.sampler.objects({**limited, "type": "object"}, 0), 2 if full else 1))
        if not options:
            raise NoValue
        return {**options[-1], str(key): value}

    def _patched(
        self, example: Any, trail: tuple[dict[str, Any], ...], steps: tuple[Step, ...], value: Any
    ) -> Iterator[Any]:
        """`example` with `value` at the place, as far as the example has the place."""
        if not steps:
            return
        kind, key = steps[0]
        if kind == "entry" and isinstance(example, list) and isinstance(key, int):
            inner = example[key] if key < len(example) else MISSING
            for found in self._below(inner, trail, steps, value):
                yield [*example[:key], found, *example[key + 1 :]]
        elif kind != "entry" and isinstance(example, dict):
            for found in self._below(example.get(str(key), MISSING), trail, steps, value):
                yield {**example, str(key): found}

    def _below(
        self, inner: Any, trail: tuple[dict[str, Any], ...], steps: tuple[Step, ...], value: Any
    ) -> Iterator[Any]:
        if len(steps) == 1:
            yield value
        elif inner is MISSING:
            yield from islice(self._lifted(trail[1:], steps[1:], value), 1)
        else:
            yield from self._patched(inner, trail[1:], steps[1:], value)


def _inside(value: Any, step: Step) -> Any:
    kind, key = step
    if kind == "entry" and isinstance(key, int) and isinstance(value, list) and key < len(value):
        return value[key]
    return value.get(key, MISSING) if kind != "entry" and isinstance(value, dict) else MISSING
