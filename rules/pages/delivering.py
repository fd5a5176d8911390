"""Section "Deliver to" of the editor: a connector with its settings, or a place that is made on the spot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.translation import gettext as _

from catalog.models import Team
from rules import registry
from rules.config_form import ConfigForm
from rules.models import Rule, Target
from rules.settings_read import with_settings


@dataclass
class Delivering:
    """What was chosen. `choice` is "place:NAME" or "connector:NAME"."""

    choice: str
    forms: list[ConfigForm]

    @property
    def chosen(self) -> ConfigForm | None:
        """The settings form of the chosen connector; None for a place that is made on the spot."""
        return next((form for form in self.forms if self.choice == f"connector:{form.connector.name}"), None)

    @property
    def place(self) -> registry.Place | None:
        """The place to make, when one was chosen."""
        kind, _colon, name = self.choice.partition(":")
        return registry.place(name) if kind == "place" else None

    @property
    def label(self) -> str:
        """What was chosen, in words."""
        if self.chosen is not None:
            return self.chosen.connector.label
        return str(self.place.label) if self.place else ""

    def made(self, request: HttpRequest) -> tuple[registry.Place, registry.Made] | None:
        """The place made earlier that the settings lead to, as for a request bin; None when they lead elsewhere."""
        if self.chosen is None:
            return None
        for place in registry.places():
            if made := place.find(request, self.chosen.connector.name, self.chosen.data_now):
                return place, made
        return None

    def sends(self, transform: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the chosen target would send: a transform, and what its settings as they are written now read."""
        if self.chosen is None:
            return transform
        return with_settings(transform, self.chosen.connector.name, self.chosen.data_now)

    def is_valid(self) -> bool:
        """Whether something was chosen that can be saved; asking makes the errors of its form."""
        return self.place is not None if self.chosen is None else self.chosen.is_valid()

    def settle(self, request: HttpRequest, team: Team, name: str) -> tuple[str, dict[str, Any]]:
        """Connector and config to store, after `is_valid`; makes the place when one was chosen."""
        if self.chosen is not None:
            return self.chosen.connector.name, self.chosen.cleaned_data
        assert self.place is not None
        return self.place.make(request, team, name)


def delivering(request: HttpRequest, target: Target | None = None) -> Delivering:
    """Reads section "Deliver to" of a request, or shows what `target` has."""
    stored = {target.connector: target.config} if target is not None and target.connector else {}
    default = f"connector:{target.connector}" if stored and target else _first_choice()
    choice = (request.POST.get("deliver") or default) if request.method == "POST" else default
    found = []
    for connector in registry.connectors():
        bound = request.method == "POST" and choice == f"connector:{connector.name}"
        found.append(ConfigForm(connector, request.POST if bound else None, stored.get(connector.name)))
    return Delivering(choice, found)


def suggested_name(to: Delivering, rule_name: str, rule: int | None = None) -> str:
    """What a new target is called when nobody gives it a name: after where it delivers, and free in its rule.

    `rule_name`: as it is written now, "" for the name of the saved rule with id `rule`.
    """
    if rule is not None and not rule_name:
        rule_name = Rule.objects.filter(pk=rule).values_list("name", flat=True).first() or ""
    if to.chosen is None:
        before, after = rule_name_for("\0").split("\0")
        what = rule_name.removeprefix(before).removesuffix(after)
        wanted = _("Request bin of %(what)s") % {"what": what} if what else _("Request bin")
    else:
        wanted = _host(to.chosen.data_now.get("url")) or to.chosen.connector.label
    wanted = wanted[:110]
    taken = set(
        Target.objects.filter(rule_id=rule, name__startswith=wanted).values_list("name", flat=True)
        if rule is not None
        else ()
    )
    number, name = 2, wanted
    while name in taken:
        name, number = f"{wanted} {number}", number + 1
    return name


def rule_name_for(type_name: str) -> str:
    """What a new rule for a type is called when nobody gives it a name."""
    return str(_("%(type)s to a request bin") % {"type": type_name})


def _host(url: object) -> str:
    try:
        return urlsplit(str(url or "")).hostname or ""
    except ValueError:
        return ""


def _first_choice() -> str:
    for place in registry.places():
        return f"place:{place.name}"
    return next((f"connector:{connector.name}" for connector in registry.connectors()), "")
