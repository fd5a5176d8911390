"""Where the broker is: the parts of SIGNALBOX_LOG_URL, and what librdkafka is told of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

PREFIX = re.compile(r"[A-Za-z0-9._-]{1,100}")  # with a bus's name less than the 249 characters of a topic's
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
PARTITIONS = 8


@dataclass(frozen=True)
class Address:
    """Brokers as `host:port,host:port`, the prefix of our topics, how topics are made, and how to sign in."""

    servers: str
    prefix: str = "signalbox"
    partitions: int = PARTITIONS
    replication: int = -1  # the broker's default
    tls: bool = False
    ca: str = ""  # a file with the certificates to trust; the system's without
    user: str = ""
    password: str = field(default="", repr=False)
    mechanism: str = "SCRAM-SHA-512"

    @classmethod
    def parse(cls, url: str) -> Self:
        """The address in `kafka://USER:PASSWORD@HOST:PORT,HOST:PORT/PREFIX?tls=1&…`.

        Raises ValueError with a sentence that names what is wrong and quotes no password.
        """
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        user, _, password = parts.netloc.rpartition("@")[0].partition(":")
        servers = parts.netloc.rpartition("@")[2]
        if parts.scheme != "kafka" or not all(_is_server(one) for one in servers.split(",")):
            raise ValueError(
                "it must be kafka://HOST:PORT,HOST:PORT/PREFIX, with USER:PASSWORD@ before them if needed."
            )
        prefix = parts.path.strip("/") or cls.prefix
        if not PREFIX.fullmatch(prefix):
            raise ValueError("the prefix may have letters, digits, dots, _ and -, at most 100.")
        found = cls(
            servers,
            prefix,
            _number(query, "partitions", PARTITIONS, 1, 64),
            _number(query, "replication", -1, 1, 100),
            query.pop("tls", "0") in ("1", "true"),
            query.pop("ca", ""),
            unquote(user),
            unquote(password),
            query.pop("mechanism", cls.mechanism),
        )
        if found.mechanism not in MECHANISMS:
            raise ValueError(f"mechanism must be one of {', '.join(MECHANISMS)}.")
        if query:
            raise ValueError(
                f"{min(query)} is not known; there are partitions, replication, tls, ca, mechanism."
            )
        return found

    def options(self) -> dict[str, str | int | float | bool]:
        """librdkafka's options to connect. They hold the password: not for any log."""
        found: dict[str, str | int | float | bool] = {
            "bootstrap.servers": self.servers,
            "client.id": "signalbox",
            "socket.connection.setup.timeout.ms": 5_000,
            "reconnect.backoff.max.ms": 1_000,  # 10 s else: a broker that is back is to be noticed
            "security.protocol": ("SASL_" if self.user else "") + ("SSL" if self.tls else "PLAINTEXT"),
        }
        if self.ca:
            found["ssl.ca.location"] = self.ca
        if self.user:
            found |= {
                "sasl.mechanisms": self.mechanism,
                "sasl.username": self.user,
                "sasl.password": self.password,
            }
        return found

    def topic(self, bus: str) -> str:
        """The topic of the bus of this name."""
        return f"{self.prefix}.{bus}"


def _is_server(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return (
        bool(re.fullmatch(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]", host))
        and port.isdigit()
        and 0 < int(port) < 65_536
    )


def _number(query: dict[str, str], name: str, default: int, least: int, most: int) -> int:
    text = query.pop(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
        raise ValueError(f"{name} must be a number from {least} to {most}.")
    return int(text)
