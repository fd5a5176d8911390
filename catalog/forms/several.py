"""The form for all event types of one document: whose they are, and what each name begins with."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.forms.console import ConsoleFields
from catalog.forms.lists import TagsField
from catalog.forms.owners import DomainFields
from catalog.models import EventType

PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*")


class SeveralForm(ConsoleFields, DomainFields):
    """What the ticked event types share."""

    before = forms.CharField(
        label=_("Before each name"),
        required=False,
        max_length=80,
        help_text=_("Such as github. or com.acme.; a name that begins so already stays."),
        widget=forms.TextInput({"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    tags = TagsField(label=_("Tags"), help_text=_("With commas between them; each type gets them."))
    validation = forms.ChoiceField(
        label=_("Events that do not fit"),
        choices=EventType.Validation.choices,
        initial=EventType.Validation.REJECT,
    )

    def clean_before(self) -> str:
        before: str = self.cleaned_data["before"]
        if before and not PREFIX.fullmatch(before):
            raise forms.ValidationError(_("Only letters, digits and . _ : / - can stand in a name."))
        return before

    def shared(self) -> dict[str, Any]:
        """The fields as a draft has them. A team or a domain that was named is made now, once for all."""
        return {
            "team": str(self.owner().pk),
            "domain": str(self.shelf().pk),
            "before": self.cleaned_data["before"],
            "tags": ", ".join(self.cleaned_data["tags"]),
            "validation": self.cleaned_data["validation"],
        }
