"""What an owner says when a type or a version ends."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from catalog.forms.console import ConsoleFields
from catalog.lifecycle import Farewell, successor_problem
from catalog.models import EventType, SchemaVersion


def last_day() -> forms.DateField:
    """The field for the day until which something is to be used."""
    return forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_("An announcement: nothing ends by itself. Publishers are told it with every event."),
    )


def not_over(day: date | None, announced: date | None) -> date | None:
    """`day`, unless it is over. Raises ValidationError. One that was `announced` may pass while other things are mended."""
    if day is not None and day < timezone.localdate() and day != announced:
        raise forms.ValidationError(_("This day is over. Choose today or a later day, or leave it empty."))
    return day


class FarewellForm(ConsoleFields, forms.Form):
    """The announcement that `event_type` ends."""

    ends_on = last_day()
    successor = forms.CharField(
        label=_("What takes its place"),
        required=False,
        max_length=255,
        help_text=_("The name of the event type to use instead."),
        widget=forms.TextInput(
            {"class": "mono", "list": "successors", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    words = forms.CharField(
        label=_("Why, and what to do"),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("For the people who send it and those who listen."),
    )

    def __init__(self, *args: Any, event_type: EventType, **kwargs: Any) -> None:
        self.event_type = event_type
        follows = event_type.successor
        kwargs["initial"] = {
            "ends_on": event_type.ends_on,
            "successor": follows.name if follows else "",
            "words": event_type.farewell,
        }
        super().__init__(*args, **kwargs)

    def clean_ends_on(self) -> date | None:
        return not_over(self.cleaned_data["ends_on"], self.event_type.ends_on)

    def clean_successor(self) -> EventType | None:
        name: str = self.cleaned_data["successor"].strip()
        if not name:
            return None
        found = EventType.objects.filter(name=name).first()
        if found is None:
            raise forms.ValidationError(
                _t("There is no event type called “%(name)s”. Register it first, or leave this empty.")
                % {"name": name}
            )
        if wrong := successor_problem(self.event_type, found):
            raise forms.ValidationError(wrong)
        return found

    def farewell(self) -> Farewell:
        """What was announced, once the form is valid."""
        data = self.cleaned_data
        return Farewell(data["ends_on"], data["successor"], data["words"])


class NameForm(ConsoleFields, forms.Form):
    """Typing a name, so that nobody ends by accident what is in use. `name`: what has to be typed; "" asks nothing."""

    confirm = forms.CharField(
        label=_("Type its name to confirm"),
        required=False,
        max_length=300,
        widget=forms.TextInput({"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        self.name = name
        super().__init__(*args, **kwargs)
        # It is shown only where it is asked for.
        self.fields["confirm"].says_optional = False  # type: ignore[attr-defined]

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"].strip()
        if self.name and typed != self.name:
            raise forms.ValidationError(
                _t("It is still in use. Type %(name)s to end it all the same.") % {"name": self.name}
            )
        return typed


class VersionField(forms.ModelChoiceField):
    """A choice of versions of one type, by number."""

    def label_from_instance(self, obj: SchemaVersion) -> str:
        return f"v{obj.number}"


class InsteadForm(ConsoleFields, forms.Form):
    """Until when a version is to be used, and which one counts for events that name none once it ends."""

    ends_on = last_day()

    instead = VersionField(
        SchemaVersion.objects.none(),
        label=_("Events that name no version count for"),
        required=False,
        empty_label=_("As before"),
    )

    def __init__(
        self, *args: Any, others: list[SchemaVersion], version: SchemaVersion, needed: bool, **kwargs: Any
    ) -> None:
        self.version = version
        kwargs["initial"] = {"ends_on": version.ends_on}
        super().__init__(*args, **kwargs)
        field = self.fields["instead"]
        assert isinstance(field, VersionField)
        field.queryset = SchemaVersion.objects.filter(pk__in=[one.pk for one in others]).order_by("-number")
        if needed:
            field.required, field.empty_label = True, None

    def clean_ends_on(self) -> date | None:
        return not_over(self.cleaned_data["ends_on"], self.version.ends_on)
