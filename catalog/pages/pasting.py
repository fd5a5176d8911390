"""Paste anything: what the text is, the form it fills, or the event types one may tick."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog import importing
from catalog.access import needs
from catalog.display import words
from catalog.drafts import content_of, drafts_of
from catalog.forms.event_types import initial_of
from catalog.forms.lists import tags_in
from catalog.forms.registering import RegisterPageForm
from catalog.forms.schemas import said
from catalog.forms.several import SeveralForm
from catalog.models import EventType
from catalog.pasted import ORIGINS, PASTED_BYTES, Filled, filled, read
from catalog.schemas.documents import Candidate, Document, Origin, needs_long_check
from catalog.schemas.text import Mistake

SHOWN, SHOWN_SECONDS = 200, 0.5
# Where a document says that something happens; its other schemas are parts of these more often than events.
OF_EVENTS = frozenset({Origin.EVENT, Origin.WEBHOOK, Origin.CALLBACK, Origin.EXTENSION, Origin.MESSAGE})
# What a reading may put into the form.
READ = ("name", "summary", "docs", "tags", "sources", "new_source", "schema", "example", "examples")
FRESH = {
    "schema": """{
  "type": "object",
  "required": ["id"],
  "properties": {
    "id": { "type": "string", "description": "What the event is about" }
  }
}""",
    "example": '{\n  "id": "order-1"\n}',
}


class Choice(NamedTuple):
    """A candidate in the list: its place in the document, whether it is ticked, why it cannot be used as it is.

    `known` is the name it is registered by already, else "".
    """

    at: int
    candidate: Candidate
    on: bool
    problems: list[str]
    known: str = ""


class Reading(NamedTuple):
    """What the pasted text turned out to be, for the page. `problems` are for the text area: line and message."""

    document: Document | None
    kind: str
    mistakes: list[str]
    problems: str
    large: str = ""
    guesses: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    origin: str = ""


def text_in(request: HttpRequest) -> str:
    """The pasted text, or that of an uploaded file (field `upload`); cut beyond what is read at all."""
    upload = request.FILES.get("upload")
    if upload is not None:
        return upload.read(PASTED_BYTES + 1).decode("utf-8-sig", "replace")
    return str(request.POST.get("document", ""))


def digest(value: Any) -> str:
    """A short mark of a field's value, to see later whether a person changed it."""
    if isinstance(value, str):
        value = value.replace("\r\n", "\n")
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def fresh_marks() -> dict[str, str]:
    """The marks of a form nobody has written into."""
    return {name: digest(value) for name, value in FRESH.items()}


