"""Whether everything a writer may send fits a reader, place by place; and where it does not.

Sound: no finding means proved. A finding is a suspicion, to be shown by an example. A pair of places met again while
it is being compared counts as fitting: data is finite, so a break would have to show at some other place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import jsonschema_rs

from catalog.schemas.compatibility.budget import Budget
from catalog.schemas.compatibility.findings import Finding, Step
from catalog.schemas.compatibility.normal import OPAQUE, Schema, Unsupported
from catalog.schemas.compatibility.patterns import OPTIONS
from catalog.schemas.compatibility.proving import Prover
from catalog.schemas.compatibility.reading import TYPES, Document, text_of, type_of, types_of, value_key
from catalog.schemas.compatibility.structures import Structures

_LIMITS = {
    "integer": ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength", "pattern", "format"),
}
_SCALAR_WORDS = (*_LIMITS["integer"], *_LIMITS["string"], "enum")
Place = tuple[tuple[Step, ...], tuple[dict[str, Any], ...]]
ROOT: Place = ((), ())


class Comparison(Structures):
    """Compares the merged document of a writer with the document of a reader."""

    def __init__(self, writer: Document, reader: Document, prover: Prover, budget: Budget) -> None:
        self.writer = writer
        self.reader = reader
        self.prover = prover
        self.budget = budget
        self.findings: list[Finding] = []
        self._met: set[str] = set()
        self._active: set[tuple[str, int]] = set()
        self._validators: dict[str, Any] = {}

    def run(self) -> list[Finding]:
        """All findings; empty means proved. Raises Exhausted and Unsupported."""
        self.compare(self.writer.root, self.reader.root, ROOT)
        return self.findings

    @contextmanager
    def trial(self) -> Iterator[list[Finding]]:
        """Findings made inside are only the trial's; what it took for granted is forgotten when it made some."""
        findings, met = self.findings, self._met
        self.findings, self._met = [], set(met)
        try:
            yield self.findings
        finally:
            found, trial_met = self.findings, self._met
            self.findings, self._met = findings, met if found else trial_met

    def fits(self, writer: Schema, reader: Schema, place: Place = ROOT) -> bool:
        """Whether it is proved that what `writer` accepts `reader` accepts too."""
        with self.trial() as found:
            self.compare(writer, reader, place)
        return not found

    def compare(self, writer: Schema, reader: Schema, place: Place) -> None:
        """Adds what is found where `writer` (merged) meets `reader`."""
        self.budget.step()
        if (
            reader is True
            or writer is False
            or (isinstance(reader, dict) and not reader.keys() - {"$defs", "$schema"})
        ):
            return
        key = f"{text_of(_bare(writer))}\n{text_of(_bare(reader))}"
        here = (key, len(place[0]))
        if key in self._met:
            if here in self._active:
                raise Unsupported("alternatives that lead back to themselves")
            return
        self._met.add(key)
        self._active.add(here)
        for plain in self.plains(writer):
            self._case(plain, reader, place)
        self._active.discard(here)

    def plains(self, writer: Schema) -> list[dict[str, Any]]:
        """The cases of a merged place."""
        if writer is True:
            return [{}]
        if writer is False:
            return []
        if "$ref" in writer:
            return self.plains(self.writer.follow(writer["$ref"]))
        if "$defs" in writer:  # the root of a merged document
            return [case for child in writer["allOf"] for case in self.plains(child)]
        if "anyOf" in writer:
            return [case for child in writer["anyOf"] for case in self.plains(child)]
        return [writer]

    def _case(self, plain: dict[str, Any], reader: Schema, place: Place) -> None:
        parts = self.reader.parts([reader])
        values = plain.get("enum")
        if values is not None and not any(OPAQUE in atom for atom in parts.atoms):
            self._values(plain, values, reader, place)
            return
        if parts.impossible:
            self.found("false", place, plain, reader)
            return
        for atom in parts.atoms:
            own = {word: value for word, value in atom.items() if word not in ("$ref", "allOf")}
            self._atom(plain, own, place)
        for word, holder in parts.groups:
            self._group(word, holder, plain, place)

    def _values(self, plain: dict[str, Any], values: list[Any], reader: Schema, place: Place) -> None:
        """A place with few values: each is tried."""
        self.budget.step(1 + len(values) // 50)
        takes = self.taking(self.reader, reader)
        bad = tuple(value for value in values if not takes(value))
        if bad:
            sends = self.taking(self.writer, plain)
            bad = tuple(value for value in bad if sends(value))
        if bad:
            self.found("enum", place, plain, reader, values=bad)

    def taking(self, document: Document, schema: Schema) -> Callable[[Any], bool]:
        """Tells whether a value fits a part of `document`; for a mere list of values without a validator."""
        if isinstance(schema, dict) and schema and schema.keys() <= {"enum", "const", "type"}:
            types = types_of(schema)
            lists = [schema["enum"]] if "enum" in schema else []
            lists += [[schema["const"]]] if "const" in schema else []
            allowed = [frozenset(map(value_key, one)) for one in lists]
            return lambda value: type_of(value) in types and all(value_key(value) in one for one in allowed)
        validator = self.validator(document, schema)
        return lambda value: bool(validator.is_valid(value))

    def validator(self, document: Document, schema: Schema) -> Any:
        """The compiled validator of a part of `document`."""
        key = f"{id(document)}{text_of(_bare(schema))}"
        if key not in self._validators:
            self.budget.step(2)
            self._validators[key] = jsonschema_rs.Draft202012Validator(
                document.standing_alone(_bare(schema)),
                validate_formats=True,
                pattern_options=OPTIONS,
                offline=True,
            )
        return self._validators[key]

    def found(
        self, word: str, place: Place, plain: Schema, reader: Schema, wanted: Any = None, had: Any = None,
        values: tuple[Any, ...] = (),
    ) -> None:  # fmt: skip
        """Adds a finding."""
        steps, trail = place
        self.findings.append(Finding(steps, word, trail, plain, reader, wanted, had, values))

    # ── one object of keywords ──

    def _atom(self, plain: dict[str, Any], atom: dict[str, Any], place: Place) -> None:
        self.budget.step()
        types, taken = types_of(plain), types_of(atom)
        extra = types - taken
        if extra and not (
            ("number" in extra or "not" in plain) and self.covered(plain, {"type": atom["type"]})
        ):
            had = sorted(types - ({"integer"} if "number" in types else set()))
            wanted = atom.get("type", list(TYPES))
            self.found("type", place, {**plain, "type": sorted(extra)}, {"type": wanted}, wanted, had)
        if extra:
            types &= taken
            if not types:
                return
            plain = {**plain, "type": sorted(types)}
        if "enum" in atom or "const" in atom:
            self._scalar("enum", atom.get("enum", [atom.get("const")]), plain, place)
        for kind, words in _LIMITS.items():
            if kind in types or (kind == "integer" and "number" in types):
                for word in words:
                    if word in atom:
                        self._scalar(word, atom[word], plain, place)
        if OPAQUE in atom and "string" in types:
            for rule in atom[OPAQUE]:
                if rule not in plain.get(OPAQUE, ()):
                    self.found(rule.split()[0], place, plain, atom, values=("%", "a", "{"))
        if "object" in types:
            self.members(plain, atom, place)
        if "array" in types:
            self.entries(plain, atom, place)
        if "not" in atom:
            self._not(plain, atom["not"], place)

    def _scalar(self, word: str, wanted: Any, plain: dict[str, Any], place: Place) -> None:
        """One keyword about the value itself, decided by the prover from the writer's keywords of that kind."""
        had = plain.get(word)
        if (had is not None and text_of(had) == text_of(wanted)) or _is_weaker(word, wanted, had):
            return
        narrow = {key: plain[key] for key in ("type", *_SCALAR_WORDS) if key in plain}
        narrow |= {"allOf": [_scalars_of(one) for one in plain["allOf"]]} if "allOf" in plain else {}
        wide = {word: wanted}
        if self.prover.covers(wide, narrow):
            return
        # What the writer refuses with `not` is left out of the quick question.
        if "not" in plain and self.prover.covers(wide, self.writer.standing_alone(_bare(plain))):
            return
        self.found(word, place, plain, wide, wanted, had)

    def _not(self, plain: dict[str, Any], refused: Schema, place: Place) -> None:
        if text_of(plain.get("not")) == text_of(refused) or self.disjoint(plain, refused):
            return
        if not self.covered(plain, {"not": refused}):
            self.found("not", place, plain, {"not": refused})

    def covered(self, plain: dict[str, Any], reader: Schema) -> bool:
        """Whether the prover shows it, for what the comparison does not look into."""
        return bool(
            self.prover.covers(self.reader.standing_alone(reader), self.writer.standing_alone(_bare(plain)))
        )

    # ── alternatives of the reader ──

    def _group(self, word: str, holder: dict[str, Any], plain: dict[str, Any], place: Place) -> None:
        self.budget.step()
        match word:
            case "if":
                self._if(holder, plain, place)
            case "dependentSchemas":
                for name, child in holder[word].items():
                    if self.may_have(plain, name):
                        self.compare(self.with_member(plain, name), child, place)
            case _:
                self._choice(word, holder[word], plain, place)

    def _choice(self, word: str, branches: list[Schema], plain: dict[str, Any], place: Place) -> None:
        open_ = [branch for branch in branches if not self.disjoint(plain, branch)]
        if len(open_) == 1:
            self.compare(plain, open_[0], place)
            return
        if word == "anyOf" or not open_:
            if any(self.fits(plain, branch, place) for branch in open_):
                return
        elif self._fits_one(plain, open_, place):
            return
        types = types_of(plain)
        if len(types) > 1 and len(types) < len(TYPES) and types != {"integer", "number"}:
            # null or text: each kind may fit another alternative.
            for kind in sorted(types - ({"integer"} if "number" in types else set())):
                self._choice(word, branches, {**plain, "type": [kind]}, place)
            return
        if self.covered(plain, {word: branches}):
            return
        if name := self._discriminator(plain, open_):
            for value in self.plains(self.writer_member(plain, name))[0]["enum"]:
                one = {**plain, "properties": {**plain["properties"], name: {"enum": [value]}}}
                self._choice(word, open_, one, place)
            return
        self.found(word, place, plain, {word: branches})
        if open_ and word == "anyOf":
            # The nearest alternative tells the place better than "fits none".
            tried = []
            for branch in open_[:6]:
                with self.trial() as found:
                    self.compare(plain, branch, place)
                tried.append(list(found))
            if tried and len(best := min(tried, key=len)) <= 3:
                self.findings.extend(best)

    def _discriminator(self, plain: dict[str, Any], branches: list[Schema]) -> str | None:
        """A member that is always sent, has few values and tells the alternatives apart."""
        needed: list[str] = plain.get("required", [])
        for name in needed:
            cases = (
                self.plains(self.writer_member(plain, name)) if name in plain.get("properties", ()) else []
            )
            if len(cases) == 1 and 1 < len(cases[0].get("enum", ())) <= 24:
                said = [
                    child
                    for branch in branches
                    for atom in self.reader.parts([branch]).atoms
                    for child in [atom.get("properties", {}).get(name)]
                    if isinstance(child, dict) and child.keys() & {"enum", "const"}
                ]
                if said:
                    return name
        return None

    def _fits_one(self, plain: dict[str, Any], branches: list[Schema], place: Place) -> bool:
        """Whether `plain` fits one of `branches` and no other can be met at the same time."""
        for branch in branches:
            others = [other for other in branches if other is not branch]
            if all(self.disjoint(plain, other) for other in others) and self.fits(plain, branch, place):
                return True
        return False

    def _if(self, holder: dict[str, Any], plain: dict[str, Any], place: Place) -> None:
        condition, then, otherwise = holder["if"], holder.get("then", True), holder.get("else", True)
        if self.disjoint(plain, condition):
            self.compare(plain, otherwise, place)
        elif self.fits(plain, condition, place):
            self.compare(plain, then, place)
        elif self.fits(plain, then, place) and self.fits(plain, otherwise, place):
            return
        elif not self.covered(plain, {"if": condition, "then": then, "else": otherwise}):
            self.found("if", place, plain, {"if": condition, "then": then, "else": otherwise})

    def disjoint(self, writer: Schema, reader: Schema, depth: int = 0) -> bool:
        """Whether it is plain to see that no value fits both."""
        self.budget.step()
        return all(self._apart(plain, reader, depth) for plain in self.plains(writer))

    def _apart(self, plain: dict[str, Any], reader: Schema, depth: int) -> bool:
        parts = self.reader.parts([reader])
        if parts.impossible:
            return True
        if any(text_of(one.get("not")) == text_of(reader) for one in (plain, *plain.get("allOf", ()))):
            return True
        values = plain.get("enum")
        if values is not None and not any(OPAQUE in atom for atom in parts.atoms):
            takes = self.taking(self.reader, reader)
            return not any(takes(value) for value in values)
        types = types_of(plain)
        for atom in parts.atoms:
            allowed = atom.get("enum", [atom["const"]] if "const" in atom else None)
            if allowed is not None:
                sends = self.taking(self.writer, plain)
                if not any(type_of(value) in types and sends(value) for value in allowed):
                    return True
            types &= types_of(atom)
        if not types:
            return True
        if types == {"object"} and depth < 3:
            needed = {name for atom in parts.atoms for name in atom.get("required", ())}
            if any(not self.may_have(plain, name) for name in needed):
                return True
            for name in {*plain.get("required", ()), *needed}:
                for atom in parts.atoms:
                    for child in self.reader_member(atom, name):
                        if self.disjoint(self.writer_member(plain, name), child, depth + 1):
                            return True
        if depth == 0 and "not" in plain and not types & {"object", "array"}:
            return self.covered(plain, {"not": reader})
        return any(
            word in ("anyOf", "oneOf")
            and all(self._apart(plain, branch, depth + 1) for branch in holder[word])
            for word, holder in parts.groups
            if depth < 3
        )

    def below(self, place: Place, step: Step, plain: dict[str, Any]) -> Place:
        """The place one step below."""
        steps, trail = place
        return (*steps, step), (*trail, plain)


def _bare(schema: Schema) -> Schema:
    if isinstance(schema, dict) and "$defs" in schema:
        return {word: value for word, value in schema.items() if word not in ("$defs", "$schema")}
    return schema


def _scalars_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {word: value for word, value in schema.items() if word in _SCALAR_WORDS}


def _is_weaker(word: str, wanted: Any, had: Any) -> bool:
    if not isinstance(had, int | float):
        return False
    if word in ("minimum", "exclusiveMinimum", "minLength"):
        return bool(had >= wanted)
    return word in ("maximum", "exclusiveMaximum", "maxLength") and bool(had <= wanted)


def unique(findings: list[Finding]) -> list[Finding]:
    """Each finding once, with the values of all that say the same."""
    found: dict[tuple[Any, ...], Finding] = {}
    for one in findings:
        before = found.get(one.key)
        found[one.key] = one if before is None else replace(before, values=(*before.values, *one.values)[:50])
    return list(found.values())
