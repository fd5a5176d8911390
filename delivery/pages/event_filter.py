"""The filter of events as a form, whose query string can be shared."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.forms.console import ConsoleFields
from catalog.models import EventType
from delivery.tracking.search import Wanted
from delivery.tracking.words import State
from rules.models import Target

STATES = {"dead": State.DEAD, "retrying": State.RETRY, "waiting": State.WAITING}
# Types whose names hold what was typed; with more it is too short to mean anything.
MOST_TYPES = 40
NARROWING = ("type", "source", "text", "since", "until", "target", "outcome")


class _Moment(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__({"step": "1", "class": "mono"}, "%Y-%m-%dT%H:%M:%S")


class EventFilter(ConsoleFields, forms.Form):
    """What the page that finds events has in its query. Nothing is required."""

    q = forms.CharField(required=False, max_length=1000, label=_("Event id, number or subject"))
    text = forms.CharField(
        required=False, min_length=3, max_length=200, label=_("Text in the event"),
        help_text=_("Anywhere in its JSON, as the event has it written."),
    )  # fmt: skip
    type = forms.CharField(
        required=False, max_length=255, label=_("Event type"), help_text=_("Its name, or a part of it.")
    )
    source = forms.CharField(required=False, max_length=1000, label=_("Source"))
    since = forms.DateTimeField(required=False, widget=_Moment, label=_("Received from (UTC)"))
    until = forms.DateTimeField(required=False, widget=_Moment, label=_("Received before (UTC)"))
    target = forms.ModelChoiceField(Target.objects.order_by("name"), required=False, label=_("Target"))
    outcome = forms.ChoiceField(
        required=False,
        label=_("What became of it"),
        choices=[
            ("", _("anything")),
            ("delivered", _("delivered")),
            ("retrying", _("is tried again")),
            ("waiting", _("waits behind another")),
            ("dead", _("dead letter")),
            ("invalid", _("did not fit its schema")),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        target = self.fields["target"]
        assert isinstance(target, forms.ModelChoiceField)
        target.empty_label = str(_("Any target"))

    def clean(self) -> dict[str, Any]:
        """Refuses what could find nothing, or could be looked for nowhere."""
        asked = super().clean() or {}
        if asked.get("outcome") == "delivered" and not asked.get("target") and "target" not in self.errors:
            self.add_error("target", _("Choose the target that it was delivered to."))
        if asked.get("since") and asked.get("until") and asked["since"] >= asked["until"]:
            self.add_error("until", _("This is before the time from which it is looked for."))
        return asked

    @property
    def narrowed(self) -> bool:
        """Whether anything but the id is asked for."""
        return any(self.data.get(name, "").strip() for name in NARROWING)

    def wanted(self) -> Wanted:
        """What is asked for, of a valid form."""
        asked = self.cleaned_data
        since, until = asked["since"], asked["until"]
        return Wanted(
            types=types_called(asked["type"]),
            source=asked["source"],
            since=int(since.timestamp() * 1_000_000) if since else None,
            until=int(until.timestamp() * 1_000_000) if until else None,
            text=asked["text"],
            target=asked["target"].pk if asked["target"] else None,
            state=STATES.get(asked["outcome"]),
            delivered=asked["outcome"] == "delivered",
            invalid=asked["outcome"] == "invalid",
        )


def types_called(text: str) -> tuple[str, ...]:
    """The type called `text`, else registered types whose names hold it, else whatever is called so."""
    if not text:
        return ()
    if not EventType.objects.filter(name=text).exists():
        holding = EventType.objects.filter(name__icontains=text).order_by("name")
        if some := tuple(holding.values_list("name", flat=True)[:MOST_TYPES]):
            return some
    return (text,)
