"""Every schema inside a schema document, and what each reference in it points to (JSON Schema core, §8 and §9).

A reference may use a pointer, an anchor or a URI that an `$id` inside the document makes known. Nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from catalog.schemas.keywords import REFERENCES, Inner, inner_schemas
from catalog.schemas.text import pointer_of

Path = tuple[str | int, ...]


@dataclass
class Reference:
    """`keyword` with `value` in a schema. `targets`: the nodes it may mean; empty for one of the drafts' own schemas.

    `problem` is "" or "outside" (it leaves the document) or "nothing" (the document has nothing there).
    """

    path: Path
    keyword: str
    value: str
    base: str
    targets: list[int] = field(default_factory=list)
    problem: str = ""

    @property
    def pointer(self) -> str:
        """Where the reference is written."""
        return pointer_of((*self.path, self.keyword))


@dataclass
class Node:
    """One schema of the document: where it stands, the URI that references in it are relative to, what is inside."""

    path: Path
    schema: Any
    base: str
    inner: list[tuple[Inner, int]] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)


class SchemaGraph:
    """The schemas of a document. `nodes[0]` is the whole.

    known: URIs of schemas outside it that may be referred to (the drafts' own, and what a test serves from memory).
    """

    def __init__(self, schema: Any, draft: float, known: Iterable[str]) -> None:
        self.nodes: list[Node] = []
        self._draft = draft
        self._old = draft <= 7
        self._known = frozenset(uri.rstrip("#") for uri in known)
        self._at: dict[Path, int] = {}
        self._resources: dict[str, int] = {}
        self._anchors: dict[tuple[str, str], int] = {}
        self._dynamic: dict[str, list[int]] = {}
        self._walk(schema, (), "")
        self._resources.setdefault("", 0)
        self._resolve_all(schema)

    @property
    def problems(self) -> list[Reference]:
        """The references that cannot be used, in the document's order."""
        return [one for node in self.nodes for one in node.references if one.problem]

    def _walk(self, schema: Any, path: Path, base: str) -> None:
        todo: list[tuple[Any, Path, str, tuple[int, Inner] | None]] = [(schema, path, base, None)]
        while todo:
            schema, path, base, outer = todo.pop()
            index = self._at.get(path)
            if index is None:
                index = self._node(schema, path, base)
                base = self.nodes[index].base
                todo.extend(
                    (one.schema, (*path, *one.path), base, (index, one))
                    for one in inner_schemas(schema, self._old)
                )
            if outer is not None:
                self.nodes[outer[0]].inner.append((outer[1], index))

    def _node(self, schema: Any, path: Path, base: str) -> int:
        index = len(self.nodes)
        self._at[path] = index
        if not isinstance(schema, dict):
            self.nodes.append(Node(path, schema, base))
            return index
        hidden = self._old and isinstance(schema.get("$ref"), str)
        if not hidden:
            base = self._named(schema, base, index)
        node = Node(path, schema, base)
        for keyword in REFERENCES:
            value = schema.get(keyword)
            known = {"$dynamicRef": self._draft >= 2020, "$recursiveRef": self._draft == 2019}
            if isinstance(value, str) and known.get(keyword, True):
                node.references.append(Reference(path, keyword, value, base))
        self.nodes.append(node)
        if index == 0:
            self._resources[base] = 0
        return index

    def _named(self, schema: dict[str, Any], base: str, index: int) -> str:
        """The base URI inside `schema`; notes its identifier and anchors."""
        name = schema.get("id" if self._draft == 4 else "$id")
        if isinstance(name, str) and name:
            uri, fragment = urldefrag(name)
            if uri:
                base = _joined(base, uri)
                self._resources.setdefault(base, index)
            if fragment and self._old:
                self._anchors.setdefault((base, unquote(fragment)), index)
        for keyword in ("$anchor", "$dynamicAnchor") if not self._old else ():
            anchor = schema.get(keyword)
            if isinstance(anchor, str):
                self._anchors.setdefault((base, anchor), index)
                if keyword == "$dynamicAnchor":
                    self._dynamic.setdefault(anchor, []).append(index)
        if schema.get("$recursiveAnchor") is True:
            self._dynamic.setdefault("", []).append(index)
        return base

    def _resolve_all(self, whole: Any) -> None:
        done = 0
        while done < len(self.nodes):
            # A reference may point to where no keyword puts a schema: that place is walked too, so nodes grow.
            for reference in self.nodes[done].references:
                self._resolve(reference, whole)
            done += 1

    def _resolve(self, reference: Reference, whole: Any) -> None:
        uri, fragment = urldefrag(_joined(reference.base, reference.value))
        if uri not in self._resources:
            reference.problem = "" if uri in self._known else "outside"
            return
        start, name = self._resources[uri], unquote(fragment)
        target: int | None
        if not name:
            target = start
        elif name.startswith("/"):
            target = self._pointed(start, name, whole)
        else:
            target = self._anchors.get((uri, name))
        if target is None:
            reference.problem = "nothing"
            return
        reference.targets.append(target)
        dynamic = self._dynamic.get(name if reference.keyword == "$dynamicRef" else "", [])
        if reference.keyword != "$ref" and target in dynamic:
            reference.targets.extend(one for one in dynamic if one != target)

    def _pointed(self, start: int, pointer: str, whole: Any) -> int | None:
        value, path = self.nodes[start].schema, self.nodes[start].path
        base = self.nodes[start].base
        for written in pointer[1:].split("/"):
            step = written.replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict) and step in value:
                value, path = value[step], (*path, step)
            elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value, path = value[int(step)], (*path, int(step))
            else:
                return None
            if path in self._at:
                base = self.nodes[self._at[path]].base
        if not isinstance(value, dict | bool):
            return None
        if path not in self._at:
            self._walk(value, path, base)
        return self._at[path]


def _joined(base: str, reference: str) -> str:
    """RFC 3986 §5.2, also for a base such as a URN, which has no parts to be relative to."""
    if not reference:
        return base
    if reference.startswith("#"):
        return urldefrag(base)[0] + reference
    return urljoin(base, reference)
