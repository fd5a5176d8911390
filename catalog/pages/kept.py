"""What Signalbox keeps itself: nobody changes or deletes it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from catalog import changes
from catalog.models import EventType


def kept_by_us(request: HttpRequest, found: EventType) -> HttpResponse | None:
    """Back to the type's page for what Signalbox keeps itself, None for all other types."""
    if not changes.is_own(found):
        return None
    messages.warning(
        request, _("Signalbox keeps %(name)s itself: it cannot be changed or deleted.") % {"name": found}
    )
    return redirect("event-type", name=found.name)
