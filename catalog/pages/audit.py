"""The audit log: who changed what and when, filtered by the query string, a page at a time, and as a file."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from catalog.access import needs
from catalog.audit import reading
from catalog.audit.differences import MASK
from catalog.audit.kinds import KINDS
from catalog.audit.reading import COLUMNS, RANGES, Wanted, exported, wanted
from catalog.models import AuditRecord, people

SEES = "catalog.view_auditrecord"
PAGE = 50
PART = 1_000  # rows that an export reads at once
FORMS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
# The status that says how grave an action is, by its shape.
SHAPES = {"deleted": "bad", "refused": "bad", "revoked": "warn", "disabled": "warn", "discarded": "warn"}


class Difference(NamedTuple):
    """A field before and after, as text; `hidden`: both are secrets, and all that is told is that it changed."""

    name: str
    before: str
    after: str
    hidden: bool


class Line(NamedTuple):
    """A record of the page."""

    record: AuditRecord
    kind: str
    page: str
    shape: str
    differences: list[Difference]
    member: bool


@needs(SEES)
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """The newest records that fit the filter; `?before=ID` goes on from there."""
    asked = wanted(request.GET.dict())
    before = request.GET.get("before", "")
    rows = asked.rows()
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    pages = reading.pages_of(found)
    known = set(people().filter(username__in={one.by for one in found}).values_list("username", flat=True))
    lines = [
        Line(
            one,
            reading.label(one.kind),
            pages.get((one.kind, one.key), ""),
            SHAPES.get(one.action, "ok"),
            _differences(one),
            one.by in known,
        )
        for one in found
    ]
    filtered = any(request.GET.get(name) for name in reading.NAMES)
    context = {
        "lines": lines,
        "asked": asked,
        "said": {name: request.GET.get(name, "") for name in reading.NAMES},
        "since": request.GET.get("from", ""),
        "filtered": filtered,
        "range": request.GET.get("range", ""),
        "ranges": list(RANGES),
        "kinds": sorted(((name, str(kind.label)) for name, kind in KINDS.items()), key=lambda one: one[1]),
        "actions": AuditRecord.Action.choices,
        "next": found[-1].pk if more else None,
        "newest": bool(before),
        "days": settings.AUDIT_DAYS,
    }
    return render(request, "catalog/settings/audit.html", context)


def _differences(record: AuditRecord) -> list[Difference]:
    found = []
    for name in {**record.before, **record.after}:
        before, after = record.before.get(name), record.after.get(name)
        found.append(Difference(name, _text(before), _text(after), MASK in _text(before) and before == after))
    return found


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@needs(SEES)
@require_safe
def export(request: HttpRequest, form: str) -> HttpResponseBase:
    """All records that fit the filter, the newest first, as CSV or as JSON lines; read and sent part by part."""
    if form not in FORMS:
        raise Http404
    asked = wanted(request.GET.dict())
    if asked.problems:
        return HttpResponse(
            "\n".join(asked.problems.values()), status=422, content_type="text/plain; charset=utf-8"
        )
    # A server that talks ASGI sends what an asynchronous iterator gives; any other one collects it first.
    parts = _parts(asked, form)
    answer = StreamingHttpResponse(
        _without_blocking(parts) if hasattr(request, "scope") else parts, content_type=FORMS[form]
    )
    day = timezone.now().strftime("%Y-%m-%d")
    answer["Content-Disposition"] = f'attachment; filename="signalbox-audit-{day}.{form}"'
    return answer


async def _without_blocking(parts: Iterator[str]) -> AsyncIterator[str]:
    while (part := await sync_to_async(lambda: next(parts, None))()) is not None:
        yield part


def _parts(asked: Wanted, form: str) -> Iterator[str]:
    written = csv.writer(_Echo())
    if form == "csv":
        yield written.writerow(COLUMNS)
    last: int | None = None
    while True:
        rows = asked.rows()
        part = list((rows.filter(pk__lt=last) if last is not None else rows)[:PART])
        if not part:
            return
        last = part[-1].pk
        shown = [exported(one) for one in part]
        if form == "csv":
            yield "".join(written.writerow([_cell(one[name]) for name in COLUMNS]) for one in shown)
        else:
            yield "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in shown)


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        """Returns `text`."""
        return text


def _cell(value: Any) -> str:
    """A value for a spreadsheet, which would take what begins with one of these for a formula."""
    text = (
        ""
        if value is None
        else json.dumps(value, ensure_ascii=False)
        if isinstance(value, Mapping)
        else str(value)
    )
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
