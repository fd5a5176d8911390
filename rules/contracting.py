"""Section "Contract" of the editor: what a target takes, written down; and a template that fills its fields."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils.translation import gettext as _

from catalog.schemas.fields import Field as ContractField
from rules.contract import Contract, ContractRefused, compile_contract
from rules.fields import Field
from rules.openapi import OpenApiRefused, Operation, operations, read_document

_BY_PLACE = re.compile(r"(?i)(get|put|post|delete|options|head|patch|trace)\s+(/\S*)")
_OPENAPI = re.compile(r'(?m)^\s*["{\s]*openapi["\']?\s*:')


@dataclass
class Contracting:
    """What the form holds: `text`, a JSON Schema or an OpenAPI document, and `operation` of the latter.

    `compiled` is None without a contract and while something is wrong; `problems` says what, a sentence each.
    """

    text: str = ""
    operation: str = ""
    media_type: str = ""
    compiled: Contract | None = None
    problems: list[str] = field(default_factory=list)
    offered: list[Operation] = field(default_factory=list)
    notice: str = ""
    """What a template that was just written for it lacks."""

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Contracting:
        """What the spec of a contract says."""
        written = spec.get("schema", spec.get("openapi", ""))
        text = written if isinstance(written, str) else json.dumps(written, indent=2, ensure_ascii=False)
        operation = spec.get("operation") or f"{spec.get('method', '')} {spec.get('path', '')}".strip()
        return cls(text, operation, spec.get("media_type") or "").checked()

    @classmethod
    def read(cls, data: QueryDict) -> Contracting:
        """What a form was sent with."""
        text = data.get("contract", "").replace("\r\n", "\n")
        return cls(
            text if text.strip() else "",
            data.get("contract-operation", "").strip(),
            data.get("contract-media-type", "").strip(),
        ).checked()

    @property
    def is_openapi(self) -> bool:
        """Whether the text is an OpenAPI document, not a schema by itself."""
        return bool(_OPENAPI.search(self.text[:4096]))

    def spec(self) -> dict[str, Any]:
        """The spec of the contract; {} for none."""
        if not self.text:
            return {}
        if not self.is_openapi:
            return {"schema": self.text}
        spec: dict[str, Any] = {"openapi": self.text}
        by_place = _BY_PLACE.fullmatch(self.operation)
        if by_place:
            spec |= {"method": by_place[1].lower(), "path": by_place[2]}
        else:
            spec["operation"] = self.operation
        return spec | ({"media_type": self.media_type} if self.media_type else {})

    def checked(self) -> Contracting:
        """Itself, compiled."""
        if not self.text:
            return self
        if self.is_openapi:
            try:
                self.offered = operations(read_document(self.text))
            except OpenApiRefused as error:
                self.problems = [str(error)]
                return self
            if not self.operation and len(self.offered) == 1:
                self.operation = self.offered[0].name or f"{self.offered[0].method} {self.offered[0].path}"
            if not self.operation:
                self.problems = [_("Name the operation that is called, as in “post /orders” or by its id.")]
                return self
        try:
            self.compiled = compile_contract(self.spec())
        except ContractRefused as error:
            self.problems = error.problems
        return self

    def is_valid(self) -> bool:
        """Whether it can be saved."""
        return not self.problems

    @property
    def fields(self) -> list[ContractField]:
        """The fields that the target takes."""
        return self.compiled.fields() if self.compiled is not None else []


class Filled(NamedTuple):
    """A template, and the required fields of the contract that are not in it: nothing of the events is called alike."""

    text: str
    left_out: list[str]


def template_for(wanted: Sequence[ContractField], have: Iterable[Field]) -> Filled:
    """A JSON template with every field of a contract that a field of the events is called alike.

    A field with one choice gets it. Nothing is made up for the others: they are left out.
    """
    sources = list(have)
    root: dict[str, Any] = {}
    left_out = []
    for one in wanted:
        if "[]" in one.path or one.children:
            continue
        found = _alike(one, sources)
        if found is not None:
            value: Any = f"${{{found.place}}}"
        elif len(one.choices) == 1 and one.choices[0] is not None:
            value = one.choices[0]
        else:
            left_out += [".".join(one.path)] if one.required else []
            continue
        at = root
        for name in one.path[:-1]:
            at = at.setdefault(name, {})
        at[one.path[-1]] = value
    return Filled(json.dumps(root, indent=2, ensure_ascii=False), left_out)


def _alike(wanted: ContractField, sources: Sequence[Field]) -> Field | None:
    names = [_plain(name) for name in wanted.path]
    best, most = None, 0
    for source in sources:
        mine = [_plain(name) for name in source.path.removeprefix("data.").split(".")]
        if mine == names:
            score = 4
        elif mine[-1:] == names[-1:]:
            score = 3 if source.path.startswith("data.") else 2
        elif "".join(mine[-2:]) == names[-1] or mine[-1] == "".join(names[-2:]):
            score = 2
        else:
            score = 0
        if score > most:
            best, most = source, score
    return best


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
