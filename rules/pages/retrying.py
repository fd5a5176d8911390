"""What the retries of the editor's form mean, in words, while they are written."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from catalog.access import needs
from rules.forms import number_of
from rules.models import Target
from rules.policy_form import PolicyForm


@needs("rules.view_rule")
@require_POST
def retry_words(request: HttpRequest) -> HttpResponse:
    """How many tries, when the first five come and when it gives up, by what the form says now."""
    number = number_of(request.POST.get("target"))
    target = Target.objects.filter(pk=number).first() if number is not None else None
    form = PolicyForm.of_editor(request.POST, target)
    return render(request, "rules/parts/retry_words.html", {"tries": form.tries})
