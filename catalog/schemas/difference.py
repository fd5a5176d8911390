"""What changed between two versions of a schema, as a list people can read, ordered by the place in the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from catalog.schemas.compatibility.findings import place_name, shown
from catalog.schemas.compatibility.normal import Unsupported
from catalog.schemas.compatibility.renames import pairs
from catalog.schemas.difference_places import Place, Places

CHANGES = 500
LEVELS = 12


class Effect(StrEnum):
    """What a change means, under the policy evolution, to one side; NONE is a remark, SAFE is noticed by nobody."""

    NONE = "none"
    SAFE = "safe"
    CAUTION = "caution"
    BREAKS = "breaks"


@dataclass(frozen=True)
class Change:
    """One change. `path` is the place (`data.total.amount`), `before` and `after` JSON values, None when absent.

    `kind` is added, removed, renamed, required, optional, type, range, enum, format, pattern, closed, opened, rule,
    or annotation, which changes no verdict. `effect_on_readers` is for listeners that read new events by the old
    version, `effect_on_writers` for producers whose old events are judged by the new version.
    """

    kind: str
    path: str
    before: Any
    after: Any
    message: str
    effect_on_readers: Effect
    effect_on_writers: Effect

    @property
    def is_annotation(self) -> bool:
        """Whether only words for people changed."""
        return self.kind == "annotation"


def difference(old: Any, new: Any) -> list[Change]:
    """The changes from `old` to `new`, parsed schemas of any supported draft; at most 500, ordered by path."""
    try:
        found = list(_Walk(Places(old), Places(new)).changes())
    except (Unsupported, RecursionError):
        message = "The schemas differ in a way that is not told in detail."
        found = (
            [Change("rule", "data", None, None, message, Effect.BREAKS, Effect.BREAKS)] if old != new else []
        )
    return sorted(found, key=lambda change: (change.path, change.is_annotation))


class _Walk:
    def __init__(self, old: Places, new: Places) -> None:
        self.old, self.new = old, new
        self.left = CHANGES
        self.seen: set[tuple[str, str]] = set()

    def changes(self) -> Iterator[Change]:
        for change in self._at((), self.old.root(), self.new.root()):
            self.left -= 1
            if self.left < 0:
                return
            yield change

    def _at(self, steps: tuple[Any, ...], old: Place, new: Place) -> Iterator[Change]:
        key = (old.text, new.text)
        # The same text with references in it may mean something else by now.
        same = old.text == new.text and '"$ref"' not in old.text
        if key in self.seen or len(steps) > LEVELS or same:
            return
        self.seen.add(key)
        path = place_name(steps)
        yield from _of_value(path, old.words, new.words)
        yield from self._members(steps, old, new)
        before, after = self.old.entry(old), self.new.entry(new)
        if before is not None and after is not None:
            yield from self._at((*steps, ("entry", 0)), before, after)
        for word in ("oneOf", "anyOf"):
            left, right = self.old.branches(old, word), self.new.branches(new, word)
            if len(left) == len(right):
                for one, other in zip(left, right, strict=True):
                    yield from self._at(steps, one, other)
            else:
                more = len(right) > len(left)
                yield Change(
                    "rule", path, len(left) or None, len(right) or None,
                    f"{path} has {len(right)} alternatives ({word}); it had {len(left)}.",
                    Effect.BREAKS if more and left else Effect.SAFE, Effect.SAFE if more and left else Effect.BREAKS,
                )  # fmt: skip

    def _members(self, steps: tuple[Any, ...], old: Place, new: Place) -> Iterator[Change]:
        before, after = self.old.members(old), self.new.members(new)
        gone = {name: child.shape for name, child in before.items() if name not in after}
        added = {name: child.shape for name, child in after.items() if name not in before}
        renamed = dict(pairs(gone, added))
        for name in gone:
            where, needed = place_name((*steps, ("member", name))), name in old.required
            if name in renamed:
                other = renamed[name]
                need = other in new.required
                yield Change(
                    "renamed", where, name, other, f"{where} is called {other} now.",
                    Effect.BREAKS if needed else Effect.SAFE, Effect.BREAKS if need else Effect.SAFE,
                )  # fmt: skip
                continue
            word = "Required" if needed else "Optional"
            effect = Effect.BREAKS if needed else Effect.SAFE
            yield Change(
                "removed",
                where,
                before[name].written,
                None,
                f"{word} field {where} was removed.",
                effect,
                Effect.SAFE,
            )
        for name in added:
            if name in renamed.values():
                continue
            where, needed = place_name((*steps, ("member", name))), name in new.required
            word = "Required" if needed else "Optional"
            effect = Effect.BREAKS if needed else Effect.SAFE
            yield Change(
                "added",
                where,
                None,
                after[name].written,
                f"{word} field {where} was added.",
                Effect.SAFE,
                effect,
            )
        for name in before:
            if name not in after:
                continue
            where = place_name((*steps, ("member", name)))
            if (name in old.required) != (name in new.required):
                if name in new.required:
                    yield Change(
                        "required",
                        where,
                        False,
                        True,
                        f"{where} is required now.",
                        Effect.SAFE,
                        Effect.BREAKS,
                    )
                else:
                    message = f"{where} may be missing now."
                    yield Change("optional", where, True, False, message, Effect.BREAKS, Effect.SAFE)
            yield from self._at((*steps, ("member", name)), before[name], after[name])


_LOW = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_HIGH = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_SAID = {
    "minimum": "at least", "exclusiveMinimum": "more than", "maximum": "at most", "exclusiveMaximum": "less than",
    "minLength": "at least … characters:", "maxLength": "at most … characters:", "minItems": "at least … entries:",
    "maxItems": "at most … entries:", "minProperties": "at least … members:", "maxProperties": "at most … members:",
    "multipleOf": "a multiple of",
}  # fmt: skip
_RULES = ("not", "if", "then", "else", "contains", "minContains", "maxContains", "uniqueItems", "propertyNames",
          "patternProperties", "dependentRequired", "dependentSchemas", "dependencies", "prefixItems",
          "contentEncoding", "contentMediaType")  # fmt: skip
ANNOTATIONS = (
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
)


def _of_value(path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    """The changes of the keywords that speak of the value itself."""
    yield from _types(path, old.get("type"), new.get("type"))
    yield from _choices(path, old, new)
    for word in (*_LOW, *_HIGH):
        yield from _bound(path, word, old.get(word), new.get(word))
    if old.get("multipleOf") != new.get("multipleOf"):
        yield _narrowing("range", path, "multipleOf", old, new)
    for word in ("format", "pattern"):
        if old.get(word) != new.get(word):
            yield _narrowing(word, path, word, old, new)
    before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
    if (before is False) != (after is False):
        kind, does = (
            ("closed", "allows no other fields now")
            if after is False
            else ("opened", "allows other fields now")
        )
        yield Change(kind, path, before, after, f"{path} {does}.", Effect.SAFE, Effect.SAFE)
    for word in _RULES:
        if old.get(word) != new.get(word):
            message = f"The rule {word} of {path} {_did(old.get(word), new.get(word))}."
            yield _rule(path, message, old.get(word), new.get(word))
    for word in ANNOTATIONS:
        if old.get(word) != new.get(word):
            message = f"The {word} of {path} {_did(old.get(word), new.get(word))}."
            yield Change("annotation", path, old.get(word), new.get(word), message, Effect.NONE, Effect.NONE)


def _did(before: Any, after: Any) -> str:
    return "was added" if before is None else "was removed" if after is None else "changed"


def _rule(path: str, message: str, before: Any, after: Any) -> Change:
    readers = Effect.SAFE if before is None else Effect.BREAKS
    writers = Effect.SAFE if after is None else Effect.BREAKS
    return Change("rule", path, before, after, message, readers, writers)


def _narrowing(kind: str, path: str, word: str, old: dict[str, Any], new: dict[str, Any]) -> Change:
    before, after = old.get(word), new.get(word)
    name = {"multipleOf": "step (multipleOf)"}.get(word, word)
    if before is None:
        message = f"{path} must have the {name} {shown(after)} now."
    elif after is None:
        message = f"{path} need not have the {name} {shown(before)} any more."
    else:
        message = f"The {name} of {path} is {shown(after)}; it was {shown(before)}."
    readers = Effect.SAFE if before is None else Effect.BREAKS
    return Change(
        kind, path, before, after, message, readers, Effect.SAFE if after is None else Effect.BREAKS
    )


def _bound(path: str, word: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if before is None or after is None:
        tighter = before is None
    else:
        tighter = after > before if word in _LOW else after < before
    said = _SAID[word].replace("…", shown(after if after is not None else before)).rstrip(":")
    if "…" not in _SAID[word]:
        said = f"{said} {shown(after if after is not None else before)}"
    if after is None:
        message = f"{path} need not have {said} any more."
    else:
        message = f"{path} must have {said} now" + (
            "." if before is None else f"; the limit was {shown(before)}."
        )
    effects = (Effect.SAFE, Effect.BREAKS) if tighter else (Effect.CAUTION, Effect.SAFE)
    yield Change("range", path, before, after, message, *effects)


def _types(path: str, before: Any, after: Any) -> Iterator[Change]:
    old, new = _names(before), _names(after)
    if old == new:
        return
    lost, gained = old - new, new - old
    message = f"{path} is {_words(after)} now; it was {_words(before)}."
    wider = Effect.BREAKS if gained else Effect.SAFE
    yield Change("type", path, before, after, message, wider, Effect.BREAKS if lost else Effect.SAFE)


def _names(declared: Any) -> frozenset[str]:
    every = ("null", "boolean", "integer", "number", "string", "array", "object")
    names = set(every if declared is None else [declared] if isinstance(declared, str) else declared)
    return frozenset(names | ({"integer"} if "number" in names else set()))


def _words(declared: Any) -> str:
    if declared is None:
        return "anything"
    return declared if isinstance(declared, str) else " or ".join(declared)


def _choices(path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    before, after = _values(old), _values(new)
    if before == after:
        return
    if before is None or after is None:
        message = f"{path} takes any value now." if after is None else f"{path} takes only {_few(after)} now."
        effects = (Effect.CAUTION, Effect.SAFE) if after is None else (Effect.SAFE, Effect.BREAKS)
        yield Change("enum", path, before, after, message, *effects)
        return
    gained = [value for value in after if value not in before]
    lost = [value for value in before if value not in after]
    if not gained and not lost:
        return
    said = [f"may also be {_few(gained)}"] if gained else []
    said += [f"may not be {_few(lost)} any more"] if lost else []
    yield Change(
        "enum", path, before, after, f"{path} {' and '.join(said)}.",
        Effect.CAUTION if gained else Effect.SAFE, Effect.BREAKS if lost else Effect.SAFE,
    )  # fmt: skip


def _values(words: dict[str, Any]) -> list[Any] | None:
    if "const" in words:
        return [words["const"]]
    found = words.get("enum")
    return found if isinstance(found, list) else None


def _few(values: list[Any]) -> str:
    text = ", ".join(shown(value) for value in values[:6])
    return text if len(values) <= 6 else f"{text} and {len(values) - 6} more"
