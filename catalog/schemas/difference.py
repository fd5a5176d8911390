"""What changed between two versions of a schema, as a list people can read, ordered by the place in the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from catalog.said import joined, said
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
        message = said("The schemas differ in a way that is not told in detail.")
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
                    said(
                        "%(path)s has %(now)s alternatives (%(word)s); it had %(before)s.",
                        path=path, now=len(right), word=word, before=len(left),
                    ),
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
                    "renamed", where, name, other, said("%(path)s is called %(name)s now.", path=where, name=other),
                    Effect.BREAKS if needed else Effect.SAFE, Effect.BREAKS if need else Effect.SAFE,
                )  # fmt: skip
                continue
            effect = Effect.BREAKS if needed else Effect.SAFE
            yield Change(
                "removed",
                where,
                before[name].written,
                None,
                said("Required field %(path)s was removed.", path=where)
                if needed
                else said("Optional field %(path)s was removed.", path=where),
                effect,
                Effect.SAFE,
            )
        for name in added:
            if name in renamed.values():
                continue
            where, needed = place_name((*steps, ("member", name))), name in new.required
            effect = Effect.BREAKS if needed else Effect.SAFE
            yield Change(
                "added",
                where,
                None,
                after[name].written,
                said("Required field %(path)s was added.", path=where)
                if needed
                else said("Optional field %(path)s was added.", path=where),
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
                        said("%(path)s is required now.", path=where),
                        Effect.SAFE,
                        Effect.BREAKS,
                    )
                else:
                    message = said("%(path)s may be missing now.", path=where)
                    yield Change("optional", where, True, False, message, Effect.BREAKS, Effect.SAFE)
            yield from self._at((*steps, ("member", name)), before[name], after[name])


_LOW = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_HIGH = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LIMITS: dict[str, Callable[[str], str]] = {
    "minimum": lambda n: said("at least %(n)s", n=n),
    "exclusiveMinimum": lambda n: said("more than %(n)s", n=n),
    "maximum": lambda n: said("at most %(n)s", n=n),
    "exclusiveMaximum": lambda n: said("less than %(n)s", n=n),
    "minLength": lambda n: said("at least %(n)s characters", n=n),
    "maxLength": lambda n: said("at most %(n)s characters", n=n),
    "minItems": lambda n: said("at least %(n)s entries", n=n),
    "maxItems": lambda n: said("at most %(n)s entries", n=n),
    "minProperties": lambda n: said("at least %(n)s members", n=n),
    "maxProperties": lambda n: said("at most %(n)s members", n=n),
}
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
        kind, message = (
            ("closed", said("%(path)s allows no other fields now.", path=path))
            if after is False
            else ("opened", said("%(path)s allows other fields now.", path=path))
        )
        yield Change(kind, path, before, after, message, Effect.SAFE, Effect.SAFE)
    for word in _RULES:
        if old.get(word) != new.get(word):
            message = _did(
                old.get(word), new.get(word), said("The rule %(word)s of %(path)s", word=word, path=path)
            )
            yield _rule(path, message, old.get(word), new.get(word))
    for word in ANNOTATIONS:
        if old.get(word) != new.get(word):
            message = _did(
                old.get(word), new.get(word), said("The %(word)s of %(path)s", word=word, path=path)
            )
            yield Change("annotation", path, old.get(word), new.get(word), message, Effect.NONE, Effect.NONE)


def _did(before: Any, after: Any, what: str) -> str:
    if before is None:
        return said("%(what)s was added.", what=what)
    if after is None:
        return said("%(what)s was removed.", what=what)
    return said("%(what)s changed.", what=what)


def _rule(path: str, message: str, before: Any, after: Any) -> Change:
    readers = Effect.SAFE if before is None else Effect.BREAKS
    writers = Effect.SAFE if after is None else Effect.BREAKS
    return Change("rule", path, before, after, message, readers, writers)


def _narrowing(kind: str, path: str, word: str, old: dict[str, Any], new: dict[str, Any]) -> Change:
    before, after = old.get(word), new.get(word)
    name = {"multipleOf": "step (multipleOf)"}.get(word, word)
    if before is None:
        message = said(
            "%(path)s must have the %(name)s %(value)s now.", path=path, name=name, value=shown(after)
        )
    elif after is None:
        message = said(
            "%(path)s need not have the %(name)s %(value)s any more.",
            path=path,
            name=name,
            value=shown(before),
        )
    else:
        message = said(
            "The %(name)s of %(path)s is %(after)s; it was %(before)s.",
            path=path,
            name=name,
            after=shown(after),
            before=shown(before),
        )
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
    limit = _LIMITS[word](shown(after if after is not None else before))
    if after is None:
        message = said("%(path)s need not have %(limit)s any more.", path=path, limit=limit)
    elif before is None:
        message = said("%(path)s must have %(limit)s now.", path=path, limit=limit)
    else:
        message = said(
            "%(path)s must have %(limit)s now; the limit was %(before)s.",
            path=path,
            limit=limit,
            before=shown(before),
        )
    effects = (Effect.SAFE, Effect.BREAKS) if tighter else (Effect.CAUTION, Effect.SAFE)
    yield Change("range", path, before, after, message, *effects)


def _types(path: str, before: Any, after: Any) -> Iterator[Change]:
    old, new = _names(before), _names(after)
    if old == new:
        return
    lost, gained = old - new, new - old
    message = said(
        "%(path)s is %(after)s now; it was %(before)s.", path=path, after=_words(after), before=_words(before)
    )
    wider = Effect.BREAKS if gained else Effect.SAFE
    yield Change("type", path, before, after, message, wider, Effect.BREAKS if lost else Effect.SAFE)


def _names(declared: Any) -> frozenset[str]:
    every = ("null", "boolean", "integer", "number", "string", "array", "object")
    names = set(every if declared is None else [declared] if isinstance(declared, str) else declared)
    return frozenset(names | ({"integer"} if "number" in names else set()))


def _words(declared: Any) -> str:
    if declared is None:
        return said("anything")
    return declared if isinstance(declared, str) else joined(declared, said(" or "))


def _choices(path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    before, after = _values(old), _values(new)
    if before == after:
        return
    if before is None or after is None:
        message = (
            said("%(path)s takes any value now.", path=path)
            if after is None
            else said("%(path)s takes only %(values)s now.", path=path, values=_few(after))
        )
        effects = (Effect.CAUTION, Effect.SAFE) if after is None else (Effect.SAFE, Effect.BREAKS)
        yield Change("enum", path, before, after, message, *effects)
        return
    gained = [value for value in after if value not in before]
    lost = [value for value in before if value not in after]
    if not gained and not lost:
        return
    if gained and lost:
        message = said(
            "%(path)s may also be %(gained)s and may not be %(lost)s any more.",
            path=path,
            gained=_few(gained),
            lost=_few(lost),
        )
    elif gained:
        message = said("%(path)s may also be %(gained)s.", path=path, gained=_few(gained))
    else:
        message = said("%(path)s may not be %(lost)s any more.", path=path, lost=_few(lost))
    yield Change(
        "enum", path, before, after, message,
        Effect.CAUTION if gained else Effect.SAFE, Effect.BREAKS if lost else Effect.SAFE,
    )  # fmt: skip


def _values(words: dict[str, Any]) -> list[Any] | None:
    if "const" in words:
        return [words["const"]]
    found = words.get("enum")
    return found if isinstance(found, list) else None


def _few(values: list[Any]) -> str:
    text = ", ".join(shown(value) for value in values[:6])
    return text if len(values) <= 6 else said("%(some)s and %(n)s more", some=text, n=len(values) - 6)
