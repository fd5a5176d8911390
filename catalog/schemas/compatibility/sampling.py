"""Values that a merged schema accepts, the plain ones first. A value may still be wrong: validate it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from math import ceil, floor
from typing import Any

from catalog.schemas.compatibility.budget import Budget
from catalog.schemas.compatibility.normal import Schema
from catalog.schemas.compatibility.patterns import finds, texts
from catalog.schemas.compatibility.reading import Document, types_of, value_key

DEPTH = 150
LONGEST = 20_000  # entries or characters of one value
LONGEST_CHECKED = 1000  # where each one more costs more than the one before: patterns, distinct entries
FORMATS = {
    "date-time": "2026-01-31T12:00:00Z", "date": "2026-01-31", "time": "12:00:00Z", "duration": "P1D",
    "email": "someone@example.com", "idn-email": "someone@example.com", "hostname": "example.com",
    "idn-hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uri": "https://example.com/",
    "uri-reference": "/a", "iri": "https://example.com/", "iri-reference": "/a", "uri-template": "/a/{b}",
    "uuid": "00000000-0000-4000-8000-000000000000", "json-pointer": "/a", "relative-json-pointer": "0",
    "regex": "a",
}  # fmt: skip
TEXTS = ("text", "", "a", "A", "1", "é", "true", "two words", "%", "{", " ")
NUMBERS = (0, 1, -1, 2, 7, 100, -100, 1_000_000)
FRACTIONS = (0.5, 1.5, -0.5, 0.01, 12.34)


class Sampler:
    """Makes values of one merged document."""

    def __init__(self, document: Document, budget: Budget) -> None:
        self.document = document
        self.budget = budget

    def first(self, schema: Schema, depth: int = 0) -> Any:
        """The plainest value. Raises NoValue when none was worked out."""
        for value in self.values(schema, depth):
            return value
        raise NoValue

    def values(self, schema: Schema, depth: int = 0) -> Iterator[Any]:
        """Values of `schema`, a few of each kind."""
        self.budget.step()
        if schema is False or depth > DEPTH:
            return
        if schema is True:
            yield from ("text", 1, None, True, {}, [], 1.5)
            return
        if "$ref" in schema:
            yield from self.values(self.document.follow(schema["$ref"]), depth + 1)
            return
        for word in ("anyOf", "oneOf"):
            if word in schema:
                ways = [self.values(branch, depth + 1) for branch in schema[word]]
                # One of each branch first, so that every alternative is shown.
                for way in ways:
                    yield from islice(way, 1)
                for way in ways:
                    yield from islice(way, 12)
                return
        if "$defs" in schema:
            for child in schema.get("allOf", ()):
                yield from self.values(child, depth + 1)
            if "type" not in schema:
                return
        if "enum" in schema or "const" in schema:
            yield from schema.get("enum", [schema.get("const")])
            return
        yield from self._by_type(schema, depth)

    def _by_type(self, schema: dict[str, Any], depth: int) -> Iterator[Any]:
        types = types_of(schema)
        makers: dict[str, Callable[[], Iterator[Any]]] = {
            "object": lambda: self.objects(schema, depth),
            "string": lambda: strings(schema),
            "integer": lambda: numbers(schema, whole="number" not in types),
            "array": lambda: self.arrays(schema, depth),
            "boolean": lambda: iter((True, False)),
            "null": lambda: iter((None,)),
        }
        if "number" in types:
            makers["integer"] = lambda: numbers(schema, whole=False)
        ways = [make() for name, make in makers.items() if name in types]
        if len(ways) > 1:
            for way in ways:
                yield from islice(way, 1)
        for way in ways:
            yield from islice(way, 40)

    def objects(self, schema: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
        """The object with what is required, then with everything, then with one member in another form."""
        try:
            least = {
                name: self.first(self.member(schema, name), depth + 1) for name in schema.get("required", ())
            }
        except NoValue:
            return
        needs = schema.get("dependentRequired", {})
        for name in list(least):
            for needed in needs.get(name, ()):
                if needed not in least:
                    try:
                        least[needed] = self.first(self.member(schema, needed), depth + 1)
                    except NoValue:
                        return
        least = self.padded(schema, least, depth)
        yield least
        full = dict(least)
        for name in list(schema.get("properties", ()))[:60]:
            if name not in full and depth < 6:
                try:
                    full[name] = self.first(self.member(schema, name), depth + 1)
                except NoValue:
                    continue
        if len(full) <= schema.get("maxProperties", len(full)):
            yield full
        if depth < 6:
            for name in list(schema.get("properties", ()))[:60]:
                for value in islice(self.values(self.member(schema, name), depth + 1), 1, 4):
                    yield {**least, name: value}
                if name not in least and name in full:
                    yield {**least, name: full[name]}
        if schema.get("additionalProperties", True) is not False:
            yield {**least, "unknown": "text"}

    def padded(self, schema: dict[str, Any], value: dict[str, Any], depth: int) -> dict[str, Any]:
        """`value` with as many members more as minProperties wants."""
        found = dict(value)
        least = schema.get("minProperties", 0)
        names = [*schema.get("properties", ())]
        names += [text for pattern in schema.get("patternProperties", ()) for text in texts(pattern)]
        names += [f"member{number}" for number in range(min(least, LONGEST))]
        for name in names:
            if len(found) >= least:
                break
            if name not in found:
                try:
                    found[name] = self.first(self.member(schema, name), depth + 1)
                except NoValue:
                    continue
        return found

    def member(self, schema: dict[str, Any], name: str) -> Schema:
        """The schema of a member of a merged object."""
        if name in schema.get("properties", ()):
            return schema["properties"][name]
        for pattern, child in schema.get("patternProperties", {}).items():
            if finds(pattern, name):
                return child
        return schema.get("additionalProperties", True)

    def arrays(self, schema: dict[str, Any], depth: int) -> Iterator[list[Any]]:
        """The shortest array, then longer ones and ones with other entries."""
        least = schema.get("minItems", 0)
        if least > (LONGEST_CHECKED if schema.get("uniqueItems") else LONGEST):
            return
        most = schema.get("maxItems", LONGEST)
        prefix, items = schema.get("prefixItems", []), schema.get("items", True)
        contains = schema.get("contains")
        options = list(islice(self.values(items, depth + 1), 12)) if depth < 8 else []
        if isinstance(contains, dict):
            count = schema.get("minContains", 1)
            try:
                wanted = [self.first(contains, depth + 1)] * min(count, LONGEST)
                least, prefix = max(least, count), prefix or [{"enum": [one]} for one in wanted]
            except NoValue:
                pass
        base: list[Any] = []
        for index in range(max(least, min(len(prefix), most))):
            pool = list(islice(self.values(prefix[index], depth + 1), 1)) if index < len(prefix) else options
            if not pool:
                break
            base.append(_another(base, pool, index) if schema.get("uniqueItems") else pool[0])
        if least == 0:
            yield []
        if len(base) >= least:
            yield base[:least]
            yield base
            for value in options[:6]:
                if len(base) < most:
                    yield [*base, value]
                elif base and len(prefix) < len(base):
                    yield [*base[:-1], value]
            if len(options) > 1 and len(base) + 2 <= most:
                yield [*base, options[0], options[0]]
                yield [*base, options[0], options[1]]
            for index in range(min(len(prefix), len(base))):
                for value in islice(self.values(prefix[index], depth + 1), 1, 3):
                    yield [*base[:index], value, *base[index + 1 :]]
            for length in {most, least + 1, least + 2}:
                if base and len(base) < length <= min(most, LONGEST) and not schema.get("uniqueItems"):
                    yield [*base, *([options[0]] * (length - len(base)) if options else [])]


class NoValue(Exception):
    """No value was worked out; there may still be one."""


def _another(before: list[Any], pool: list[Any], index: int) -> Any:
    taken = {value_key(value) for value in before}
    for value in pool:
        if value_key(value) not in taken:
            return value
    last = pool[0]
    return f"{last}{index}" if isinstance(last, str) else index + 1000 if isinstance(last, int) else last


def strings(schema: dict[str, Any]) -> Iterator[str]:
    """Texts for length, pattern and format."""
    longest = LONGEST_CHECKED if "pattern" in schema or "allOf" in schema else LONGEST
    least = schema.get("minLength", 0)
    most = min(schema.get("maxLength", longest), longest)
    if least > most:
        return
    found: list[str] = []
    for pattern in [schema.get("pattern"), *(one.get("pattern") for one in schema.get("allOf", ()))]:
        if isinstance(pattern, str):
            found.extend(texts(pattern))
            # An unanchored pattern allows more around it.
            found.extend(
                f"{text}{'a' * (least - len(text))}" for text in texts(pattern)[:2] if len(text) < least
            )
    if schema.get("format") in FORMATS:
        found.append(FORMATS[schema["format"]])
    found.extend(TEXTS)
    for length in (least, min(most, least + 1), min(schema.get("maxLength", least + 40), most)):
        found.extend(letter * length for letter in ("a", "1", "A"))
    for text in dict.fromkeys(found):
        if least <= len(text) <= most:
            yield text


def numbers(schema: dict[str, Any], whole: bool) -> Iterator[float]:
    """Numbers at and near the bounds, multiples where they are wanted."""
    low, high = schema.get("minimum"), schema.get("maximum")
    above, under = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    step = schema.get("multipleOf")
    near = [bound for bound in (low, above, high, under) if bound is not None]
    found: list[float] = list(NUMBERS)
    for bound in near:
        found += [bound, bound + 1, bound - 1, ceil(bound), floor(bound)]
        if step:
            found += [ceil(bound / step) * step, (ceil(bound / step) + 1) * step, floor(bound / step) * step]
            found += [(floor(bound / step) - 1) * step]
    if (low is not None and high is not None) or (above is not None and under is not None):
        found.append((near[0] + near[-1]) / 2)
    if step:
        found += [step * factor for factor in (0, 1, 2, 3, 5, 7, -1)]
    if not whole:
        found += [*FRACTIONS, *(bound + by for bound in near for by in (0.5, -0.5, 0.01, -0.01))]
    seen: set[str] = set()
    for number in found:
        if isinstance(number, float) and number.is_integer() and abs(number) < 1e15:
            number = int(number)
        if whole and not isinstance(number, int):
            continue
        fits = (
            (low is None or number >= low)
            and (high is None or number <= high)
            and (above is None or number > above)
            and (under is None or number < under)
        )
        if fits and str(number) not in seen:
            seen.add(str(number))
            yield number
