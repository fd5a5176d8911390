"""Which URLs and addresses a delivery may go to (server-side request forgery).

The URL check refuses what is wrong on sight and gives a good sentence early. The decision is `check_address`: it is
asked about the very address that is then connected to, so a name that resolves differently the second time gains nothing.
Networks: IANA IPv4 and IPv6 special-purpose address registries (RFC 6890 and updates).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, unquote, urlsplit

import msgspec

from delivery.http.errors import Blocked

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

_BAD_PORTS_OF_FETCH = """
    1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 135
    137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995
    1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080
"""  # services that take the first bytes of an HTTP request for commands; browsers refuse them too
_INTERNAL_SERVICES = """
    445 1433 1521 2375 2376 2379 2380 3306 3389 5432 5672 5900 6379 9042 10250 11211 27017
"""  # file sharing, databases, remote desktops, queues, caches, container and cluster control
BLOCKED_PORTS = frozenset(int(port) for port in (_BAD_PORTS_OF_FETCH + _INTERNAL_SERVICES).split())

LOCAL_SUFFIXES = ("localhost", "local", "internal", "localdomain", "lan", "home.arpa")
"""Names under these belong to one machine or one network, whatever a public name server says."""


def _table(rows: Iterable[tuple[str, str]]) -> tuple[tuple[IPNetwork, str], ...]:
    return tuple((ip_network(network), reason) for network, reason in rows)


REFUSED_IPV4 = _table(
    [
        ("0.0.0.0/8", "means this machine (RFC 1122)"),
        ("10.0.0.0/8", "belongs to a private network (RFC 1918)"),
        ("100.64.0.0/10", "belongs to a carrier's shared network (RFC 6598)"),
        ("127.0.0.0/8", "is this machine (loopback)"),
        ("168.63.129.16/32", "is the control address of Azure machines"),
        ("169.254.0.0/16", "is link-local, where clouds keep machine credentials (RFC 3927)"),
        ("172.16.0.0/12", "belongs to a private network (RFC 1918)"),
        ("192.0.0.0/24", "is reserved for protocols (RFC 6890)"),
        ("192.0.2.0/24", "is reserved for documentation (RFC 5737)"),
        ("192.88.99.0/24", "is reserved: the former 6to4 relays (RFC 7526)"),
        ("192.168.0.0/16", "belongs to a private network (RFC 1918)"),
        ("198.18.0.0/15", "is reserved for benchmarks (RFC 2544)"),
        ("198.51.100.0/24", "is reserved for documentation (RFC 5737)"),
        ("203.0.113.0/24", "is reserved for documentation (RFC 5737)"),
        ("224.0.0.0/4", "is multicast"),
        ("255.255.255.255/32", "is the broadcast address"),
        ("240.0.0.0/4", "is reserved (RFC 1112)"),
    ]
)

REFUSED_IPV6 = _table(
    [
        ("::/128", "means this machine (unspecified)"),
        ("::1/128", "is this machine (loopback)"),
        ("::ffff:0:0/96", "is an IPv4 address in IPv6 clothes (mapped); give the IPv4 address"),
        (
            "::ffff:0:0:0/96",
            "is an IPv4 address in IPv6 clothes (translated, RFC 2765); give the IPv4 address",
        ),
        ("::/96", "is an IPv4 address in IPv6 clothes (compatible); give the IPv4 address"),
        (
            "64:ff9b::/96",
            "leads to an IPv4 address through a translator (NAT64, RFC 6052); give the IPv4 address",
        ),
        ("64:ff9b:1::/48", "leads into a private network through a translator (RFC 8215)"),
        ("100::/64", "is the discard network (RFC 6666)"),
        ("fc00::/7", "belongs to a private network (unique local, RFC 4193)"),
        ("fe80::/10", "is link-local"),
        ("fec0::/10", "belongs to a private network (site-local, RFC 3879)"),
        ("ff00::/8", "is multicast"),
        ("2001:db8::/32", "is reserved for documentation (RFC 3849)"),
        ("3fff::/20", "is reserved for documentation (RFC 9637)"),
    ]
)
PROTOCOLS_IPV6 = IPv6Network("2001::/23")  # holds Teredo, ORCHID, benchmarking: RFC 2928
GLOBAL_IPV6 = IPv6Network("2000::/3")  # all that has been given out to the public internet

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LOOKS_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_AMBIGUOUS_IN_IDNA = frozenset("\u00df\u03c2\u200c\u200d")  # ß and ς, and two joiners
KEPT_IN_TARGET = "/%:@!$&'()*+,;=-._~?[]"


class ParsedURL(msgspec.Struct, frozen=True):
    """A URL that passed `check_url`, in the parts a request needs."""

    scheme: str
    host: str
    """Lower-case ASCII name, or a canonical address without brackets."""
    port: int
    target: str
    """Path and query as they go into the request line, percent-encoded; the fragment is dropped (RFC 9110 §4.2.5)."""
    authorization: str | None
    """Value of the Authorization header made from `user:password@` in the URL."""
    address: IPAddress | None
    """Set when the host is an address, not a name."""
    local: bool
    """The name belongs to one machine or network: its addresses must be in the allowed networks."""

    @property
    def authority(self) -> str:
        """Value of the Host header: no port where it is the scheme's own."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == _DEFAULT_PORT[self.scheme] else f"{host}:{self.port}"

    @property
    def tls(self) -> bool:
        return self.scheme == "https"


