"""Whether the settings of an HTTP target can work: checked when they are saved, and again before they are used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import TYPE_CHECKING

from catalog.said import said
from delivery.connectors.http import signing
from delivery.connectors.http.templates import BadTemplate, HeaderTemplates, TargetTemplate, fixed_url
from delivery.http import AddressPolicy, Blocked, InvalidHeader, InvalidPEM, ParsedURL
from delivery.http.headers import check_header

if TYPE_CHECKING:
    from delivery.connectors.http.settings import HTTPConfig

SET_HERE = re.compile(r"content-type|traceparent|tracestate|(ce|webhook|signalbox)-.*")
"""Header names, in lower case, that say what is being delivered."""

# what a URL itself says, wherever it leads: the addresses are judged by the policy of the place that delivers
_ANYWHERE = AddressPolicy([ip_network("0.0.0.0/0"), ip_network("::/0")])
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)


def problems_of(config: HTTPConfig) -> dict[str, str]:
    """What is wrong with settings beyond types and bounds, a sentence per setting."""
    try:
        if config.is_templated:
            TargetTemplate(config.url)
        url = _ANYWHERE.check_url(fixed_url(config.url))
    except Blocked as blocked:
        return {"url": blocked.sentence}
    except BadTemplate as bad:
        return {"url": str(bad)}
    return (
        _header_problems(config, url)
        | _auth_problems(config, url)
        | _batch_problems(config)
        | signing.problem_of(config.signing_keys, config.signing_until)
        | _way_problems(config, url)
    )


def _header_problems(config: HTTPConfig, url: ParsedURL) -> dict[str, str]:
    problems: dict[str, str] = {}
    taken = _names_twice([*config.headers, *config.event_headers])
    for field, given in (("headers", config.headers), ("event_headers", config.event_headers)):
        for name, value in given.items():
            try:
                check_header(name, "" if field == "event_headers" else value)
            except InvalidHeader as error:
                problems[field] = str(error)
            if SET_HERE.fullmatch(name.lower()):
                problems[field] = said(
                    "The header %(name)s is set by Signalbox itself; remove it.", name=name
                )
            if name.lower() in taken:
                problems[field] = said("A header is given twice; upper and lower case make no difference.")
            if name.lower() != "authorization":
                continue
            if url.authorization is not None:
                problems[field] = said(
                    "The URL holds a user and there is an Authorization header too; keep one."
                )
            elif config.auth in ("basic", "bearer", "oauth2"):
                problems[field] = said("Authentication sends an Authorization header; remove this one.")
    try:
        HeaderTemplates(config.event_headers)
        for name, text in config.event_headers.items():
            check_header(name, re.sub(r"\$\{[^}]*\}", "x", text).replace("$x", "x"))
    except (BadTemplate, InvalidHeader) as bad:
        problems["event_headers"] = str(bad)
    return problems


def _auth_problems(config: HTTPConfig, url: ParsedURL) -> dict[str, str]:
    needed: Mapping[str, tuple[str, ...]] = {
        "basic": ("username",),
        "bearer": ("token",),
        "api_key": ("api_key", "api_key_name"),
        "oauth2": ("token_url", "client_id", "client_secret"),
    }
    problems: dict[str, str] = {
        name: said("This is required.")
        for name in needed.get(config.auth, ())
        if not str(getattr(config, name)).strip()
    }
    if problems:
        return problems
    if url.authorization is not None and config.auth in ("basic", "bearer", "oauth2"):
        return {"auth": said("The URL holds a user already; take it out of the URL, or choose none here.")}
    if config.auth == "basic" and (":" in config.username or not _is_text(config.username, config.password)):
        return {"username": said("User and password must not hold control characters, the user no colon.")}
    if config.auth == "bearer":
        return _header_problem(config, "token", "authorization", f"Bearer {config.token}")
    if config.auth == "api_key" and config.api_key_in == "header":
        if SET_HERE.fullmatch(config.api_key_name.lower()):
            return {
                "api_key_name": said(
                    "The header %(name)s is set by Signalbox itself.", name=config.api_key_name
                )
            }
        return _header_problem(config, "api_key", config.api_key_name, config.api_key)
    if config.auth == "oauth2":
        try:
            parsed = _ANYWHERE.check_url(config.token_url)
        except Blocked as blocked:
            return {"token_url": blocked.sentence}
        if parsed.authorization is not None:
            return {
                "token_url": said(
                    "Take user and password out of the URL; they are the client's id and secret."
                )
            }
    return {}


def _header_problem(config: HTTPConfig, field: str, name: str, value: str) -> dict[str, str]:
    if name.lower() in {one.lower() for one in (*config.headers, *config.event_headers)}:
        return {"headers": said("Authentication sends the header %(name)s; remove this one.", name=name)}
    try:
        check_header(name, value)
    except InvalidHeader as error:
        return {field: str(error)}
    return {}


def _batch_problems(config: HTTPConfig) -> dict[str, str]:
    if config.mode == "batched" and config.is_templated:
        return {
            "mode": said(
                "A batch goes to one URL; take the placeholders out of the URL, or choose another mode."
            )
        }
    if config.mode == "batched" and config.event_headers:
        return {
            "mode": said(
                "A batch has one set of headers; take out those from the event, or choose another mode."
            )
        }
    return {}


def _way_problems(config: HTTPConfig, url: ParsedURL) -> dict[str, str]:
    if config.mtls and not url.tls:
        return {"mtls": said("A client certificate is shown in TLS only; the URL must begin with https://.")}
    if config.mtls:
        for name in ("client_certificate", "client_key"):
            if not str(getattr(config, name)).strip():
                return {name: said("This is required.")}
    if config.tls is not None:
        try:
            config.tls.context()
        except InvalidPEM as bad:
            return {
                {"ca": "ca", "certificate": "client_certificate", "key": "client_key"}[bad.part]: str(bad)
            }
    if config.proxy:
        try:
            _ANYWHERE.check_url(config.proxy)
        except Blocked as blocked:
            return {"proxy": blocked.sentence.replace("The URL", "The proxy's URL")}
    if config.origin and not _NAME.fullmatch(config.origin):
        return {"origin": said("This is a DNS name, such as events.shop.example.")}
    return {}


def _names_twice(names: list[str]) -> set[str]:
    lower = [name.lower() for name in names]
    return {name for name in lower if lower.count(name) > 1}


def _is_text(*texts: str) -> bool:
    return all(text.isprintable() for text in texts)
