"""What a writer may send, as plain schemas: every place is one object of keywords or an anyOf of such objects.

Conjunctions are merged and alternatives become cases. The result accepts everything the schema accepts (it forgets
that only one branch of a oneOf may match), so what it is proved to fit, the schema fits too. With `closing` members
that no case declares are left out: producers send only what they declare.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog.schemas.compatibility.budget import Budget
from catalog.schemas.compatibility.normal import OPAQUE, Schema
from catalog.schemas.compatibility.patterns import finds
from catalog.schemas.compatibility.reading import (
    TYPES,
    Declared,
    Document,
    branches,
    text_of,
    type_of,
    types_of,
    value_key,
)

CASES = 32
_HIGHEST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_LOWEST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_KEPT = ("pattern", "format", "multipleOf", "contains", "minContains", "maxContains", "not")
_LARGE = {"$ref", "properties", "items", "allOf", "anyOf", "oneOf", "if", "not"}
Case = tuple[list[dict[str, Any]], Declared]


class Merger:
    """Merges the places of one document; `definitions` fills as places are met, beside the document's own."""

    def __init__(self, document: Document, closing: bool, budget: Budget) -> None:
        self.document = document
        self.closing = closing
        self.budget = budget
        self.definitions: dict[str, Schema] = dict(document.definitions)
        self._places: dict[str, Schema] = {}
        # No name of the document may be taken.
        self._prefix = "m" + "_" * sum(name.startswith("m") for name in document.definitions)

    def merged(self) -> Document:
        """The whole document. Raises Exhausted and Unsupported."""
        root = self.document.root
        if isinstance(root, dict):
            root = {word: value for word, value in root.items() if word not in ("$defs", "$schema")}
        place = self.place([root])
        return Document({"allOf": [place], "$defs": self.definitions} if place is not False else False)

    def place(self, schemas: Iterable[Schema]) -> Schema:
        """The merged schema of a place at which all of `schemas` apply."""
        wanted = {text_of(schema): schema for schema in schemas if schema is not True and schema != {}}
        if not wanted:
            return True
        key = "\n".join(sorted(wanted))
        if key not in self._places:
            name = f"{self._prefix}{len(self._places)}"
            self._places[key] = {"$ref": f"#/$defs/{name}"}
            self.definitions[name] = True
            found = self._merge(list(wanted.values()))
            self.definitions[name] = found
            if found is False:
                self._places[key] = False
        return self._places[key]

    def _merge(self, schemas: list[Schema]) -> Schema:
        cases = self._cases(schemas, CASES)
        if cases is None:
            parts = self.document.parts(schemas)
            others = Declared()
            for word, holder in parts.groups:
                for branch in branches(word, holder):
                    self.document.declared([branch], others)
            cases = [] if parts.impossible else [(parts.atoms, others)]
        found = [plain for case in cases if (plain := self._plain(*case)) is not False]
        if not found:
            return False
        return found[0] if len(found) == 1 else {"anyOf": found}

    def _cases(self, schemas: list[Schema], limit: int) -> list[Case] | None:
        """The ways to choose among the alternatives of `schemas`; None when there are more than `limit`."""
        parts = self.document.parts(schemas)
        self.budget.step(1 + len(parts.atoms))
        if parts.impossible:
            return []
        cases: list[Case] = [(parts.atoms, Declared())]
        for word, holder in parts.groups:
            options: list[Case] = []
            for choice, others in _choices(word, holder):
                inner = self._cases(choice, limit)
                if inner is None:
                    return None
                for atoms, declared in inner:
                    for other in others:
                        # What can never hold together with the choice declares nothing for it.
                        if self.closing and self.place([*choice, other]) is not False:
                            self.document.declared([other], declared)
                    if word == "if":
                        # Who asks whether a member has a value declares that it may have others.
                        asked = self.document.declared([holder["if"]]).names
                        declared.names.update({name: [True] for name in asked if name not in declared.names})
                    options.append((atoms, declared))
            if len(cases) * len(options) > limit:
                return None
            cases = [
                (before + atoms, _both(known, declared))
                for before, known in cases
                for atoms, declared in options
            ]
        return cases

    def _plain(self, atoms: list[dict[str, Any]], others: Declared) -> Schema:
        self.budget.step(len(atoms))
        types = frozenset(TYPES)
        for atom in atoms:
            types &= types_of(atom)
        if not types:
            return False
        found: dict[str, Any] = {}
        if len(types) < len(TYPES):
            found["type"] = sorted(types - ({"integer"} if "number" in types else set()))
        apart: list[dict[str, Any]] = []
        _scalars(atoms, found, apart)
        if not _values(atoms, types, found):
            return False
        if "object" in types and self._members(atoms, others, found) is False:
            if types == {"object"}:
                return False
            found["type"] = sorted(types - {"object"} - ({"integer"} if "number" in types else set()))
        if "array" in types:
            self._entries(atoms, found)
        if apart:
            found["allOf"] = apart
        return found

    def _members(self, atoms: list[dict[str, Any]], others: Declared, found: dict[str, Any]) -> bool:
        """Puts the object keywords into `found`; False when no object is possible."""
        names = {name: None for atom in atoms for name in atom.get("properties", ())}
        patterns = {pattern: None for atom in atoms for pattern in atom.get("patternProperties", ())}
        rest = [
            atom["additionalProperties"]
            for atom in atoms
            if atom.get("additionalProperties", True) is not True
        ]
        declares = bool(names or patterns)
        required = {name: None for atom in atoms for name in atom.get("required", ())}
        properties: dict[str, Schema] = {}
        for name in names:
            properties[name] = self.place(child for atom in atoms for child in member(atom, name))
        if self.closing and declares:
            for name, children in others.names.items():
                if name not in properties:
                    either = [] if True in children else [{"anyOf": children}]
                    properties[name] = self.place(
                        [*either, *(c for atom in atoms for c in member(atom, name))]
                    )
        if any(properties.get(name, True) is False for name in required):
            return False
        by_pattern = {
            pattern: self.place(child for atom in atoms for child in _pattern_members(atom, pattern))
            for pattern in patterns
        }
        if self.closing and declares:
            by_pattern.update({pattern: True for pattern in others.patterns if pattern not in by_pattern})
        additional = self.place(rest)
        if self.closing and declares and additional is True:
            additional = False
        if additional is False and any(
            name not in properties and not any(finds(pattern, name) for pattern in by_pattern)
            for name in required
        ):
            # Required and never declared: what is required is sent.
            if not self.closing or any(one is False for one in rest):
                return False
            properties.update({name: True for name in required if name not in properties})
        if properties:
            found["properties"] = properties
        if by_pattern:
            found["patternProperties"] = by_pattern
        if required:
            found["required"] = sorted(required)
        if additional is not True:
            found["additionalProperties"] = additional
        name_rules = [atom["propertyNames"] for atom in atoms if "propertyNames" in atom]
        if name_rules:
            found["propertyNames"] = name_rules[0] if len(name_rules) == 1 else {"allOf": name_rules}
        needs: dict[str, set[str]] = {}
        for atom in atoms:
            for name, needed in atom.get("dependentRequired", {}).items():
                needs.setdefault(name, set()).update(needed)
        if needs:
            found["dependentRequired"] = {name: sorted(needed) for name, needed in needs.items()}
        return True

    def _entries(self, atoms: list[dict[str, Any]], found: dict[str, Any]) -> None:
        length = max((len(atom.get("prefixItems", ())) for atom in atoms), default=0)
        if length:
            found["prefixItems"] = [
                self.place(entry(atom, index) for atom in atoms) for index in range(length)
            ]
        items = self.place(atom.get("items", True) for atom in atoms)
        if items is not True:
            found["items"] = items


