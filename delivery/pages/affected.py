"""For the form of a new version: which subscriptions it would touch. Asked for by htmx; nothing is sent or changed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from catalog.access import needs
from catalog.display import words
from catalog.models import EventType
from catalog.schemas.validator import SchemaRefused, compile_schema
from delivery.pages.affecting import affected


@needs("rules.view_rule")
@require_POST
def affected_by_version(request: HttpRequest) -> HttpResponse:
    """Field `schema`: the new version's JSON Schema; `?type=`: of which type. Empty while the schema is wrong."""
    found = get_object_or_404(EventType.objects.select_related("team"), name=request.GET.get("type", ""))
    last, text = found.latest, request.POST.get("schema", "")
    if last is None:
        return HttpResponse()
    try:
        validators = (compile_schema(last.schema), compile_schema(text))
    except SchemaRefused:
        return HttpResponse()
    refuses = found.validation == EventType.Validation.REJECT
    answer = affected(found.name, last.schema, text, validators, refuses)
    context = {
        "type": found,
        "affected": answer,
        "refuses": refuses,
        "looked": words.number(answer.looked),
        "refused": words.number(answer.refused),
    }
    return render(request, "delivery/affected.html", context)
