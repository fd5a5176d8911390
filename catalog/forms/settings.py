"""Forms of the settings pages: publishing tokens and buses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from catalog import changes
from catalog.changes import OWN, RESERVED
from catalog.forms.console import ConsoleFields
from catalog.models import Bus, Token
from catalog.ownership import owned_teams


class TokenForm(ConsoleFields, forms.ModelForm):
    """A new publishing token of a team of `user`; administrators make them for every team."""

    class Meta:
        model = Token
        fields = ("name", "team", "bus", "reads")
        help_texts = {
            "name": _("Who will publish with it, such as “checkout, production”."),
        }

    field_order = ("name", "team", "bus", "reads")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = owned_teams(user, "catalog.add_token").exclude(slug=OWN)
        bus = self.fields["bus"]
        assert isinstance(bus, forms.ModelChoiceField)
        bus.empty_label = str(_("Every bus"))
        bus.queryset = Bus.objects.offered().exclude(name__in=RESERVED)


class BusForm(ConsoleFields, forms.ModelForm):
    """A bus, new or existing. The name is part of its address and stays. `user` is who saves it."""

    class Meta:
        model = Bus
        fields = (
            "name",
            "description",
            "team",
            "retention_days",
            "limit_days",
            "unregistered",
            "open_publishing",
        )
        help_texts = {
            "name": _("Part of its address: /v1/buses/NAME/events."),
            "team": _("Whose members may change it. Without one, everybody whose role allows it."),
            "retention_days": _("Events older than this are dropped once every target has them."),
            "limit_days": _(
                "For targets that rest or lag: then it becomes a dead letter of theirs. Empty: twice as long."
            ),
        }
        widgets = {"unregistered": forms.RadioSelect}

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.made = not self.instance.pk
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.empty_label = str(_("No team"))
        # Left out by programs that do not know it: then what the bus says holds.
        self.fields["unregistered"].required = False
        if not self.made:
            self.fields["name"].disabled = True
        if self.instance.name in RESERVED:
            # Nobody else publishes there, with a token or without.
            del self.fields["open_publishing"]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name in RESERVED and not self.instance.pk:
            raise forms.ValidationError(_("Signalbox keeps this name for its own bus. Choose another."))
        return name

    def clean(self) -> dict[str, Any]:
        """What waits is not kept for less time than everything else."""
        given = super().clean() or self.cleaned_data
        kept, limit = given.get("retention_days"), given.get("limit_days")
        if kept and limit and limit < kept:
            why = _("Not less than the %(days)s days that every event is kept.") % {"days": kept}
            self.add_error("limit_days", why)
        return given

    def clean_unregistered(self) -> str:
        return self.cleaned_data["unregistered"] or self.instance.unregistered

    @transaction.atomic
    def save(self, commit: bool = True) -> Bus:
        """The saved bus."""
        bus: Bus = super().save(commit)
        if self.made:
            changes.record("bus.registered", bus=bus, by=self.user)
        elif fields := [
            name for name in self.changed_data if self.cleaned_data[name] != self.initial.get(name)
        ]:
            # What a program leaves out counts as changed, and is not.
            changes.record("bus.changed", bus=bus, by=self.user, detail={"fields": fields})
        return bus
