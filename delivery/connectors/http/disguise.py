"""Settings of an HTTP target for showing what it sends: nothing is fetched or asked for, no secret is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HIDDEN = "hidden"
_KEY = "whsec_" + "A" * 44  # stands for keys that are not shown; what it signs is not shown either
_MADE_AT_SENDING = frozenset({"webhook-signature", "authorization", "proxy-authorization"})


def disguised(config: Mapping[str, Any], mask: str) -> dict[str, Any]:
    """The config with something that can be sent in place of masks and of what is had from others."""
    ready = {name: _unmasked(value, mask) for name, value in config.items()}
    if ready.get("auth") == "oauth2":
        ready = ready | {"auth": "bearer", "token": HIDDEN}
    if ready.get("signing_keys"):
        ready["signing_keys"] = dict.fromkeys(ready["signing_keys"], _KEY)
    # Neither changes what is sent.
    return ready | {"mtls": False, "ca": "", "proxy": "", "handshake": False}


def hidden_headers(config: Mapping[str, Any]) -> set[str]:
    """The headers, in lower case, whose values are not shown."""
    hidden = {name.lower() for name in config.get("headers", {})} | _MADE_AT_SENDING
    if config.get("auth") == "api_key":
        hidden.add(str(config.get("api_key_name", "x-api-key")).lower())
    return hidden


def _unmasked(value: Any, mask: str) -> Any:
    if isinstance(value, dict):
        return {name: _unmasked(one, mask) for name, one in value.items()}
    if value == mask:
        return HIDDEN
    return value.replace(f"://{mask}@", f"://{HIDDEN}@", 1) if isinstance(value, str) else value
