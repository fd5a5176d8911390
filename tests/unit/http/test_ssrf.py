"""Every form of an address that must not be reached, through everything of an HTTP target that holds a URL."""

from __future__ import annotations

import asyncio
import ssl
from ipaddress import ip_address
from typing import Any

import pytest

from delivery.connectors.config import InvalidConfig
from delivery.connectors.http.target import HTTPTarget
from delivery.connectors.spi import Delivery, Misconfigured, Outcome, Services
from delivery.http import AddressPolicy, Client, DeliveryError
from delivery.http.address import IPAddress
from delivery.http.opening import Opening
from delivery.http.resolver import Resolver
from tests.addresses import REFUSED_ADDRESSES, REFUSED_URLS

EVENT = b'{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"x"}'
TLS_CONTEXT = ssl.create_default_context()  # made anew for each client it takes a tenth of a second
GOOD = "https://shop.example/"
AUTH = {"auth": "oauth2", "client_id": "c", "client_secret": "secret"}


class Says(Resolver):
    """Gives each list of addresses in turn, and the last for ever."""

    def __init__(self, *answers: list[str]) -> None:
        super().__init__()
        self.answers = list(answers)

    async def resolve(self, name: str) -> list[IPAddress]:
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [ip_address(one) for one in found]


@pytest.fixture(autouse=True)
def nothing_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whatever passes the policy is noted instead of connected to."""
    reached: list[str] = []

    async def connect(self: Opening, addresses: list[IPAddress], port: int, deadline: float) -> None:
        reached.extend(map(str, addresses))
        raise DeliveryError("connect", "This test connects to nothing.")

    monkeypatch.setattr(Opening, "_connect", connect)
    monkeypatch.setattr(Client, "tls_context", TLS_CONTEXT)
    return reached


def sent(resolver: Resolver, config: dict[str, Any]) -> Outcome | InvalidConfig:
    async def once() -> Outcome | InvalidConfig:
        client = Client(AddressPolicy(), "Signalbox/test", resolver=resolver)
        try:
            target = HTTPTarget(HTTPTarget.Config.load(config), Services(client))
            await target.open()
            made = Delivery(event=EVENT, attributes={}, delivery_id="msg_1", attempt=1, whole=True)
            return await target.send(made)
        except InvalidConfig as refused:
            return refused
        finally:
            await client.close()

    return asyncio.run(once())


def ways(url: str) -> list[dict[str, Any]]:
    return [
        {"url": url},
        {"url": f"{url.split('?')[0].split('#')[0].rstrip('/')}/${{subject}}"},
        {"url": GOOD, "proxy": url},
        {"url": GOOD, **AUTH, "token_url": url},
    ]


def is_refused(outcome: Outcome | InvalidConfig) -> bool:
    return isinstance(outcome, InvalidConfig | Misconfigured)


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_no_setting_leads_to_an_address_that_is_not_public(
    address: str, nothing_is_connected_to: list[str]
) -> None:
    host = f"[{address}]" if ":" in address else address
    for config in ways(f"http://{host}/"):
        outcome = sent(Says(["93.184.215.14"]), config)
        assert is_refused(outcome), config
    assert address not in nothing_is_connected_to


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_no_name_leads_there_either_not_even_at_the_second_lookup(
    address: str, nothing_is_connected_to: list[str]
) -> None:
    for config in ways("https://evil.example/"):
        assert is_refused(sent(Says([address]), config)), config
        assert is_refused(sent(Says(["93.184.215.14", address]), config)), config
    # What was checked is what is connected to: a second answer is never asked for between the two.
    nothing_is_connected_to.clear()
    assert not is_refused(sent(Says(["93.184.215.14"], [address]), {"url": "https://evil.example/"}))
    assert nothing_is_connected_to == ["93.184.215.14"]


@pytest.mark.parametrize("url", [url for url, _part in REFUSED_URLS if url])
def test_no_trick_of_writing_a_url_is_taken(url: str, nothing_is_connected_to: list[str]) -> None:
    for config in (ways(url)[0], *ways(url)[2:]):
        assert is_refused(sent(Says(["93.184.215.14"]), config)), config
