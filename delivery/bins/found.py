"""Which targets deliver into request bins of ours: their URL holds the bin's address, which nobody can guess."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from delivery.models import RequestBin
from rules import registry
from rules.models import Target

ICON = "package-open"
_PATH = re.compile(r"/bin/([A-Za-z0-9_-]{1,32})(?:/|$)")


def address_in(connector: str, config: Mapping[str, Any]) -> str:
    """The address of a bin that a target's settings name, whether there is one or not; "" for none."""
    if connector != "http":
        return ""
    try:
        path = _PATH.match(urlsplit(str(config.get("url", ""))).path)
    except ValueError:
        return ""
    return path[1] if path else ""


def bins_at(addresses: Iterable[str]) -> dict[str, RequestBin]:
    """The bins that there are at those addresses; "" is none."""
    wanted = {address for address in addresses if address}
    return {one.address: one for one in RequestBin.objects.filter(address__in=wanted)} if wanted else {}


def bins_of(targets: Iterable[Target]) -> dict[int, RequestBin]:
    """The bin that each target delivers to, by the target's id; without those that deliver elsewhere."""
    addresses = {target.pk: address_in(target.connector, target.config) for target in targets}
    found = bins_at(addresses.values())
    return {pk: found[address] for pk, address in addresses.items() if address in found}


def shown_as(connector: str, is_bin: bool) -> tuple[str, str]:
    """Icon and word for the kind of place a target delivers to: a bin of ours is more than an address."""
    if is_bin:
        return ICON, _("Request bin")
    return registry.icon_of(connector), registry.label_of(connector)