def member(atom: dict[str, Any], name: str) -> list[Schema]:
    """The schemas that `atom` itself applies to the member `name`."""
    found = [atom["properties"][name]] if name in atom.get("properties", ()) else []
    found += [child for pattern, child in atom.get("patternProperties", {}).items() if finds(pattern, name)]
    return found or [atom.get("additionalProperties", True)]


def _pattern_members(atom: dict[str, Any], pattern: str) -> list[Schema]:
    patterns = atom.get("patternProperties", {})
    if pattern in patterns:
        return [patterns[pattern]]
    # A name that matches may be one of the atom's own, about which it says something else.
    return [] if patterns or atom.get("properties") else [atom.get("additionalProperties", True)]


def entry(atom: dict[str, Any], index: int) -> Schema:
    """The schema that `atom` applies to the entry at `index`."""
    prefix = atom.get("prefixItems", ())
    return prefix[index] if index < len(prefix) else atom.get("items", True)


def _choices(word: str, holder: dict[str, Any]) -> list[tuple[list[Schema], list[Schema]]]:
    """The options of a group: what applies, and what else may apply besides."""
    if word == "if":
        return [
            ([holder["if"], holder.get("then", True)], []),
            ([{"not": holder["if"]}, holder.get("else", True)], []),
        ]
    if word == "dependentSchemas":
        options: list[tuple[list[Schema], list[Schema]]] = [([], [])]
        for name, child in holder[word].items():
            options = [
                (chosen + more, [])
                for chosen, _ in options
                for more in ([{"properties": {name: False}}], [{"required": [name]}, child])
            ]
            if len(options) > CASES:
                break
        return options if len(options) <= CASES else [([], list(holder[word].values()))]
    found = holder[word]
    if word == "oneOf":
        few = len(found) <= 4 and not any(isinstance(one, dict) and one.keys() & _LARGE for one in found)
        # What fits a second branch is refused; said only where it is short.
        return [
            ([branch, *({"not": other} for other in found if other is not branch and few)], [])
            for branch in found
        ]
    return [([branch], [other for other in found if other is not branch]) for branch in found]


