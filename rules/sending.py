"""Section "Send as" of the editor: what a target is sent, as the form holds it and as a transform's spec, both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils.translation import gettext as _

EXAMPLE_TEMPLATE = (
    '{\n  "id": "${id}",\n  "what": "${type}",\n  "about": "${subject}",\n  "data": "${data}"\n}'
)
EXAMPLE_JSONATA = '{\n  "id": id,\n  "about": subject,\n  "data": data\n}'
KINDS = ("complete", "partial", "constant", "template", "jsonata")
MISSING = ("null", "omit", "error")


class Part(NamedTuple):
    """One part that is sent: a member's name and the JSONPath of its value."""

    name: str
    path: str


@dataclass
class Sending:
    """What the form holds; every kind keeps what was written for it while another one is chosen.

    `parts`: one without a name, alone, is sent as it is. `constant_is_text`: sent as written, not as JSON.
    `variables`: lines "name: JSONPath" for the template. `missing`: what a value that is not there becomes.
    """

    kind: str = "complete"
    parts: list[Part] = field(default_factory=lambda: [Part("data", "$.data")])
    constant: str = "{}"
    constant_is_text: bool = False
    template: str = EXAMPLE_TEMPLATE
    variables: str = ""
    jsonata: str = EXAMPLE_JSONATA
    missing: str = "null"
    content_type: str = ""
    fresh: int = -1
    """The part that a button just made, -1 for none."""

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Sending:
        """What the spec of a transform says."""
        sending = cls(
            kind=spec.get("kind", "complete"),
            missing=spec.get("missing", "null"),
            content_type=spec.get("content_type", ""),
        )
        if "path" in spec:
            sending.parts = [Part("", spec["path"])]
        elif isinstance(spec.get("paths"), dict):
            sending.parts = [Part(name, path) for name, path in spec["paths"].items()]
        if "value" in spec:
            sending.constant = json.dumps(spec["value"], indent=2, ensure_ascii=False)
        elif "text" in spec:
            sending.constant, sending.constant_is_text = spec["text"], True
        sending.template = spec.get("template", EXAMPLE_TEMPLATE)
        sending.jsonata = spec.get("expression", EXAMPLE_JSONATA)
        sending.variables = "\n".join(f"{name}: {path}" for name, path in spec.get("variables", {}).items())
        return sending

    @classmethod
    def read(cls, data: QueryDict) -> Sending:
        """What a form was sent with, its buttons applied."""
        kind, missing = data.get("send", "complete"), data.get("missing", "null")
        sending = cls(
            kind=kind if kind in KINDS else "complete",
            constant=_lines(data.get("constant", "{}")),
            constant_is_text="constant-text" in data,
            template=_lines(data.get("template", EXAMPLE_TEMPLATE)),
            variables=_lines(data.get("variables", "")),
            jsonata=_lines(data.get("jsonata", EXAMPLE_JSONATA)),
            missing=missing if missing in MISSING else "null",
            content_type=data.get("content-type", "").strip(),
        )
        names, paths = data.getlist("part-name"), data.getlist("part-path")
        if names or paths:
            sending.parts = [Part(*pair) for pair in zip_longest(names, paths, fillvalue="")]
        button = data.get("do", "")
        verb, _dash, number = button.rpartition("-")
        if button == "add-part":
            sending.parts.append(Part("", ""))
            sending.fresh = len(sending.parts) - 1
        elif verb == "drop-part" and number.isdecimal() and int(number) < len(sending.parts):
            del sending.parts[int(number)]
        return sending

    @property
    def label(self) -> str:
        """What the chosen way to send is called."""
        return label_of(self.kind)

    def spec(self) -> dict[str, Any]:
        """The transform's spec. Raises SendingError for what can be no spec at all."""
        spec: dict[str, Any] = {"kind": self.kind}
        if self.kind == "partial":
            spec |= self._parts()
        elif self.kind == "constant":
            spec |= self._constant()
        elif self.kind == "template":
            spec["template"] = self.template
            if variables := self._variables():
                spec["variables"] = variables
        elif self.kind == "jsonata":
            spec["expression"] = self.jsonata
        if self.kind in ("partial", "template", "jsonata") and self.missing != "null":
            spec["missing"] = self.missing
        if self.kind != "complete" and self.content_type:
            spec["content_type"] = self.content_type
        return spec

    def _parts(self) -> dict[str, Any]:
        filled = [part for part in self.parts if part.name.strip() or part.path.strip()]
        if not filled:
            raise SendingError("partial", _("Name a part and where it is, as in total and $.data.total."))
        if len(filled) == 1 and not filled[0].name.strip():
            return {"path": filled[0].path.strip()}
        paths: dict[str, str] = {}
        for part in filled:
            name = part.name.strip()
            if not name:
                raise SendingError("partial", _("Give %(path)s a name.") % {"path": part.path})
            if name in paths:
                raise SendingError("partial", _("There are two parts called %(name)s.") % {"name": name})
            paths[name] = part.path.strip()
        return {"paths": paths}

    def _constant(self) -> dict[str, Any]:
        if self.constant_is_text:
            return {"text": self.constant}
        try:
            return {"value": json.loads(self.constant)}
        except json.JSONDecodeError as error:
            raise SendingError(
                "constant",
                _("This is not JSON: %(what)s. Mend it, or send it as text.") % {"what": error.msg},
                error.lineno,
            ) from None
        except (ValueError, RecursionError) as error:
            raise SendingError("constant", str(error)) from None

    def _variables(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for number, line in enumerate(self.variables.splitlines(), 1):
            if not line.strip():
                continue
            name, colon, path = line.partition(":")
            if not colon or name.strip() in found:
                raise SendingError(
                    "variables",
                    _("Write a name, once, a colon and a path, as in total: $.data.total."),
                    number,
                )
            found[name.strip()] = path.strip()
        return found


class SendingError(ValueError):
    """What is wrong and at which place of the section: a kind's name or "variables"; `line` from 1."""

    def __init__(self, place: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.place, self.message, self.line = place, message, line


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def labels() -> list[tuple[str, str]]:
    """The ways to send, with their labels."""
    return [
        ("complete", _("Whole event")),
        ("partial", _("Parts")),
        ("constant", _("Constant")),
        ("template", _("Template")),
        ("jsonata", "JSONata"),
    ]


def label_of(kind: str) -> str:
    """What a way to send is called."""
    return dict(labels()).get(kind, kind)
