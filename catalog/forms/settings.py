"""Forms of the settings pages: publishing tokens and buses."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.changes import SYSTEM
from catalog.forms.console import ConsoleFields
from catalog.models import Bus, Token


class TokenForm(ConsoleFields, forms.ModelForm):
    """A new publishing token."""

    class Meta:
        model = Token
        fields = ("name", "team", "bus", "reads")
        help_texts = {
            "name": _("Who will publish with it, such as “checkout, production”."),
        }

    field_order = ("name", "team", "bus", "reads")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        bus = self.fields["bus"]
        assert isinstance(bus, forms.ModelChoiceField)
        bus.empty_label = str(_("Every bus"))
        bus.queryset = Bus.objects.exclude(name=SYSTEM)


class BusForm(ConsoleFields, forms.ModelForm):
    """A bus, new or existing. The name is part of its address and stays."""

    class Meta:
        model = Bus
        fields = ("name", "description", "retention_days", "open_publishing")
        help_texts = {
            "name": _("Part of its address: /v1/buses/NAME/events."),
            "retention_days": _("Events older than this are dropped once every target has them."),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["name"].disabled = True
        if self.instance.name == SYSTEM:
            # Nobody else publishes there, with a token or without.
            del self.fields["open_publishing"]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name == SYSTEM and not self.instance.pk:
            raise forms.ValidationError(_("Signalbox keeps this name for its own bus. Choose another."))
        return name
