"""Reads the environment once for the settings: the var folder, the secret key, the database."""

from __future__ import annotations

import importlib.util
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from delivery.log.kafka.address import Address

TRUE = frozenset({"1", "true", "yes", "on"})


def flag(name: str, default: bool = False) -> bool:
    """Whether environment variable `name` says yes; `default` when it is not set or empty."""
    value = os.environ.get(name, "")
    return value.strip().lower() in TRUE if value else default


def whole_number(name: str, default: int, least: int, most: int, unit: str) -> int:
    """Environment variable `name` as a number from `least` to `most`; `default` when it is not set or empty.

    Raises ImproperlyConfigured, whose message names the variable, what it holds and what may stand there.
    """
    text = os.environ.get(name, "").strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1
    if text and not least <= number <= most:
        raise ImproperlyConfigured(f"{name} is {text!r}; it must be {unit} from {least} to {most}.")
    return number if text else default


def port() -> int:
    """The TCP port that the web process listens on: SIGNALBOX_PORT, which `make up PORT=…` sets, else 8000."""
    return whole_number("SIGNALBOX_PORT", 8000, 1, 65_535, "a port (make up PORT=8001)")


def public_url(host: str, port: int) -> str:
    """SIGNALBOX_URL, else how this machine reaches the web process; without a slash at its end."""
    if url := os.environ.get("SIGNALBOX_URL", "").strip().rstrip("/"):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ImproperlyConfigured(
                "SIGNALBOX_URL must be an address such as https://signalbox.example.com."
            )
        return url
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def mail_server() -> dict[str, Any]:
    """Django's EMAIL_ settings from SIGNALBOX_EMAIL_URL; without it mail is written to the worker's output.

    smtp://USER:PASSWORD@HOST:PORT for STARTTLS (?tls=0 without), smtps:// for TLS from the start.
    """
    found: dict[str, Any] = {
        "EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend",
        "EMAIL_TIMEOUT": 10,
        "DEFAULT_FROM_EMAIL": os.environ.get("SIGNALBOX_EMAIL_FROM", "") or "signalbox@localhost",
    }
    url = os.environ.get("SIGNALBOX_EMAIL_URL", "").strip()
    if not url:
        return found
    # The message never quotes the address: it holds a password.
    wrong = ImproperlyConfigured("SIGNALBOX_EMAIL_URL must be smtp://USER:PASSWORD@HOST:PORT, or smtps://….")
    try:
        parts = urlsplit(url)
        number = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise wrong
    tls = dict(parse_qsl(parts.query)).get("tls", "1").lower() in TRUE
    return found | {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": number or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp" and tls,
    }


def log_broker() -> Address | None:
    """The broker that events are taken in by: SIGNALBOX_LOG_URL (docs/kafka-log.md); None without one.

    Raises ImproperlyConfigured, whose message never quotes the address: it may hold a password.
    """
    text = os.environ.get("SIGNALBOX_LOG_URL", "").strip()
    if not text:
        return None
    try:
        found = Address.parse(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"SIGNALBOX_LOG_URL: {error}") from None
    if importlib.util.find_spec("confluent_kafka") is None:
        raise ImproperlyConfigured(
            "SIGNALBOX_LOG_URL needs the package confluent-kafka, which is not installed. "
            "Install it: pip install 'signalbox[kafka]'"
        )
    return found


def var_folder(base: Path) -> Path:
    """The folder for everything that is written at run time, made if missing and closed to other users."""
    folder = Path(os.environ.get("SIGNALBOX_VAR") or base / "var").resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def secret_key(folder: Path) -> str:
    """SIGNALBOX_SECRET_KEY, else a key generated once and kept in `folder` for this machine alone."""
    if key := os.environ.get("SIGNALBOX_SECRET_KEY"):
        return key
    path = folder / "secret_key"
    if not path.exists():
        # O_EXCL: of two processes that start at once, one writes and the other reads.
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


def database(folder: Path) -> dict[str, Any]:
    """Django's DATABASES entry: PostgreSQL from DATABASE_URL, else SQLite under `folder`."""
    url = os.environ.get("DATABASE_URL", "")
    if url:
        return _postgresql(url)
    # 8 MiB of pages for each thread's connection; what is read beyond that is the system's cache, through mmap. With 64 a
    # worker grew with its database to 400 MiB.
    pragmas = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-8192; PRAGMA mmap_size=268435456;"
        "PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=4000;"
    )
    return {
        "ENGINE": "delivery.log.sqlite_backend",
        "NAME": folder / "signalbox.sqlite3",
        # A connection per request would run the pragmas anew each time (stack.md §2.1).
        "CONN_MAX_AGE": None,
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": pragmas},
        "TEST": {"NAME": folder / "test.sqlite3"},
    }


def _postgresql(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(f"DATABASE_URL must start with postgresql://, not {parts.scheme}://")
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # Without the just-in-time compiler: it took 60 ms for a statement of 5 ms, whose cost the planner puts too high.
        "OPTIONS": {"options": "-c jit=off"} | query,
    }
