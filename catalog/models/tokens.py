"""Tokens: what a program shows."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.owners import Team
from catalog.models.sources import Bus


class Token(models.Model):
    """What a program shows to publish on one bus, or on every bus when `bus` is empty. Stored as a digest only.

    Publishing reads nothing. What `reads` allows beyond it is in READING, for the same bus or buses. `used_at` is right to
    a minute or two (catalog/token_use.py).
    """

    PREFIX = "sbx"
    # Permissions that a token with `reads` has, in the API and for exports of the catalog.
    READING = frozenset({"rules.view_rule", "catalog.view_eventtype"})

    name = models.CharField(_("name"), max_length=80)
    public_id = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)
    bus = models.ForeignKey(
        Bus, verbose_name=_("bus"), null=True, blank=True, on_delete=models.CASCADE, related_name="tokens"
    )
    team = models.ForeignKey(Team, verbose_name=_("team"), on_delete=models.CASCADE, related_name="tokens")
    reads = models.BooleanField(
        _("may read"),
        default=False,
        help_text=_(
            "Besides publishing, it reads the catalog, tries rules on stored events and exports. It changes nothing. For "
            "build servers."
        ),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="tokens"
    )
    used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(cls, **fields: Any) -> tuple[Token, str]:
        """A saved token and its text `sbx_<id>_<secret>`, which nothing can show again."""
        public_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        text = f"{cls.PREFIX}_{public_id}_{secret}"
        return cls.objects.create(public_id=public_id, digest=cls.digest_of(text), **fields), text

    @classmethod
    def of(cls, text: str) -> Token | None:
        """The token with this text, None when there is none or it was revoked."""
        parts = text.split("_", 2)
        if len(parts) < 3 or parts[0] != cls.PREFIX:
            return None
        found = cls.objects.filter(public_id=parts[1], revoked_at=None).first()
        return found if found is not None and found.fits(text) else None

    @staticmethod
    def digest_of(text: str) -> bytes:
        """SHA-256 of the whole text; a random 256-bit secret needs no slow hash."""
        return hashlib.sha256(text.encode()).digest()

    def fits(self, text: str) -> bool:
        """Whether `text` is this token, compared in constant time."""
        return hmac.compare_digest(bytes(self.digest), self.digest_of(text))
