"""IP addresses and blocks of them as numbers, so that equal ones are equal however they are written."""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Iterable
from itertools import repeat
from socket import AF_INET, inet_pton
from typing import NamedTuple

_V6_SHAPE = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*(?:[0-9]+(?:\.[0-9]+){3})?")

BITS = {4: 32, 6: 128}
_MAPPED = 96  # bits of ::ffff:0:0/96, in front of an IPv4 address written as IPv6

Address = tuple[int, int]
"""(4 or 6, the address as an integer)."""


class Network(NamedTuple):
    """A block of addresses: those whose integer, shifted right by `shift` bits, is `number`."""

    version: int
    shift: int
    number: int

    def holds(self, address: Address) -> bool:
        return address[0] == self.version and address[1] >> self.shift == self.number


def address_of(text: str) -> Address | None:
    """The address when `text` is an IP literal, IPv4-mapped IPv6 as IPv4; else None.

    Octets with leading zeros are no addresses, nor are addresses with a zone.
    """
    if len(text) > 45:
        return None
    if text.count(".") == 3 and ":" not in text:
        try:
            return 4, int.from_bytes(inet_pton(AF_INET, text))
        except (OSError, ValueError):
            return None
    if _V6_SHAPE.fullmatch(text) is None:
        return None
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped
    return (6, int(address)) if mapped is None else (4, int(mapped))


def addresses_in(texts: Iterable[str]) -> dict[int, list[int]]:
    """The addresses among the texts as integers, by 4 or 6; equal ones as often as they are written."""
    found: dict[int, list[int]] = {4: [], 6: []}
    plain: list[str] = []
    for text in texts:
        if text.count(".") == 3 and ":" not in text and len(text) <= 45:
            plain.append(text)
        else:
            address = address_of(text)
            if address is not None:
                found[address[0]].append(address[1])
    packed: list[bytes] = []
    waiting = iter(plain)
    more = True
    while more:
        try:
            packed.extend(map(inet_pton, repeat(AF_INET), waiting))
            more = False
        except (OSError, ValueError):  # of one that is no address; the others before it are in the list
            continue
    found[4] += struct.unpack(f">{len(packed)}I", b"".join(packed))
    return found


def network_of(text: str) -> Network:
    """The block of `text`: an address, or address/bits; bits below the mask do not count.

    A block of at least 96 bits inside ::ffff:0:0/96 is one of IPv4. Raises ValueError, saying what is wrong.
    """
    written, slash, mask = text.partition("/")
    address = address_of(written)
    if address is None:
        raise ValueError(f"{written!r} is not an IP address")
    version, number = address
    as_written = 6 if ":" in written else 4
    bits = length = BITS[as_written]
    if slash:
        if not (mask.isascii() and mask.isdecimal() and len(mask) <= 3 and int(mask) <= bits):
            raise ValueError(f"after the slash stands the number of bits, 0 to {bits}, not {mask!r}")
        length = int(mask)
    if version != as_written:
        if length >= _MAPPED:
            length -= _MAPPED
        else:
            version, number = 6, number + (0xFFFF << 32)
    shift = BITS[version] - length
    return Network(version, shift, number >> shift)