_DEFAULT_PORT = {"http": 80, "https": 443}


class AddressPolicy:
    """Public http and https targets, and whatever is in the `allow` networks besides."""

    def __init__(
        self,
        allow: Iterable[IPNetwork] = (),
        https_only: bool = False,
        blocked_ports: frozenset[int] = BLOCKED_PORTS,
    ) -> None:
        self.allow = tuple(allow)
        self.https_only = https_only
        self.blocked_ports = blocked_ports

    def check_url(self, url: str) -> ParsedURL:
        """The parts of `url`. Raises Blocked, with a sentence that says what is wrong with it."""
        if unsafe := _UNSAFE.search(url):
            raise Blocked(
                f"The URL has a space, a control character or a backslash at position {unsafe.start() + 1};"
                " percent-encode or remove it."
            )
        try:
            parts = urlsplit(url)
        except ValueError:
            raise Blocked(
                "The URL's host is not valid; write https://name/path or https://[IPv6 address]/path."
            ) from None
        if parts.scheme not in _DEFAULT_PORT or not parts.netloc:
            raise Blocked("The URL must begin with https:// or http:// and a host name.")
        if self.https_only and parts.scheme != "https":
            raise Blocked("Only https targets are allowed here; change http:// to https://.")
        userinfo, _, host_and_port = parts.netloc.rpartition("@")
        if "@" in userinfo:
            raise Blocked(
                "The URL has more than one @ before its path; percent-encode an @ in a password as %40."
            )
        try:
            host, address, port = self._host_and_port(host_and_port, parts.scheme)
        except Blocked:
            if not userinfo and "@" in url:  # What was taken for host and port may be a part of a password.
                raise Blocked(_CUT_SHORT) from None
            raise
        if port in self.blocked_ports:
            raise Blocked(f"Port {port} belongs to another kind of service and is never used for deliveries.")
        local = address is None and is_local_name(host)
        if address is not None:
            self.check_address(address)
        elif local and not self.allow:
            raise Blocked(f"{host} is a name inside one machine or network; targets must have public names.")
        return ParsedURL(
            scheme=parts.scheme,
            host=host,
            port=port,
            target=quote(parts.path or "/", safe=KEPT_IN_TARGET)
            + (f"?{quote(parts.query, safe=KEPT_IN_TARGET)}" if parts.query else ""),
            authorization=_basic(userinfo) if userinfo else None,
            address=address,
            local=local,
        )

    def check_address(self, address: IPAddress | str, *, local: bool = False) -> None:
        """Raises Blocked unless the address may be connected to. `local`: only the allowed networks will do."""
        if isinstance(address, str):
            address = ip_address(address)
        if any(address in network for network in self.allow):
            return
        if local:
            raise Blocked(
                f"The name belongs to one machine or network and its address {address} is not in the networks that are allowed.",
                address=str(address),
            )
        if reason := refusal(address):
            raise Blocked(
                f"The address {address} {reason}; targets must be on the public internet.",
                address=str(address),
            )

    def _host_and_port(self, text: str, scheme: str) -> tuple[str, IPAddress | None, int]:
        if text.startswith("["):
            literal, closing, rest = text[1:].partition("]")
            if not closing or (rest and not rest.startswith(":")):
                raise Blocked(
                    "The URL's IPv6 address must stand in brackets, with a port after it: [address]:port."
                )
            host, port_text = literal, rest[1:]
        else:
            host, _, port_text = text.partition(":")
        port = _port(port_text, scheme)
        if text.startswith("["):
            try:
                address6 = IPv6Address(host)
            except ValueError:
                raise Blocked(f"[{host}] is not an IPv6 address.") from None
            if address6.scope_id is not None:
                raise Blocked(f"[{host}] names a network interface; targets must be on the public internet.")
            return str(address6), address6, port
        name = _ascii_name(host)
        if _LOOKS_NUMERIC.fullmatch(name.rpartition(".")[2]):
            return *_canonical_ipv4(host, name), port
        if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
            raise Blocked(f"{host!r} is not a host name.")
        return name, None, port


