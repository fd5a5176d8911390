"""Members that look renamed: one is gone, and a new one beside it has the same shape and a similar name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Any

from catalog.said import said
from catalog.schemas.compatibility.budget import DEEPEST, LARGEST, Budget, Exhausted, size
from catalog.schemas.compatibility.normal import Schema, Unsupported, normal, with_dialect
from catalog.schemas.compatibility.reading import Document, text_of
from catalog.schemas.text import depth

SIMILAR = 0.6
LEVELS = 8
PLACES = 200
MEMBERS = 40


def pairs(gone: dict[str, Any], added: dict[str, Any]) -> list[tuple[str, str]]:
    """Which of the members `gone` (name → shape) became which of those `added`; the most similar names first."""
    options = sorted(
        (
            (_similarity(before, after), before, after)
            for before, shape in list(gone.items())[:MEMBERS]
            for after, other in list(added.items())[:MEMBERS]
            if text_of(shape) == text_of(other)
        ),
        reverse=True,
    )
    found: dict[str, str] = {}
    for similarity, before, after in options:
        if similarity >= SIMILAR and before not in found and after not in found.values():
            found[before] = after
    return list(found.items())


def _similarity(before: str, after: str) -> float:
    return SequenceMatcher(None, before.lower().replace("_", ""), after.lower().replace("_", "")).ratio()


def hints(old: Schema, new: Schema, budget: Budget) -> tuple[str, ...]:
    """Sentences for the author about what looks like a mistake; those found within the budget."""
    found: list[str] = []
    try:
        budget.step()
        if max(size(old), size(new)) <= LARGEST and max(depth(old), depth(new)) <= DEEPEST:
            before = Document(normal(with_dialect(old), "r", budget))
            after = Document(normal(with_dialect(new), "r", budget))
            found.extend(_walk(before, after, budget))
    except (Exhausted, Unsupported, RecursionError):
        pass
    return tuple(found)


def _walk(before: Document, after: Document, budget: Budget) -> Iterable[str]:
    todo: list[tuple[str, Schema, Schema]] = [("data", before.root, after.root)]
    seen: set[tuple[str, str]] = set()
    while todo and len(seen) < PLACES:
        path, left, right = todo.pop(0)
        key = (text_of(_bare(left)), text_of(_bare(right)))
        if key in seen or path.count(".") > LEVELS:
            continue
        seen.add(key)
        budget.step()
        old, new = before.declared([left]).names, after.declared([right]).names
        gone = {name: _shape(before, children) for name, children in old.items() if name not in new}
        added = {name: _shape(after, children) for name, children in new.items() if name not in old}
        for one, other in pairs(gone, added):
            yield said(
                "%(path)s.%(other)s looks like %(path)s.%(one)s under a new name. Listeners that read %(one)s find "
                "nothing: keep %(one)s beside it, or register another event type.",
                path=path,
                one=one,
                other=other,
            )
        both = [name for name in old if name in new]
        todo.extend((f"{path}.{name}", {"allOf": old[name]}, {"allOf": new[name]}) for name in both)
        entries = [
            [atom["items"] for atom in document.parts([place]).atoms if "items" in atom]
            for document, place in ((before, left), (after, right))
        ]
        if all(entries):
            todo.append((f"{path}[]", {"allOf": entries[0]}, {"allOf": entries[1]}))


def _shape(document: Document, children: list[Schema]) -> Any:
    """What a member is, without remarks: its keywords with references followed one level."""
    atoms = document.parts(children).atoms
    return sorted(
        text_of({word: one for word, one in atom.items() if word not in ("$ref", "allOf")}) for atom in atoms
    )


def _bare(schema: Schema) -> Schema:
    return (
        {w: v for w, v in schema.items() if w not in ("$defs", "$schema")}
        if isinstance(schema, dict)
        else schema
    )
