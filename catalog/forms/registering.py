"""The register form of the console: as that of programs, and with it the source is registered that a pasted event names."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from catalog import changes
from catalog.forms.event_types import RegisterForm
from catalog.forms.owners import free_slug
from catalog.models import Bus, EventType, Source

LONGEST_NAME = 80


class RegisterPageForm(RegisterForm):
    """`new_source`: the CloudEvents source of a system that is not registered yet; for whoever may register sources."""

    new_source = forms.CharField(
        label=_("New source"),
        required=False,
        max_length=255,
        widget=forms.TextInput({"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    keeps = (*RegisterForm.keeps, "new_source")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bus = Bus.objects.offered().first() if self.user.has_perm("catalog.add_source") else None
        if self.bus is None:
            del self.fields["new_source"]
        else:
            said = _t(
                "Registered together with the type, for the same team, on the bus %(bus)s. Empty: none."
            )
            self.fields["new_source"].help_text = said % {"bus": self.bus.name}

    def clean_new_source(self) -> str:
        uri: str = self.cleaned_data["new_source"].strip()
        if any(character.isspace() or ord(character) < 32 for character in uri):
            raise forms.ValidationError(
                _("A source is a URI reference: it has no spaces (CloudEvents 1.0 §3.1.1).")
            )
        if uri and Source.objects.filter(uri=uri).exists():
            raise forms.ValidationError(
                _("This source is registered. Choose it in the list, or leave this empty.")
            )
        return uri

    @transaction.atomic
    def save(self) -> EventType:
        """The saved event type, emitted by a new source too when one was named. Raises as RegisterForm.save."""
        saved = super().save()
        if uri := self.cleaned_data.get("new_source"):
            assert self.bus is not None
            name = free_name(uri)
            source = Source.objects.create(
                name=name, slug=free_slug(Source, name), uri=uri, bus=self.bus, team=saved.team
            )
            changes.record("source.registered", source=source, by=self.user)
            saved.sources.add(source)
        return saved


def free_name(uri: str) -> str:
    """What a source is called that nobody named: after the end of its URI, with a number when that is taken."""
    last = uri.rstrip("/").rpartition("/")[2] or uri
    base = (last[:1].upper() + last[1:])[: LONGEST_NAME - 6]
    number, name = 1, base
    while Source.objects.filter(name__iexact=name).exists():
        number += 1
        name = f"{base} {number}"
    return name