def below(request: HttpRequest, as_typed: bool = False) -> dict[str, Any]:
    """Context of what is below the box: the reading, and the form it fills or the list it offers.

    `as_typed`: it was asked for by a pressed key, so what takes long waits for the button.
    """
    text = text_in(request)
    content = content_of(request.POST, RegisterPageForm.keeps)
    taken = _marks_in(request.POST)
    context: dict[str, Any] = {
        "origin": request.POST.get("origin", ""),
        "draft_id": request.POST.get("draft", ""),
    }
    if not text.strip():
        return context | _form(request, content, taken)
    if len(text.encode()) > PASTED_BYTES:
        return context | _form(request, content, taken) | {"reading": _too_large()}
    if as_typed and needs_long_check(text):
        size = _("%(kilobytes)s kB") % {"kilobytes": words.number(len(text) // 1024)}
        return context | _form(request, content, taken) | {"reading": Reading(None, "", [], "[]", large=size)}
    document = read(text)
    chosen = _chosen(request.POST, document)
    if chosen is not None:
        found = filled(document, chosen)
        content, taken, kept = _filled(content, taken, found)
        reading = _read(document, chosen.problems, tuple(found.guesses), tuple(kept), found.origin)
        return context | _form(request, content, taken) | {"reading": reading, "origin": found.origin}
    reading = _read(document, ())
    if len(document.candidates) > 1:
        return context | {"reading": reading} | _several(request, document, text)
    return context | _form(request, content, taken) | {"reading": reading}


def read_version(request: HttpRequest, type_name: str) -> tuple[Reading | None, QueryDict]:
    """What a text pasted into the form of a next version is, and the form's data with what it says put in.

    Of several event types the one called `type_name` counts. The reading is None when nothing was pasted.
    """
    text, data = text_in(request), request.POST.copy()
    if not text.strip():
        return None, data
    if len(text.encode()) > PASTED_BYTES:
        return _too_large(), data
    document = read(text)
    candidates = document.candidates
    chosen = next((one for one in candidates if one.name == type_name), None)
    if chosen is None and len(candidates) == 1:
        chosen = candidates[0]
    if chosen is None:
        reading = _read(document, ())
        if candidates:
            said = _("None of the %(count)s event types that it describes is called %(name)s.")
            reading.mistakes.append(said % {"count": len(candidates), "name": type_name})
        return reading, data
    found = filled(document, chosen)
    if found.content["schema"]:
        data["schema"] = found.content["schema"]
    if found.content["example"]:
        further = found.content["examples"]
        data["example"] = found.content["example"]
        data.setlist("examples", [one["data"] for one in further])
        data.setlist("examples_name", [one["name"] for one in further])
    return _read(document, chosen.problems, tuple(found.guesses), (), found.origin), data


@needs("catalog.add_eventtype")
@require_POST
def paste(request: HttpRequest) -> HttpResponse:
    """For htmx: what is below the box, after a key was pressed in it or a candidate was chosen."""
    return render(request, "catalog/register/below.html", below(request, "open" not in request.POST))


@needs("catalog.add_eventtype")
@require_POST
def several(request: HttpRequest) -> HttpResponse:
    """Begins to register the ticked event types (action=several) or to keep them as drafts (action=several-drafts)."""
    text = text_in(request)
    if len(text.encode()) > PASTED_BYTES:
        return render(request, "catalog/register.html", below(request))
    document = read(text)
    form = SeveralForm(request.POST, user=request.user)
    take = sorted({int(at) for at in request.POST.getlist("take") if at.isdigit() and len(at) < 6})
    take = [at for at in take if at < len(document.candidates)]
    if "take_rest" in request.POST:
        take += range(SHOWN, len(document.candidates))
    valid = form.is_valid()
    if not take:
        form.add_error(None, _("Tick at least one event type."))
    if not take or not valid:
        context = {"reading": _read(document, ()), **_several(request, document, text, form)}
        return render(request, "catalog/register.html", context)
    as_drafts = request.POST.get("action") == "several-drafts"
    title = document.title or str(document.kind)
    run = importing.start(request.user, text, take, form.shared(), as_drafts, title)
    importing.step(run, request.user)
    return redirect("import-run", pk=run.pk)


@needs("catalog.add_eventtype")
def import_run(request: HttpRequest, pk: int) -> HttpResponse:
    """How far an import is and what became of each event type. POST goes on with it for less than a second."""
    run = get_object_or_404(drafts_of(request.user), pk=pk, origin=importing.IMPORT)
    if request.method == "POST":
        importing.step(run, request.user)
        if not request.headers.get("HX-Request"):
            return redirect("import-run", pk=pk)
    report = run.content["report"]
    counts = {
        state: sum(row["state"] == state for row in report)
        for state in ("registered", "draft", "unchanged", "refused")
    }
    context = {
        "run": run,
        "report": report,
        "counts": counts,
        "done": importing.is_done(run),
        "finished": len(report),
        "all": len(run.content["take"]),
    }
    by_script = request.headers.get("HX-Request") and request.method == "POST"
    return render(
        request, "catalog/register/run_part.html" if by_script else "catalog/register/run.html", context
    )


def _form(request: HttpRequest, content: Mapping[str, Any], taken: Mapping[str, str]) -> dict[str, Any]:
    form = RegisterPageForm(user=request.user, initial=initial_of(content))
    return {"form": form, "taken": json.dumps(taken)}


def _several(
    request: HttpRequest, document: Document, text: str, form: SeveralForm | None = None
) -> dict[str, Any]:
    """The list of candidates. Problems are looked for in the first ones, for half a second."""
    began, choices = time.monotonic(), []
    posted = set(request.POST.getlist("take")) if form is not None else None
    events = any(one.origin in OF_EVENTS for one in document.candidates)
    known = _registered(document.candidates[:SHOWN])
    for at, candidate in enumerate(document.candidates[:SHOWN]):
        in_time = time.monotonic() - began < SHOWN_SECONDS
        problems = [said(one) for one in candidate.problems[:3]] if in_time else []
        on = (
            str(at) in posted
            if posted is not None
            else not problems and (candidate.origin in OF_EVENTS or not events)
        )
        choices.append(Choice(at, candidate, on, problems, candidate.name if candidate.name in known else ""))
    initial = {
        name: request.POST.get(name, "") for name in ("team", "domain", "tags") if request.POST.get(name)
    }
    return {
        "several": form or SeveralForm(user=request.user, initial=initial),
        "choices": choices,
        "ticked": sum(one.on for one in choices),
        "rest": max(len(document.candidates) - SHOWN, 0),
        "rest_on": form is not None and "take_rest" in request.POST,
        # What was uploaded is posted again as text.
        "pasted": text,
        "form": None,
    }


def _registered(candidates: Sequence[Candidate]) -> set[str]:
    """The names among `candidates` that are registered already."""
    names = [one.name for one in candidates if one.name]
    return set(EventType.objects.filter(name__in=names).values_list("name", flat=True))


def _chosen(post: Mapping[str, str], document: Document) -> Candidate | None:
    at = post.get("open", "")
    if at.isdigit() and len(at) < 6 and int(at) < len(document.candidates):
        return document.candidates[int(at)]
    return document.candidates[0] if len(document.candidates) == 1 else None


def _filled(
    content: dict[str, Any], taken: dict[str, str], found: Filled
) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """The form's fields with what was read put in wherever a person has not written something else."""
    content, taken, kept = dict(content), dict(taken), []
    for name in READ:
        now, read_value = content.get(name), found.content.get(name, "")
        if name == "sources":
            now = [int(one) for one in now or [] if str(one).isdigit()]
        if name == "tags":
            now = ", ".join(tags_in(str(now or "")))
            read_value = ", ".join(tags_in(read_value))
        untouched = not now or digest(now) == taken.get(name)
        if untouched:
            content[name] = read_value
            taken[name] = digest(read_value)
        elif now != read_value and read_value:
            kept.append(str(RegisterPageForm.base_fields[name].label))
    return content, taken, kept


def _marks_in(post: Mapping[str, str]) -> dict[str, str]:
    try:
        found = json.loads(post.get("taken", "") or "{}")
    except ValueError:
        return {}
    return {str(name): str(mark) for name, mark in found.items()} if isinstance(found, dict) else {}


def _read(
    document: Document,
    more: tuple[Mistake, ...],
    guesses: tuple[str, ...] = (),
    kept: tuple[str, ...] = (),
    origin: str = "",
) -> Reading:
    mistakes = list(dict.fromkeys([*document.mistakes, *more]))
    problems = [{"line": one.line, "message": one.message} for one in mistakes if one.line]
    kind = f"{document.kind} {document.version}".strip()
    told = [said(one) for one in mistakes[:8]]
    if len(mistakes) > 8:
        told.append(_("And %(count)s more.") % {"count": len(mistakes) - 8})
    return Reading(
        document,
        kind,
        told,
        json.dumps(problems),
        "",
        guesses,
        kept,
        origin or ORIGINS.get(document.kind, ""),
    )


def _too_large() -> Reading:
    message = _("At most 2 MiB can be read at once. Paste a part of it.")
    return Reading(None, "", [message], "[]")
