"""Forms of rules and targets beside the draft: name and bus, and the delivery policy."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from catalog.models import Bus, Team
from rules.models import POLICY_FIELDS, Rule, Target


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


class PolicyForm(forms.ModelForm):
    """A target's name, order and retries. Its rule is set by the view.

    `suggested`: the name of a target that is given none; without it a name is required.
    """

    class Meta:
        model = Target
        fields = ("name", *POLICY_FIELDS)
        widgets = {
            "name": forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
            "order": forms.Select(attrs={"class": "select"}),
            "after_dead_letter": forms.Select(attrs={"class": "select"}),
            "max_attempts": forms.NumberInput(attrs={"class": "input"}),
            "first_delay": forms.NumberInput(attrs={"class": "input", "step": "any"}),
            "longest_delay": forms.NumberInput(attrs={"class": "input", "step": "any"}),
            "max_in_flight": forms.NumberInput(attrs={"class": "input"}),
        }

    def __init__(self, *args: Any, rule: Rule | None = None, suggested: str = "", **kwargs: Any) -> None:
        kwargs["prefix"] = "target"
        super().__init__(*args, **kwargs)
        self.rule, self.suggested = rule, suggested
        self.fields["name"].required = not suggested
        self.fields["name"].widget.attrs["placeholder"] = suggested
        self.fields["name"].label = _("Name of the target")
        self.fields["max_in_flight"].help_text = _("Deliveries on the way at the same time.")
        # Left out of a form that shows no policy: then what the model says holds.
        for name in POLICY_FIELDS:
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in POLICY_FIELDS:
            if cleaned.get(name) in (None, ""):
                cleaned[name] = getattr(self.instance, name)
        first, longest = cleaned.get("first_delay"), cleaned.get("longest_delay")
        if first is not None and longest is not None and longest < first:
            self.add_error("longest_delay", _("The longest wait must not be shorter than the first."))
        if "name" in cleaned and not cleaned["name"]:
            cleaned["name"] = self.suggested
        wanted = cleaned.get("name")
        if self.rule is not None and self.rule.pk and wanted:
            others = Target.objects.filter(rule=self.rule, name=wanted).exclude(pk=self.instance.pk)
            if others.exists():
                self.add_error("name", _("This rule has a target of this name already. Choose another."))
        return cleaned

    def validate_constraints(self) -> None:
        """The one constraint is checked by `clean`, which puts the sentence at the name."""


def team_for(user: AbstractBaseUser | AnonymousUser) -> Team | None:
    """The team that a person's new rules belong to: the first of theirs, else the first of all."""
    return Team.objects.filter(members__pk=user.pk or 0).first() or Team.objects.first()


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
