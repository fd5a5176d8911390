"""What the register form asks while one writes: is the name free, does the schema hold, would a new version break."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from catalog.access import needs
from catalog.forms.event_types import VersionForm, name_problem
from catalog.forms.lists import EXAMPLES
from catalog.forms.schemas import SchemaFields, example_row
from catalog.models import EventType
from catalog.registering import Judgement, Observed, Presence, Unfit, judge, unfit_examples
from catalog.schemas.compatibility import Break, Direction, Undecided
from catalog.schemas.difference import Change, difference
from catalog.schemas.text import in_lines, parse
from catalog.wanted import open_wishes

BREAKS = 20
TAGS = 8


class Shown(NamedTuple):
    """A break as the page shows it: who takes the counterexample, who refuses it, and what was really seen there."""

    found: Break
    accepted_by: str
    refused_by: str
    seen: Presence | None

    @property
    def counterexample(self) -> str:
        """The event's data as JSON text."""
        return json.dumps(self.found.counterexample, ensure_ascii=False)


class Doubt(NamedTuple):
    """A place that was not decided, and what was really seen there."""

    found: Undecided
    seen: Presence | None


class Answer(NamedTuple):
    """The verdict on a new version as the page shows it. `days`: how far back `seen` looks."""

    judgement: Judgement
    breaks: list[Shown]
    cautions: list[Shown]
    doubts: list[Doubt]
    more: int
    days: int
    newest: int


@needs("catalog.add_eventtype")
@require_safe
def check_name(request: HttpRequest) -> HttpResponse:
    """For htmx: whether `?name=` can be a new type's name."""
    name = request.GET.get("name", "").strip()
    problem = name_problem(name) if name else None
    wish = open_wishes(request.user).filter(name__iexact=name).first() if name and not problem else None
    context = {"name": name, "problem": problem, "wish": wish}
    return render(request, "catalog/name_check.html", context)


@needs("catalog.add_eventtype")
@require_POST
def check_schema(request: HttpRequest) -> HttpResponse:
    """For htmx: what is wrong with the schema and its examples, and its fields with their personal marks."""
    form = SchemaFields(request.POST)
    form.is_valid()
    return render(request, "catalog/register/schema_check.html", {"form": form, "live": True})


@needs("catalog.add_eventtype")
@require_POST
def another_example(request: HttpRequest) -> HttpResponse:
    """For htmx: an empty row for one more example."""
    rows = len(request.POST.getlist("examples"))
    row = example_row(rows + 2) if rows < EXAMPLES else None
    return render(request, "catalog/register/example_row.html", {"row": row, "most": EXAMPLES})


@needs("catalog.add_eventtype")
@require_POST
def preview_docs(request: HttpRequest) -> HttpResponse:
    """For htmx: the documentation as its page will show it."""
    return render(
        request, "catalog/register/docs_preview.html", {"docs": request.POST.get("docs", "")[:20_000]}
    )


@needs("catalog.add_eventtype")
@require_safe
def suggest_tags(request: HttpRequest) -> HttpResponse:
    """For htmx: completions of the last tag of `?tags=`, out of the tags in use, each with what stands before it."""
    before, comma, last = request.GET.get("tags", "")[:800].rpartition(",")
    typed = last.strip().casefold()
    have = {tag.strip().casefold() for tag in before.split(",")}
    counts: dict[str, int] = {}
    for tags in EventType.objects.exclude(tags=[]).values_list("tags", flat=True)[:10_000]:
        for tag in tags:
            if isinstance(tag, str) and typed in tag.casefold() and tag.casefold() not in have:
                counts[tag] = counts.get(tag, 0) + 1
    best = sorted(counts, key=lambda tag: (not tag.casefold().startswith(typed), -counts[tag], tag))[:TAGS]
    start = f"{before.strip()}{comma} " if comma else ""
    return render(
        request, "catalog/register/tag_options.html", {"options": [f"{start}{tag}" for tag in best]}
    )


@needs("catalog.add_schemaversion")
@require_POST
def check_version(request: HttpRequest, name: str) -> HttpResponse:
    """For htmx: what is wrong with the form's version, what it changes, and whether it keeps what its type promises."""
    found = get_object_or_404(EventType.objects.select_related("team", "domain"), name=name)
    form = VersionForm(request.POST, event_type=found, user=request.user)
    schema = SchemaFields(request.POST)
    schema.is_valid()
    context = {"form": form, "live": True, "type": found, "schema_form": schema, **comparison(form)}
    return render(request, "catalog/register/version_check.html", context)


def comparison(form: VersionForm) -> dict[str, Any]:
    """What the version form's schema means for its type: verdict, differences, old examples. Empty while it is wrong."""
    form.is_valid()
    text, last = form.cleaned_data.get("schema"), form.last
    if not text or form.errors.get("schema") or last is None:
        shown = form.schema_text.strip()
        return {"same": bool(last and shown in (last.schema.strip(), in_lines(last.schema)))}
    texts = [
        form.cleaned_data.get("example") or "",
        *(row["data"] for row in form.cleaned_data.get("examples") or []),
    ]
    judgement = form.judgement or judge(form.event_type, text, [one for one in texts if one])
    changes: list[Change] = difference(parse(last.schema), parse(text))
    unfit: list[Unfit] = unfit_examples(form.event_type, text)
    return {
        "answer": answer_of(form.event_type, judgement, last.number) if judgement else None,
        "changes": changes,
        "unfit": unfit,
        "last": last,
        "may_override": form.may_override,
    }


def answer_of(event_type: EventType, judgement: Judgement, newest: int) -> Answer:
    """The judgement with what was really seen of each place."""
    verdict = judgement.verdict
    asked = verdict.breaks or verdict.undecided
    observed = Observed(event_type.name if asked else "", event_type.personal)
    shown = [_shown(one, observed, newest) for one in verdict.breaks[:BREAKS]]
    return Answer(
        judgement,
        [one for one in shown if not one.found.caution],
        [one for one in shown if one.found.caution],
        [Doubt(one, observed.at(one.path)) for one in verdict.undecided[:BREAKS]],
        max(len(verdict.breaks) - BREAKS, 0) + max(len(verdict.undecided) - BREAKS, 0),
        observed.days,
        newest,
    )


def _shown(one: Break, observed: Observed, newest: int) -> Shown:
    old = f"v{newest if one.against is None else one.against}"
    new = _("this version")
    if one.direction is Direction.FORWARD:
        return Shown(one, new, old, observed.at(one.path))
    return Shown(one, old, new, observed.at(one.path))
