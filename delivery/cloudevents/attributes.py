"""Context attributes: names, types and constraints (CloudEvents 1.0, "Context Attributes" and "Type System")."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import Any

from delivery.cloudevents import media_type
from delivery.cloudevents.event import CloudEvent, Limits
from delivery.cloudevents.problems import Refused, shown

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane * 0x10000 + 0xFFFE) + chr(plane * 0x10000 + 0xFFFF) for plane in range(17)
)
_FORBIDDEN_CHARACTER = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_NONCHARACTERS}]")

_NAME = re.compile(r"[a-z0-9]+")

# RFC 3986, appendix A. Possessive quantifiers: no text can make these backtrack.
_PCHAR = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_PATH = rf"(?:/{_PCHAR}*+)*+"
_AUTHORITY = (
    r"(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*+@)?+"
    r"(?:\[(?:(?P<ipv6>[0-9A-Fa-f:.]++)|[vV][0-9A-Fa-f]++\.[A-Za-z0-9\-._~!$&'()*+,;=:]++)\]"
    r"|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*+)"
    r"(?::[0-9]*+)?+"
)
_QUERY = rf"(?:\?(?:{_PCHAR}|[/?])*+)?+(?:\#(?:{_PCHAR}|[/?])*+)?+"


def _with_hierarchy(rootless: str) -> str:
    """Authority and path, absolute path, path of the given first segment, or nothing; then query and fragment."""
    return rf"(?://{_AUTHORITY}{_PATH}|/(?:{_PCHAR}++{_PATH})?+|{rootless}{_PATH}|){_QUERY}"


_URI = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*+:" + _with_hierarchy(rf"{_PCHAR}++"))
_RELATIVE = re.compile(_with_hierarchy(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=@]|%[0-9A-Fa-f]{2})++"))

_TIME = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12][0-9]|3[01])[Tt]"
    r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9]|60)(?:\.[0-9]+)?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<offset_hour>[01][0-9]|2[0-3]):(?P<offset_minute>[0-5][0-9]))"
)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_CORE = ("id", "source", "type", "subject", "time", "datacontenttype", "dataschema")
_STRING_ONLY = frozenset([str])
_ATTRIBUTE_TYPES = frozenset([str, int, bool])


@lru_cache(maxsize=1024)
def is_uri(text: str) -> bool:
    """Whether the text is a URI with a scheme (RFC 3986 §3)."""
    return _matches_with_address(_URI, text)


@lru_cache(maxsize=1024)  # producers repeat their source
def is_uri_reference(text: str) -> bool:
    """Whether the text is a URI or a relative reference (RFC 3986 §4.1)."""
    return _matches_with_address(_URI, text) or _matches_with_address(_RELATIVE, text)


def _matches_with_address(pattern: re.Pattern[str], text: str) -> bool:
    found = pattern.fullmatch(text)
    if found is None:
        return False
    if found["ipv6"] is not None:
        try:
            IPv6Address(found["ipv6"])
        except AddressValueError:
            return False
    return True


def is_timestamp(text: str) -> bool:
    """Whether the text is an RFC 3339 date-time with an offset; a leap second must fall on 23:59:60 UTC."""
    found = _TIME.fullmatch(text)
    if found is None:
        return False
    day = found["day"]
    if day > "28":
        year, month = int(found["year"]), int(found["month"])
        leap_year = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        if int(day) > _DAYS[month - 1] or (month == 2 and day == "29" and not leap_year):
            return False
    if found["second"] == "60":
        minutes = int(found["hour"]) * 60 + int(found["minute"])
        if found["sign"] is not None:
            offset = int(found["offset_hour"]) * 60 + int(found["offset_minute"])
            minutes -= offset if found["sign"] == "+" else -offset
        return minutes % 1440 == 1439
    return True


def checked_event(
    attributes: dict[str, Any], *, raw: bytes, data: bytes | None, data_is_json: bool
) -> CloudEvent:
    """The event made of attributes that `check` has passed; takes the dict apart, what remains are the extensions."""
    del attributes["specversion"]
    take = attributes.pop
    return CloudEvent(
        id=take("id"),
        source=take("source"),
        type=take("type"),
        subject=take("subject", None),
        time=take("time", None),
        datacontenttype=take("datacontenttype", None),
        dataschema=take("dataschema", None),
        extensions=attributes,
        raw=raw,
        data=data,
        data_is_json=data_is_json,
    )


def check(attributes: dict[str, Any], limits: Limits) -> media_type.MediaType | None:
    """Check all context attributes of one event; returns the media type of its data, None when not given.

    `attributes` holds what was sent, without nulls and without data. Raises Refused at the first fault.
    """
    if len(attributes) > limits.attributes:
        raise Refused(
            f"The event has {len(attributes)} attributes; at most {limits.attributes} are taken. "
            "Move what describes the payload into data.",
            status=413,
        )
    if attributes.get("specversion") != "1.0":
        raise _wrong_specversion(attributes)
    names = "".join(attributes)
    if not (names.isascii() and names.isalnum() and names.islower()) or "" in attributes:
        _check_names(attributes)
    types = set(map(type, attributes.values()))
    if types == _STRING_ONLY:
        joined = "".join(attributes.values())
    else:
        _check_types(attributes, types)
        joined = "".join([value for value in attributes.values() if type(value) is str])
    # What is printable in Python's sense holds no control, no surrogate and no unassigned code point.
    if not joined.isprintable() and _FORBIDDEN_CHARACTER.search(joined) is not None:
        _check_characters(attributes)
    if len(names) + len(joined) > limits.attribute_bytes or not joined.isascii():
        _check_lengths(attributes, limits)
    return _check_core(attributes)


def _check_core(attributes: dict[str, Any]) -> media_type.MediaType | None:
    get = attributes.get
    source = get("source")
    if not (source and get("id") and get("type")):
        raise _missing(attributes)
    if not is_uri_reference(source):
        raise Refused(
            f"{shown(source)} is not a URI-reference (RFC 3986). Write for example /orders, urn:shop:orders "
            "or https://shop.example/orders, and percent-encode spaces and everything outside ASCII.",
            attribute="source",
        )
    if get("subject") == "":
        raise Refused("Must be a non-empty string, or left out.", attribute="subject")
    time, schema, content_type = get("time"), get("dataschema"), get("datacontenttype")
    if time is not None and not is_timestamp(time):
        raise Refused(
            f"{shown(time)} is not a timestamp with an offset (RFC 3339). Write for example 2026-11-23T06:30:01Z.",
            attribute="time",
        )
    if schema is not None and not is_uri(schema):
        raise Refused(
            f"{shown(schema)} is not a URI with a scheme (RFC 3986). Write for example https://schemas.example/order.json.",
            attribute="dataschema",
        )
    if content_type is None:
        return None
    kind = media_type.parse(content_type)
    if kind is None:
        raise Refused(
            f"{shown(content_type)} is not a media type (RFC 2046). Write for example application/json.",
            attribute="datacontenttype",
        )
    return kind


def _wrong_specversion(attributes: dict[str, Any]) -> Refused:
    if "specversion" not in attributes:
        return Refused('The attribute is missing; send "1.0".', attribute="specversion")
    return Refused(
        f'{shown(attributes["specversion"])} is not a version taken here; send the string "1.0".',
        attribute="specversion",
    )


def _missing(attributes: dict[str, Any]) -> Refused:
    name = next(name for name in ("id", "source", "type") if not attributes.get(name))
    if name in attributes:
        return Refused("Must not be empty.", attribute=name)
    return Refused("The attribute is missing; every event needs id, source and type.", attribute=name)


def _check_names(attributes: dict[str, Any]) -> None:
    for name in attributes:
        if _NAME.fullmatch(name) is None:
            raise Refused(
                f"{shown(name)} is no attribute name: only a to z (lower case) and 0 to 9 are allowed.",
                attribute=name[:64],
            )


def _check_types(attributes: dict[str, Any], types: set[type]) -> None:
    if not types <= _ATTRIBUTE_TYPES:
        for name, value in attributes.items():
            if type(value) not in _ATTRIBUTE_TYPES:
                kind = (
                    "a number with a fraction or exponent" if type(value) is float else "an object or array"
                )
                raise Refused(
                    f"An attribute is a string, a boolean or an integer; this is {kind}. "
                    "Send it as a string or move it into data.",
                    attribute=name,
                )
    for name in _CORE:
        if name in attributes and type(attributes[name]) is not str:
            raise Refused(f"Must be a string, not {shown(attributes[name])}.", attribute=name)
    for name, value in attributes.items():
        if type(value) is int and not -(2**31) <= value < 2**31:
            raise Refused(
                "An integer attribute lies between -2147483648 and 2147483647; send larger numbers as strings.",
                attribute=name,
            )


def _check_characters(attributes: dict[str, Any]) -> None:
    for name, value in attributes.items():
        found = _FORBIDDEN_CHARACTER.search(value) if type(value) is str else None
        if found is not None:
            raise Refused(
                f"Character U+{ord(found[0]):04X} at position {found.start()} is not allowed in an attribute: no control "
                "characters, no unpaired surrogates, no noncharacters. Remove it or move the text into data.",
                attribute=name,
            )


def _check_lengths(attributes: dict[str, Any], limits: Limits) -> None:
    for name, value in attributes.items():
        size = len(name) + (len(value.encode()) if type(value) is str else len(str(value)))
        if size > limits.attribute_bytes:
            raise Refused(
                f"The attribute takes {size} bytes; at most {limits.attribute_bytes} are taken. Move it into data.",
                attribute=name[:64],
                status=413,
            )
