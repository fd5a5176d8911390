"""Which formats of JSON Schema a text has, by the engine that gives the verdicts on events."""

from __future__ import annotations

from collections.abc import Callable

from jsonschema_rs import Draft202012Validator


def _engine(name: str) -> Callable[[object], bool]:
    return Draft202012Validator({"format": name}, validate_formats=True).is_valid


FORMATS = ("date-time", "date", "time", "duration", "uuid", "email", "ipv4", "ipv6", "uri")
_DATE_TIME, _DATE, _TIME, _DURATION, _UUID, _EMAIL, _IPV4, _IPV6, _URI = map(_engine, FORMATS)
# Texts of these formats name or reach a person, or may carry a token: they are counted, never kept.
PRIVATE = frozenset({"email", "ipv4", "ipv6", "uri"})
_LONGEST = 2048
# A colon alone makes a URI by RFC 3986 ("sku:7"); only what people call one gets a vote.
_SCHEMES = ("urn:", "mailto:", "data:", "tel:")


def format_of(text: str) -> str:
    """Which of FORMATS `text` has, or "". A cheap look at the text decides which of them the engine is asked."""
    size = len(text)
    if size < 2 or size > _LONGEST:
        return ""
    if "@" in text:
        return "email" if _is(_EMAIL, text) else _uri(text)
    first = text[0]
    if "0" <= first <= "9":
        if text[4:5] == "-":
            if size == 10:
                return "date" if _is(_DATE, text) else ""
            if text[10:11] in ("T", "t"):
                return "date-time" if _is(_DATE_TIME, text) else ""
        if text[2:3] == ":" and _is(_TIME, text):
            return "time"
        if size <= 15 and text.count(".") == 3 and _is(_IPV4, text):
            return "ipv4"
    elif first == "P" and _is(_DURATION, text):
        return "duration"
    if size == 36 and text[8] == "-":
        return "uuid" if _is(_UUID, text) else ""
    if ":" not in text:
        return ""
    if size <= 45 and ("::" in text or text.count(":") >= 6) and _is(_IPV6, text):
        return "ipv6"
    return _uri(text)


def _uri(text: str) -> str:
    return "uri" if ("://" in text or text.startswith(_SCHEMES)) and _is(_URI, text) else ""


def _is(engine: Callable[[object], bool], text: str) -> bool:
    try:
        return engine(text)
    except UnicodeEncodeError:  # half of a surrogate pair is no text
        return False
