"""The form that asks for an event."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.forms.console import ConsoleFields
from catalog.models import TYPE_NAME, EventType


class WantedForm(ConsoleFields, forms.Form):
    """The name an event should have, and what it is wanted for."""

    name = forms.CharField(
        label=_("What should have happened"),
        max_length=255,
        validators=[TYPE_NAME],
        help_text=_("In the past tense, from the general to the special: invoice.overdue."),
        widget=forms.TextInput({"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    why = forms.CharField(
        label=_("What for"),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        help_text=_(
            "What you would do with it, and which fields you need. Whoever could emit it reads this."
        ),
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if EventType.objects.filter(name__iexact=name).exists():
            raise forms.ValidationError(
                _("This event type exists already. Find it in the marketplace and subscribe.")
            )
        return name
