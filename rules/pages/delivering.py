"""Section "Deliver to" of the editor: a connector with its settings, or a place that is made on the spot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from catalog.models import Team
from rules import registry
from rules.config_form import ConfigForm
from rules.models import Target


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


def _first_choice() -> str:
    for place in registry.places():
        return f"place:{place.name}"
    return next((f"connector:{connector.name}" for connector in registry.connectors()), "")
