"""Signatures by Standard Webhooks 1.0: HMAC-SHA256 (`v1`) and Ed25519 (`v1a`), several keys at once.

What is signed is `id.timestamp.body`. Each key adds one signature to `webhook-signature`, so that a receiver can go
over to a new key at its leisure while the old one signs along until a date.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HMAC, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"
MOST_KEYS = 10
_SECRET_BYTES = range(24, 65)  # Standard Webhooks, "Signature scheme": 24 to 64 bytes

Kind = Literal["hmac", "ed25519"]
Sign = Callable[[bytes], bytes]


class InvalidKey(ValueError):
    """A signing key that cannot be used. The text is a sentence."""


class Key(NamedTuple):
    """`shown`: what may be shown of it, the public key or the last four characters of a secret."""

    kind: Kind
    sign: Sign
    shown: str
    until: float | None = None
    """Unix seconds from which on it does not sign any more."""


def generate(kind: Kind) -> str:
    """A new key in its written form."""
    if kind == "hmac":
        return HMAC + base64.b64encode(secrets.token_bytes(32)).decode("ascii")
    private = Ed25519PrivateKey.generate()
    whole = private.private_bytes_raw() + private.public_key().public_bytes_raw()
    return PRIVATE + base64.b64encode(whole).decode("ascii")


def key_of(text: str, until: str = "") -> Key:
    """The key that is written as whsec_… or whsk_…, `until` as in `time_of`. Raises InvalidKey."""
    ends = time_of(until) if until else None
    if text.startswith(HMAC):
        secret = _decoded(text, HMAC)
        if len(secret) not in _SECRET_BYTES:
            raise InvalidKey(f"A key {HMAC}… holds 24 to 64 bytes in base64; this one holds {len(secret)}.")

        def v1(signed: bytes) -> bytes:
            return b"v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256))

        return Key("hmac", v1, f"…{text[-4:]}", ends)
    if text.startswith(PRIVATE):
        whole = _decoded(text, PRIVATE)
        if len(whole) not in (32, 64):
            raise InvalidKey(
                f"A key {PRIVATE}… holds a seed of 32 bytes, or seed and public key, 64; this one holds {len(whole)}."
            )
        private = Ed25519PrivateKey.from_private_bytes(whole[:32])
        public = private.public_key().public_bytes_raw()
        if whole[32:] not in (b"", public):
            raise InvalidKey("The two halves of the key do not belong together.")

        def v1a(signed: bytes) -> bytes:
            return b"v1a," + base64.b64encode(private.sign(signed))

        return Key("ed25519", v1a, PUBLIC + base64.b64encode(public).decode("ascii"), ends)
    if text.startswith(PUBLIC):
        raise InvalidKey(
            f"{PUBLIC}… is the receiver's half of a key; to sign takes the other one, {PRIVATE}…."
        )
    raise InvalidKey(f"A signing key is written as {HMAC}… (HMAC-SHA256) or {PRIVATE}… (Ed25519).")


def time_of(text: str) -> float:
    """Unix seconds of an ISO 8601 time, UTC where it names no zone. Raises InvalidKey."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidKey(f"{text!r} is no time; write one like 2026-12-31T12:00:00Z.") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


class Signer:
    """Signs with all keys whose time has not ended."""

    def __init__(self, keys: Mapping[str, str], until: Mapping[str, str]) -> None:
        """`keys` and the times they end by their names. Raises InvalidKey."""
        self._keys = [key_of(str(text), until.get(name, "")) for name, text in keys.items()]

    def headers(self, delivery_id: bytes, timestamp: int, body: bytes) -> bytes:
        """The header line with the signatures; none when no key is left."""
        signed = b"%b.%d.%b" % (delivery_id, timestamp, body)
        found = [key.sign(signed) for key in self._keys if key.until is None or timestamp < key.until]
        return b"webhook-signature: %b\r\n" % b" ".join(found) if found else b""


def problem_of(keys: Mapping[str, str], until: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with keys and their ends, a sentence per setting."""
    if len(keys) > MOST_KEYS:
        return {"signing_keys": f"At most {MOST_KEYS} keys can sign; take out those that ended."}
    for name, text in keys.items():
        try:
            key_of(str(text))
        except InvalidKey as error:
            return {"signing_keys": f"{name}: {error}"}
    for name, ends in until.items():
        if name not in keys:
            return {"signing_until": f"There is no key {name}."}
        try:
            time_of(ends)
        except InvalidKey as error:
            return {"signing_until": f"{name}: {error}"}
    return {}


def _decoded(text: str, prefix: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix(prefix), validate=True)
    except binascii.Error:
        raise InvalidKey(f"What follows {prefix} must be base64.") from None