def _both(left: Declared, right: Declared) -> Declared:
    found = Declared(
        {k: list(v) for k, v in left.names.items()}, {k: list(v) for k, v in left.patterns.items()}
    )
    for name, children in right.names.items():
        found.names.setdefault(name, []).extend(children)
    for pattern, children in right.patterns.items():
        found.patterns.setdefault(pattern, []).extend(children)
    return found


def _scalars(atoms: list[dict[str, Any]], found: dict[str, Any], apart: list[dict[str, Any]]) -> None:
    for atom in atoms:
        for word in _HIGHEST:
            if word in atom:
                found[word] = max(found.get(word, atom[word]), atom[word])
        for word in _LOWEST:
            if word in atom:
                found[word] = min(found.get(word, atom[word]), atom[word])
        if atom.get("uniqueItems"):
            found["uniqueItems"] = True
        if OPAQUE in atom:
            found[OPAQUE] = sorted({*found.get(OPAQUE, ()), *atom[OPAQUE]})
        kept = {word: atom[word] for word in _KEPT if word in atom}
        if not kept.keys() & found.keys():
            found.update(kept)
        elif any(found.get(word) != value for word, value in kept.items()):
            apart.append(kept)


def _values(atoms: list[dict[str, Any]], types: frozenset[str], found: dict[str, Any]) -> bool:
    """Puts what enum and const leave into `found`; False when that is nothing."""
    left: dict[str, Any] | None = None
    for atom in atoms:
        for allowed in ([atom["const"]] if "const" in atom else None, atom.get("enum")):
            if allowed is not None:
                values = {value_key(value): value for value in allowed}
                left = values if left is None else {key: one for key, one in left.items() if key in values}
    if left is not None:
        found["enum"] = [value for value in left.values() if type_of(value) in types]
        return bool(found["enum"])
    return True
