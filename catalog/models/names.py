"""Which names the catalog allows, and the counter of its changes."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.schemas import limits

NAME = RegexValidator(
    r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$",
    _("Use lower-case letters, digits and hyphens, 1 to 64 characters, a letter or digit at both ends."),
)
TYPE_NAME = RegexValidator(
    limits.TYPE_NAME,
    _(
        "Use letters, digits, single spaces and . _ - : / only, at most 255 characters, for example shop.order.placed."
    ),
)
# What a source may name its types by; a dot or slash at its end is meant.
TYPE_PREFIX = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$",
    _("Use letters, digits and . _ - : / only, for example shop.order. with the dot at its end."),
)
# The twelve line colours of the console; a domain takes the next free one.
HUES = 12


class Stamp(models.Model):
    """A counter that grows with every change of what the data plane keeps in memory ("catalog", "rules")."""

    name = models.CharField(max_length=32, primary_key=True)
    version = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