_CUT_SHORT = (
    "The URL's host is not valid. If a user or password stands before it, percent-encode / as %2F, ? as %3F and # as %23"
    " in them."
)


def is_local_name(name: str) -> bool:
    """True for single-label names and those under a suffix that belongs to one machine or network."""
    return "." not in name or any(name == suffix or name.endswith(f".{suffix}") for suffix in LOCAL_SUFFIXES)


def refusal(address: IPAddress) -> str | None:
    """Why an address is not on the public internet, as the end of a sentence; None if it is."""
    if isinstance(address, IPv4Address):
        return next((reason for network, reason in REFUSED_IPV4 if address in network), None)
    for network, reason in REFUSED_IPV6:
        if address in network:
            return reason
    for inner, kind in embedded_ipv4(address):
        if inner_reason := refusal(inner):
            return f"leads to {inner} ({kind}), which {inner_reason}"
    if address in PROTOCOLS_IPV6 and address.teredo is None:
        return "is reserved for protocols (RFC 2928)"
    if address not in GLOBAL_IPV6:
        return "is outside the public part of IPv6 (2000::/3)"
    return None


def embedded_ipv4(address: IPv6Address) -> list[tuple[IPv4Address, str]]:
    """IPv4 addresses that packets to this IPv6 address end up at, with the name of the mechanism."""
    found: list[tuple[IPv4Address, str]] = []
    if address.sixtofour is not None:
        found.append((address.sixtofour, "6to4"))
    if address.teredo is not None:
        found += [(address.teredo[0], "a Teredo server"), (address.teredo[1], "Teredo")]
    if int(address) >> 32 & 0xFCFFFFFF == 0x00005EFE:  # RFC 5214 §6.1, u and g bits ignored
        found.append((IPv4Address(int(address) & 0xFFFFFFFF), "ISATAP"))
    return found


def _port(text: str, scheme: str) -> int:
    if not text:
        return _DEFAULT_PORT[scheme]
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise Blocked(f"{text!r} is not a port; use a number from 1 to 65535, or none.")
    return int(text)


def _ascii_name(host: str) -> str:
    """The name in lower case, non-ASCII labels as xn--, without the dot that may end it."""
    if not _AMBIGUOUS_IN_IDNA.isdisjoint(host):
        # IDNA 2003 and 2008 lead to different hosts (RFC 5894 §7.2); whoever owns the wrong one would get the events
        raise Blocked(f"{host!r} is read differently by different programs; write the name in its xn-- form.")
    try:
        name = host.lower() if host.isascii() else host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise Blocked(f"{host!r} is not a host name.") from None
    name = name.removesuffix(".")
    if not name:
        raise Blocked("The URL has no host name.")
    return name


def _canonical_ipv4(host: str, name: str) -> tuple[str, IPv4Address]:
    """The address, only when written as four plain decimal numbers: other spellings mean different things to different readers."""
    try:
        address = IPv4Address(name)
        canonical = str(address) == host.removesuffix(".")
    except ValueError:
        canonical = False
    if not canonical:
        raise Blocked(
            f"{host!r} is not a host name; write an IPv4 address as four decimal numbers, like 192.0.2.1."
        )
    return name, address


def _basic(userinfo: str) -> str:
    user, _, password = userinfo.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"
