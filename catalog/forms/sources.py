"""The form of a source."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog import changes
from catalog.forms.console import ConsoleFields
from catalog.forms.owners import OwnerFields, free_slug
from catalog.models import TYPE_PREFIX, Bus, Source


class SourceForm(ConsoleFields, OwnerFields):
    """Registers a source, or edits `source`."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("What people call this system."))
    uri = forms.CharField(
        label=_("Source"),
        max_length=255,
        help_text=_("The CloudEvents source it sends, a URI or path such as /shop/checkout."),
        widget=forms.TextInput({"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    bus = forms.ModelChoiceField(Bus.objects.none(), label=_("Bus"), empty_label=None)
    prefix = forms.CharField(  # type: ignore[assignment]  # a field's name here, not the form's prefix
        label=_("Its types begin with"),
        required=False,
        max_length=200,
        validators=[TYPE_PREFIX],
        help_text=_(
            "Such as shop.order. with the dot at its end. New types of this source are suggested with it."
        ),
        widget=forms.TextInput({"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    description = forms.CharField(
        label=_("Description"), required=False, widget=forms.Textarea({"rows": 3}), max_length=5_000
    )
    field_order = ("name", "uri", "bus", "prefix", "team", "new_team", "description")

    def __init__(self, *args: Any, source: Source | None = None, **kwargs: Any) -> None:
        self.source = source
        if source is not None:
            names = ("name", "uri", "prefix", "description")
            kwargs["initial"] = {name: getattr(source, name) for name in names}
            kwargs["initial"] |= {"bus": source.bus_id, "team": source.team_id}
        super().__init__(*args, **kwargs)
        bus = self.fields["bus"]
        assert isinstance(bus, forms.ModelChoiceField)
        # One that is on a retired bus may stay there while the rest of it is edited.
        kept = Q(pk=source.bus_id) if source is not None else Q()
        bus.queryset = Bus.objects.filter(Q(retired_at=None) | kept) if kept else Bus.objects.offered()

    def _others(self) -> Any:
        return Source.objects.exclude(pk=self.source.pk) if self.source else Source.objects.all()

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if self._others().filter(name__iexact=name).exists():
            raise forms.ValidationError(_("A source of this name is registered. Choose another name."))
        return name

    def clean_uri(self) -> str:
        uri: str = self.cleaned_data["uri"].strip()
        if any(character.isspace() or ord(character) < 32 for character in uri):
            raise forms.ValidationError(
                _("A source is a URI reference: it has no spaces (CloudEvents 1.0 §3.1.1).")
            )
        if self._others().filter(uri=uri).exists():
            raise forms.ValidationError(_("Another source sends this already. Each system needs its own."))
        return uri

    @transaction.atomic
    def save(self) -> Source:
        """The saved source, with a new team if one was named."""
        source = self.source or Source(slug=free_slug(Source, self.cleaned_data["name"]))
        source.team = self.owner()
        for name in ("name", "uri", "bus", "prefix", "description"):
            setattr(source, name, self.cleaned_data[name])
        source.save()
        if self.source is None:
            changes.record("source.registered", source=source, by=self.user)
        elif self.changed_data:
            changes.record(
                "source.changed", source=source, by=self.user, detail={"fields": self.changed_data}
            )
        return source
