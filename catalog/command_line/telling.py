"""What was found, for people (as compilers write it), as annotations for GitHub, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.command_line.ending import GOOD, REFUSED, UNDECIDED

COUNTEREXAMPLE = 2_000  # characters that are printed of one


class Line(NamedTuple):
    """One thing to say about a file. `level`: error, warning or notice; `more`: lines below it."""

    level: str
    file: str
    line: int | None
    said: str
    more: tuple[str, ...] = ()


def ending(found: dict[str, Any]) -> int:
    """How it ends: GOOD, REFUSED or UNDECIDED, for a verdict or a check."""
    if "outcome" not in found:
        return GOOD if found["valid"] else REFUSED
    if found["accepted"]:
        return GOOD
    return UNDECIDED if found["outcome"] == "undecided" else REFUSED


def of_mistakes(file: str, mistakes: list[dict[str, Any]]) -> Iterator[Line]:
    """Mistakes, as the API tells them."""
    for one in mistakes:
        pointer = f"{one['pointer']}: " if one.get("pointer") else ""
        yield Line("error", file, one.get("line"), f"{pointer}{one['detail']}")


def of_check(file: str, found: dict[str, Any]) -> Iterator[Line]:
    """A check of a schema or of a document."""
    yield from of_mistakes(file, found["mistakes"])
    for candidate in found["candidates"]:
        for one in of_mistakes(file, candidate["problems"]):
            name = f"{candidate['name']}: " if candidate["name"] else ""
            yield one._replace(said=f"{name}{one.said}")
    for note in found["notes"]:
        yield Line("notice", file, None, note)


def of_verdict(file: str, found: dict[str, Any]) -> Iterator[Line]:
    """A verdict, with the event that shows each break."""
    for one in found["breaks"]:
        accepted = found["accepted"] and one["caution"]
        caution = _("caution: ") if one["caution"] else ""
        against = "" if one["against"] is None else " " + _("(against version %(n)s)") % {"n": one["against"]}
        yield Line(
            "warning" if accepted else "error",
            file,
            one["line"],
            f"{caution}{_at(one['path'], one['message'])}{against}",
            tuple(_shown(one)),
        )
    for one in found["undecided"]:
        yield Line(
            "warning", file, None, f"{one['path']}: " + _("not decided: %(why)s") % {"why": one["why"]}
        )
    if not found["accepted"] and any(one["caution"] for one in found["breaks"]):
        yield Line(
            "notice", file, None, _("With --accept-cautions, what is called a caution here does not count.")
        )
    if found["more"]:
        yield Line("notice", file, None, _("%(n)s more are left out.") % {"n": found["more"]})
    for hint in found["hints"]:
        yield Line("notice", file, None, hint)


def _at(path: str, message: str) -> str:
    """Most messages begin with the place themselves."""
    return message if message.startswith(path) else f"{path}: {message}"


def _shown(one: dict[str, Any]) -> Iterator[str]:
    if not one["has_counterexample"]:
        return
    yield (
        _("This event of the new version shows it; the old one refuses it:")
        if one["direction"] == "forward"
        else _("This event of the old version shows it; the new one refuses it:")
    )
    text = json.dumps(one["counterexample"], indent=2, ensure_ascii=False)
    yield from (text if len(text) <= COUNTEREXAMPLE else text[: COUNTEREXAMPLE - 1] + "…").splitlines()
    if one["reason"]:
        yield _("It says: %(reason)s") % {"reason": one["reason"]}


def for_people(line: Line) -> str:
    """file:line: what, with more indented below."""
    place = line.file if line.line is None else f"{line.file}:{line.line}"
    word = {"error": "", "warning": _("warning: "), "notice": _("note: ")}[line.level]
    return "\n".join([f"{place}: {word}{line.said}", *(f"    {one}" for one in line.more)])


def for_github(line: Line) -> str:
    """A workflow command that GitHub shows beside the line of the file."""
    place = f"file={_property(line.file)}" + ("" if line.line is None else f",line={line.line}")
    text = "\n".join([line.said, *line.more])
    return f"::{line.level} {place}::{_message(text)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def summary(file: str, found: dict[str, Any]) -> str:
    """The last line: what it comes to."""
    if "outcome" not in found:
        kind = found["kind"] or _("nothing known")
        mistakes = len(found["mistakes"]) + sum(len(one["problems"]) for one in found["candidates"])
        if not mistakes:
            return _("%(file)s: good, %(kind)s.") % {"file": file, "kind": kind}
        said = ngettext("%(n)s mistake", "%(n)s mistakes", mistakes) % {"n": mistakes}
        return _("%(file)s: %(said)s, %(kind)s.") % {"file": file, "said": said, "kind": kind}
    says = {"file": file, "mode": found["mode"], "policy": found["policy"]}
    if found["outcome"] == "compatible":
        return _("%(file)s: compatible (%(mode)s, %(policy)s).") % says
    if found["accepted"]:
        return _("%(file)s: compatible with cautions, which are accepted (%(mode)s, %(policy)s).") % says
    if found["outcome"] == "undecided":
        return _("%(file)s: not decided (%(mode)s, %(policy)s). Look at the places above.") % says
    if found["breaks"] and all(one["caution"] for one in found["breaks"]):
        return _("%(file)s: not compatible, by cautions alone (%(mode)s, %(policy)s).") % says
    return _("%(file)s: not compatible (%(mode)s, %(policy)s).") % says
