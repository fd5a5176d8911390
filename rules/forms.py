"""The form of a rule beside its draft, and what it begins with: name, bus and team."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from catalog.changes import OWN
from catalog.models import Bus, Team
from rules.models import Rule


class RuleForm(forms.ModelForm):
    """Name, bus and team of a rule. The bus of a saved rule stays: its events so far are on that one."""

    class Meta:
        model = Rule
        fields = ("name", "bus", "team")
        widgets = {
            "name": forms.TextInput(
                attrs={"class": "title-input", "autocomplete": "off", "spellcheck": "false"}
            ),
            "bus": forms.Select(attrs={"class": "select"}),
            "team": forms.Select(attrs={"class": "select"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("bus", "team"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.empty_label = None
        if self.instance.pk:
            self.fields["bus"].disabled = True
        else:
            bus = self.fields["bus"]
            assert isinstance(bus, forms.ModelChoiceField)
            bus.queryset = Bus.objects.offered()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        name, bus = cleaned.get("name"), cleaned.get("bus")
        if name and bus and Rule.objects.filter(name=name, bus=bus).exclude(pk=self.instance.pk).exists():
            self.add_error("name", _("A rule of this bus has this name already. Choose another."))
        return cleaned

    def validate_constraints(self) -> None:
        """The one constraint is checked by `clean`, which puts the sentence at the name."""


def team_for(user: AbstractBaseUser | AnonymousUser) -> Team | None:
    """The team that a person's new rules belong to: the first of theirs, else the first of all."""
    return Team.objects.filter(members__pk=user.pk or 0).first() or Team.objects.exclude(slug=OWN).first()


def bus_in(data: QueryDict) -> Bus | None:
    """The bus that the editor's form is about: of the saved rule, else the one that is named, else the first of all."""
    rule, named = number_of(data.get("rule")), number_of(data.get("bus"))
    if rule is not None and (found := Bus.objects.filter(rules=rule).first()) is not None:
        return found
    return (
        Bus.objects.filter(pk=named).first() if named is not None else None
    ) or Bus.objects.offered().first()


def bus_for(type_name: str) -> Bus | None:
    """The bus where events of a type arrive: that of its first source, else the first of all."""
    offered = Bus.objects.offered()
    return offered.filter(sources__event_types__name=type_name).first() or offered.first()


def free_rule_name(wanted: str, bus: Bus | None) -> str:
    """`wanted`, with a number after it when the bus has a rule of that name."""
    wanted = wanted[:110]
    taken = set(Rule.objects.filter(bus=bus, name__startswith=wanted).values_list("name", flat=True))
    number, name = 2, wanted
    while name in taken:
        name, number = f"{wanted} {number}", number + 1
    return name


def number_of(written: object) -> int | None:
    """The whole number that a field holds; None when it holds none."""
    text = str(written)
    return int(text) if text.isdecimal() and len(text) < 10 else None
