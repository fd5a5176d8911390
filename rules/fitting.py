"""Whether what a target would be sent fits its contract, asked before a saved rule or target begins to deliver so."""

from __future__ import annotations

from typing import Any, Protocol

from django.utils.translation import gettext as _

from rules.contract import ContractRefused, compile_contract
from rules.engine import Filter, TransformError
from rules.filtering import filter_of
from rules.models import Rule
from rules.outputs import sends_documents
from rules.past import past


class Sends(Protocol):
    """What a target and a revision of one have."""

    transform: Any
    contract: Any
    config: Any


def unfit(bus: int, wanted: Filter, sends: Sends) -> str:
    """Why what would be sent for past events that `wanted` takes does not fit the contract; "" when all of it does."""
    contract: dict[str, Any] = sends.contract
    if not contract:
        return ""
    structured = sends_documents(sends.config)
    transform = sends.transform or {"kind": "complete"}
    try:
        return past().unfit(bus, wanted, transform, compile_contract(contract), structured)
    except (ContractRefused, TransformError) as error:
        return str(error)


def unfit_target(rule: Rule, wanted: Filter | None = None) -> str:
    """Which target of a rule that keeps `wanted` (what it keeps now) would not take it and why; "" when all would."""
    for target in rule.targets.all():
        if why := unfit(rule.bus_id, filter_of(rule) if wanted is None else wanted, target):
            return _("%(target)s would not take it: %(why)s") % {"target": target.name, "why": why}
    return ""
