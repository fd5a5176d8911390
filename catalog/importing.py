"""Registering many event types of one document, in steps that a browser asks for.

An import is a Draft whose content holds the document, what was ticked and what became of it so far. Each step works for
less than a second, so no worker is held up, and what is interrupted goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.forms.event_types import RegisterForm
from catalog.models import Draft, EventType
from catalog.pasted import Filled, filled, read
from catalog.schemas.documents import Candidate, Document
from catalog.schemas.text import NotJson, parse

STEP_SECONDS = 0.8
IMPORT = "import"
REGISTERED, KEPT, UNCHANGED, REFUSED = "registered", "draft", "unchanged", "refused"


def start(
    user: Any, text: str, take: Sequence[int], shared: Mapping[str, Any], as_drafts: bool, title: str
) -> Draft:
    """Saves an import of the candidates `take` (places in the document). `shared` holds form fields for all of them."""
    content = {
        "document": text,
        "take": list(take),
        "shared": dict(shared),
        "as_drafts": as_drafts,
        "title": title,
        "report": [],
    }
    return Draft.objects.create(name=title[:255], origin=IMPORT, content=content, created_by=user)


def is_import(draft: Draft) -> bool:
    """Whether `draft` is an import, not one registration."""
    return draft.origin == IMPORT and "take" in draft.content


def is_done(draft: Draft) -> bool:
    """Whether nothing is left to do."""
    return len(draft.content["report"]) >= len(draft.content["take"])


def step(
    draft: Draft, user: Any, seconds: float = STEP_SECONDS, clock: Callable[[], float] = time.monotonic
) -> None:
    """Goes on with an import for `seconds`, at least by one candidate. Does nothing while another step has it."""
    claimed = timezone.now()
    if is_done(draft) or not Draft.objects.filter(pk=draft.pk, changed_at=draft.changed_at).update(
        changed_at=claimed
    ):
        return
    content, ends = draft.content, clock() + seconds
    document = read(content["document"])
    while len(content["report"]) < len(content["take"]):
        at = content["take"][len(content["report"])]
        content["report"].append(_one(document, at, content, user))
        if clock() >= ends:
            break
    if is_done(draft):
        # The report is worth keeping; the document is not.
        content["document"] = ""
    draft.changed_at = timezone.now()
    draft.save(update_fields=["content", "changed_at"])


def _one(document: Document, at: int, content: Mapping[str, Any], user: Any) -> dict[str, Any]:
    """What became of one candidate: {"name", "state", "why", "draft" (id or None), "type" (name or "")}."""
    if not 0 <= at < len(document.candidates):
        return _row("", REFUSED, _("The document does not describe it any more."))
    candidate = document.candidates[at]
    found = filled(document, candidate)
    shared = content["shared"]
    before = shared.get("before", "")
    name = candidate.name if candidate.name.startswith(before) else f"{before}{candidate.name}"
    fields = {**found.content, **shared, "name": name}
    fields["tags"] = ", ".join(part for part in (found.content["tags"], shared.get("tags", "")) if part)
    if not fields["summary"]:
        fields["summary"] = _("Read from %(title)s.") % {"title": content["title"]}
    known = EventType.objects.filter(name=fields["name"]).first()
    if known is not None:
        return _of_known(known, fields, found, user)
    problems = [str(one) for one in candidate.problems]
    if content["as_drafts"]:
        return _kept(fields, found, user, " ".join(problems[:3]))
    if problems:
        return (
            _kept(fields, found, user, " ".join(problems[:3]))
            if found.content["schema"]
            else _refused(candidate)
        )
    form = RegisterForm(fields, user=user, origin=found.origin)
    if not form.is_valid():
        return _kept(fields, found, user, said_in(form))
    try:
        form.save()
    except IntegrityError:
        return _kept(fields, found, user, _("Somebody registered this name just now."))
    return _row(fields["name"], REGISTERED, type_name=fields["name"])


def said_in(form: RegisterForm) -> str:
    """The first mistakes of a form, with the names of their fields."""
    said = []
    for name, errors in list(form.errors.items())[:3]:
        label = f"{form.fields[name].label}: " if name in form.fields else ""
        said.append(f"{label}{errors[0]}")
    return " ".join(said)


def _of_known(known: EventType, fields: Mapping[str, Any], found: Filled, user: Any) -> dict[str, Any]:
    last = known.latest
    if last is not None and _same(last.schema, str(fields["schema"])):
        return _row(
            known.name, UNCHANGED, _("It is registered with this schema already."), type_name=known.name
        )
    version = {name: fields[name] for name in ("schema", "example", "examples")}
    draft = Draft.objects.create(
        name=known.name, event_type=known, content=version, origin=found.origin, created_by=user
    )
    why = _("It is registered already. This is kept as a draft of its next version.")
    return _row(known.name, KEPT, why, draft=draft.pk, type_name=known.name)


def _same(one: str, other: str) -> bool:
    try:
        return bool(parse(one) == parse(other))
    except NotJson:
        return False


def _kept(fields: Mapping[str, Any], found: Filled, user: Any, why: str) -> dict[str, Any]:
    content = {name: value for name, value in fields.items() if name != "before"}
    draft = Draft.objects.create(
        name=str(fields["name"])[:255], content=content, origin=found.origin, created_by=user
    )
    return _row(str(fields["name"]), KEPT, why, draft=draft.pk)


def _refused(candidate: Candidate) -> dict[str, Any]:
    return _row(candidate.name, REFUSED, " ".join(str(one) for one in candidate.problems[:3]))


def _row(
    name: str, state: str, why: str = "", draft: int | None = None, type_name: str = ""
) -> dict[str, Any]:
    return {"name": name, "state": state, "why": why, "draft": draft, "type": type_name}
