"""Choosing a team or a domain, or making a new one on the spot."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.db import models
from django.db.models import Count
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from catalog.models import HUES, Domain, Team


def free_slug(model: type[models.Model], name: str) -> str:
    """A slug of `name` that no row of `model` has; of its kind and a number when nothing of the name is left."""
    base = slugify(name)[:56].strip("-") or model.__name__.lower()
    slug, number = base, 1
    while model._default_manager.filter(slug=slug).exists():
        number += 1
        slug = f"{base}-{number}"
    return slug


def badge_of(name: str) -> str:
    """Two letters for a domain: the initials of two words, else the first two letters."""
    words = re.findall(r"\w+", name)
    letters = words[0][0] + words[1][0] if len(words) > 1 else "".join(words)[:2]
    return letters.upper()[:2] or "··"


def team_of(user: Any) -> Team | None:
    """The team a form proposes to `user` (None: a program): their first, else the only one there is."""
    own = Team.objects.filter(members=user.pk).first() if user is not None else None
    return own or (Team.objects.first() if Team.objects.count() == 1 else None)


def new_team(name: str, member: Any) -> Team:
    """Saves a team called `name` with its first `member`."""
    team = Team.objects.create(name=name, slug=free_slug(Team, name))
    team.members.add(member)
    return team


def new_domain(name: str, team: Team | None) -> Domain:
    """Saves a domain called `name`, kept by `team`, in the colour that is used least."""
    used = dict(Domain.objects.values_list("hue").annotate(Count("id")))
    hue = min(range(HUES), key=lambda candidate: (used.get(candidate, 0), candidate))
    return Domain.objects.create(
        name=name, slug=free_slug(Domain, name), badge=badge_of(name), hue=hue, team=team
    )


class OwnerFields(forms.Form):
    """`team`, or `new_team`: exactly one of them. Give the form `user`, who becomes a new team's first member."""

    team = forms.ModelChoiceField(
        Team.objects.all(), label=_("Team"), required=False, empty_label=_("Choose a team")
    )
    new_team = forms.CharField(label=_("New team"), required=False, max_length=80)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)
        for name in ("team", "new_team", "domain", "new_domain"):
            if name in self.fields:
                # One of each pair is needed, so neither is optional to whoever reads the form.
                self.fields[name].says_optional = False  # type: ignore[attr-defined]
        if not self.initial.get("team"):
            self.initial["team"] = team_of(user)

    def clean_new_team(self) -> str:
        name: str = self.cleaned_data["new_team"].strip()
        if name and Team.objects.filter(name__iexact=name).exists():
            raise forms.ValidationError(_("There is a team of this name. Choose it in the list."))
        return name

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("new_team"):
            # A name written by hand is meant; the list only held its first choice.
            data["team"] = None
        elif not data.get("team") and not self.errors.keys() & {"team", "new_team"}:
            self.add_error("team", _("Choose a team, or name a new one."))
        return data

    def owner(self) -> Team:
        """The chosen team; a new one is saved now."""
        if not self.cleaned_data.get("team"):
            self.cleaned_data["team"] = new_team(self.cleaned_data["new_team"], self.user)
        team: Team = self.cleaned_data["team"]
        return team


class DomainFields(OwnerFields):
    """`domain`, or `new_domain`, besides the owner."""

    domain = forms.ModelChoiceField(
        Domain.objects.order_by("name"), label=_("Domain"), required=False, empty_label=_("Choose a domain")
    )
    new_domain = forms.CharField(label=_("New domain"), required=False, max_length=60)

    def clean_new_domain(self) -> str:
        name: str = self.cleaned_data["new_domain"].strip()
        if name and Domain.objects.filter(name__iexact=name).exists():
            raise forms.ValidationError(_("There is a domain of this name. Choose it in the list."))
        return name

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("new_domain"):
            data["domain"] = None
        elif not data.get("domain") and not self.errors.keys() & {"domain", "new_domain"}:
            self.add_error("domain", _("Choose a domain, or name a new one."))
        return data

    def shelf(self) -> Domain:
        """The chosen domain; a new one is saved now, kept by the owner."""
        if not self.cleaned_data.get("domain"):
            self.cleaned_data["domain"] = new_domain(self.cleaned_data["new_domain"], self.owner())
        domain: Domain = self.cleaned_data["domain"]
        return domain
