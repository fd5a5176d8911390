"""Secrets in a connector's config are write-only: they are shown as a mask, and a mask that comes back keeps them.

Which values are secrets, the connector's JSON Schema says: those marked `writeOnly`, also as the values of a table or
the items of a list, and the user and password in a URL (`format` "uri"). Forms and the API show `masked` configs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

MASK = "••••"

# Up to the last @ before path, query and fragment: RFC 3986 §3.2.1, and what people paste.
_USERINFO = re.compile(r"\A([a-z][a-z0-9+.\-]*://)([^/?#]*)@", re.IGNORECASE)
_PLACE = re.compile(r"\A([a-z][a-z0-9+.\-]*)://(?:[^/?#]*@)?([^/?#]*)", re.IGNORECASE)


def is_secret(schema: Mapping[str, Any]) -> bool:
    """Whether a setting, every value of a table or every item of a list is never shown again once it was saved."""
    inner = (schema.get("additionalProperties"), schema.get("items"))
    return bool(
        schema.get("writeOnly") or any(isinstance(one, Mapping) and one.get("writeOnly") for one in inner)
    )


def is_url(schema: Mapping[str, Any]) -> bool:
    """Whether a setting is a URL, which may hold a user and a password."""
    return schema.get("format") in ("uri", "url")


def masked_url(url: str) -> str:
    """The URL with its user and password, if any, masked."""
    return _USERINFO.sub(rf"\g<1>{MASK}@", url)


def userinfo(url: str) -> str:
    """User and password of a URL as they are written in it, "" when it has none."""
    found = _USERINFO.match(url)
    return found[2] if found else ""


def masked(schema: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` as it may be shown. `schema`: the JSON Schema of the whole config; settings it does not know are left out."""
    properties = schema["properties"]
    return {name: _masked(properties[name], value) for name, value in config.items() if name in properties}


def without_masks(schema: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` without secrets and masks, where neither is needed: to describe a target, for example."""
    shown = masked(schema, config)
    return {
        name: value.replace(f"{MASK}@", "", 1) if is_url(schema["properties"][name]) else value
        for name, value in shown.items()
        if not is_secret(schema["properties"][name])
    }


def kept(
    schema: Mapping[str, Any], sent: Mapping[str, Any], stored: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """`sent` with what is stored in place of masks, and what is wrong with it, a sentence per setting.

    A secret stays with the host it was given for: who may edit a target must not learn it by sending it elsewhere.
    """
    config: dict[str, Any] = {}
    problems: dict[str, str] = {}
    masks = set()
    for name, value in sent.items():
        part = schema["properties"].get(name, {})
        try:
            config[name] = _kept(part, value, stored.get(name))
        except NothingKept as error:
            problems[name] = str(error)
        if config.get(name) != value:
            masks.add(name)
    if masks and not problems and _moved(schema, config, stored):
        for name in masks:
            problems[name] = _(
                "The address leads to another host now, and what is saved belongs to the former one. "
                "Write it again, or remove it."
            )
    return config, problems


class NothingKept(ValueError):
    """A mask came back for something that is not stored."""


def _masked(schema: Mapping[str, Any], value: Any) -> Any:
    if is_secret(schema):
        if isinstance(value, Mapping):
            return dict.fromkeys(value, MASK)
        return [MASK] * len(value) if isinstance(value, list) else MASK
    return masked_url(value) if is_url(schema) and isinstance(value, str) else value


def _kept(schema: Mapping[str, Any], value: Any, stored: Any) -> Any:
    if is_secret(schema):
        if isinstance(value, Mapping):
            return {name: _of_table(name, text, stored) for name, text in value.items()}
        if isinstance(value, list):
            there = stored if isinstance(stored, list) else []
            return [_one(text, there[at] if at < len(there) else None) for at, text in enumerate(value)]
        return _one(value, stored)
    if is_url(schema) and isinstance(value, str) and MASK in value:
        found = _USERINFO.match(stored) if isinstance(stored, str) else None
        if found is None or f"://{MASK}@" not in value:
            raise NothingKept(
                _("There is no user and password saved to keep: write them in place of the dots.")
            )
        return value.replace(f"{MASK}@", f"{found[2]}@", 1)
    return value


def _of_table(name: str, text: Any, stored: Any) -> Any:
    there = {key.casefold(): value for key, value in stored.items()} if isinstance(stored, Mapping) else {}
    try:
        return _one(text, there.get(name.casefold()))
    except NothingKept:
        raise NothingKept(
            _("%(name)s: there is no value saved to keep. Write one in place of the dots.") % {"name": name}
        ) from None


def _one(value: Any, stored: Any) -> Any:
    if value != MASK:
        return value
    if stored is None:
        raise NothingKept(_("There is nothing saved to keep. Write it in place of the dots."))
    return stored


def _moved(schema: Mapping[str, Any], config: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    """Whether a URL of `config` leads to another host or port than the stored one, or none, or no longer over TLS."""
    for name, part in schema["properties"].items():
        # One that is taken out leads nowhere; one that is new, such as a proxy, somewhere else.
        if is_url(part) and config.get(name):
            (now, there), (then, stood) = _place(config[name]), _place(stored.get(name))
            if there != stood or (now != then and not now.endswith("s")):
                return True
    return False


def _place(url: Any) -> tuple[str, str]:
    """Scheme, and host with port, in lower case."""
    found = _PLACE.match(url) if isinstance(url, str) else None
    return (found[1].lower(), found[2].lower()) if found else ("", "")
