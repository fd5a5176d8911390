"""The way to an HTTP target: own authorities, client certificates, proxies; what may not be reached is not reached."""

from __future__ import annotations

import ssl
import subprocess
from ipaddress import ip_network
from pathlib import Path
from typing import NamedTuple

import pytest

from delivery.connectors.config import InvalidConfig
from delivery.connectors.http.target import HTTPTarget
from delivery.connectors.spi import Delivered, Misconfigured, Outcome, Retry
from delivery.http import AddressPolicy, Client
from tests.integration.http_scenarios import Answers, Run, in_both_loops
from tests.integration.receiver import ProxyServer, Receiver, delivery, opened

NAME = "shop.example"
OTHERS = AddressPolicy([ip_network("127.0.0.0/8")])


class House(NamedTuple):
    """A certificate authority, a server context for NAME that it vouches for, and a client's certificate and key."""

    ca: str
    server: ssl.SSLContext
    mutual: ssl.SSLContext
    certificate: str
    key: str
    other_ca: str
    locked_key: str


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def _authority(folder: Path, name: str) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    _openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign",
        "-keyout", str(key), "-out", str(certificate),
    )  # fmt: skip
    return certificate, key


def _issued(folder: Path, name: str, ca: tuple[Path, Path]) -> tuple[Path, Path]:
    request, certificate, key = (folder / f"{name}.{end}" for end in ("csr", "pem", "key"))
    _openssl(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
        "-keyout", str(key), "-out", str(request),
    )  # fmt: skip
    names = folder / f"{name}.ext"
    names.write_text(f"subjectAltName=DNS:{name}\n")
    _openssl(
        "x509", "-req", "-in", str(request), "-CA", str(ca[0]), "-CAkey", str(ca[1]), "-CAcreateserial", "-days", "2",
        "-extfile", str(names), "-out", str(certificate),
    )  # fmt: skip
    return certificate, key


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    folder = tmp_path_factory.mktemp("house")
    ca, other = _authority(folder, "house"), _authority(folder, "other")
    server, client = _issued(folder, NAME, ca), _issued(folder, "box", ca)
    contexts = []
    for mutual in (False, True):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*server)
        if mutual:
            context.load_verify_locations(ca[0])
            context.verify_mode = ssl.CERT_REQUIRED
        contexts.append(context)
    locked = folder / "locked.key"
    _openssl("ec", "-in", str(client[1]), "-aes256", "-passout", "pass:x", "-out", str(locked))
    return House(
        ca[0].read_text(), *contexts, client[0].read_text(), client[1].read_text(), other[0].read_text(), locked.read_text()
    )  # fmt: skip


def to_loopback(policy: AddressPolicy = OTHERS, **options: object) -> Client:
    return Client(policy, "Signalbox/test", resolver=Answers(["127.0.0.1"]), **options)  # type: ignore[arg-type]


async def sent(receiver: Receiver, http: Client, **config: object) -> Outcome:
    try:
        async with opened(receiver.url("/x", NAME), http, **config) as target:
            return await target.send(delivery())
    finally:
        await http.close()


@in_both_loops
def test_an_own_authority_vouches_and_no_other_does(run: Run, house: House) -> None:
    async def scenario() -> None:
        async with Receiver(context=house.server) as receiver:
            outcome = await sent(receiver, to_loopback(), ca=house.ca)
            assert isinstance(outcome, Delivered)
            assert outcome.timings is not None
            assert outcome.timings.tls > 0
            for config in ({}, {"ca": house.other_ca}):
                outcome = await sent(receiver, to_loopback(), **config)
                assert isinstance(outcome, Retry)
                assert "certificate is not accepted" in outcome.reason
            assert len(receiver.requests) == 1

    run(scenario())


@in_both_loops
def test_a_client_certificate_is_shown_to_who_asks(run: Run, house: House) -> None:
    async def scenario() -> None:
        async with Receiver(context=house.mutual) as receiver:
            shown = {"mtls": True, "client_certificate": house.certificate, "client_key": house.key}
            assert isinstance(await sent(receiver, to_loopback(), ca=house.ca, **shown), Delivered)
            [request] = receiver.requests
            assert request.peer["subject"] == ((("commonName", "box"),),)
            assert isinstance(await sent(receiver, to_loopback(), ca=house.ca), Retry)
            assert len(receiver.requests) == 1

    run(scenario())


def test_certificates_and_keys_are_checked_when_saved(house: House) -> None:
    good = {"mtls": True, "client_certificate": house.certificate, "client_key": house.key}
    HTTPTarget.Config.load({"url": f"https://{NAME}/", "ca": house.ca, **good})
    for changed, field, part in (
        ({"client_key": ""}, "client_key", "required"),
        ({"client_key": "hello"}, "client_key", "no private key"),
        ({"client_key": house.locked_key}, "client_key", "passphrase"),
        ({"client_key": _other_key()}, "client_key", "does not belong"),
        ({"client_certificate": "hello"}, "client_certificate", "no certificate"),
        ({"client_certificate": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"}, "client_certificate", "read"),
        ({"ca": "hello"}, "ca", "no certificate"),
        ({"ca": house.certificate}, "ca", "no certificate of an authority"),
        ({"url": "http://shop.example/"}, "mtls", "https://"),
    ):  # fmt: skip
        with pytest.raises(InvalidConfig) as refused:
            HTTPTarget.Config.load({"url": f"https://{NAME}/", **good, **changed})
        assert part in refused.value.problems[field], (changed, refused.value.problems)
        assert "PRIVATE KEY-----\n" not in str(refused.value)


def _other_key() -> str:
    made = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout


# proxies


@in_both_loops
def test_a_proxy_opens_a_tunnel_to_the_address_that_was_checked(run: Run, house: House) -> None:
    async def scenario() -> None:
        async with Receiver(context=house.server) as receiver, ProxyServer() as proxy:
            address = f"http://user:p%40ss@127.0.0.1:{proxy.port}"
            outcome = await sent(receiver, to_loopback(), ca=house.ca, proxy=address)
            assert isinstance(outcome, Delivered)
            assert outcome.timings is not None
            assert min(outcome.timings.connect, outcome.timings.tls) > 0
            [asked] = proxy.asked
            assert (asked.method, asked.target) == ("CONNECT", f"127.0.0.1:{receiver.port}")
            assert asked.headers["proxy-authorization"] == "Basic dXNlcjpwQHNz"
            [request] = receiver.requests
            assert "proxy-authorization" not in request.headers
            assert request.target == "/x"

    run(scenario())


@in_both_loops
def test_a_plain_target_is_asked_of_the_proxy_by_its_whole_url(run: Run) -> None:
    async def scenario() -> None:
        async with Receiver() as receiver, ProxyServer() as proxy:
            http = to_loopback(proxy=f"http://u:p@127.0.0.1:{proxy.port}")
            assert isinstance(await sent(receiver, http), Delivered)
            [asked] = proxy.asked
            assert asked.target == f"http://{NAME}:{receiver.port}/x"
            assert asked.headers["proxy-authorization"] == "Basic dTpw"
            assert receiver.requests[0].headers["host"] == f"{NAME}:{receiver.port}"

    run(scenario())


@in_both_loops
def test_a_proxy_may_be_spoken_to_in_tls(
    run: Run, house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(house.ca)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    async def scenario() -> None:
        async with Receiver(context=house.server) as receiver, ProxyServer(context=house.server) as proxy:
            outcome = await sent(receiver, to_loopback(proxy=f"https://{NAME}:{proxy.port}"))
            assert isinstance(outcome, Delivered), outcome
            assert proxy.asked[0].method == "CONNECT"
        async with Receiver() as receiver, ProxyServer(context=house.server) as proxy:
            outcome = await sent(receiver, to_loopback(proxy=f"https://{NAME}:{proxy.port}"))
            assert isinstance(outcome, Delivered), outcome

    run(scenario())


@in_both_loops
@pytest.mark.parametrize(("status", "kind"), [(407, Misconfigured), (403, Misconfigured), (502, Retry)])
def test_a_proxy_that_opens_no_tunnel_says_why(
    run: Run, house: House, status: int, kind: type[Outcome]
) -> None:
    async def scenario() -> None:
        async with Receiver(context=house.server) as receiver, ProxyServer(status) as proxy:
            outcome = await sent(receiver, to_loopback(), proxy=f"http://127.0.0.1:{proxy.port}")
            assert type(outcome) is kind
            assert f"The proxy answers {status}" in outcome.reason  # type: ignore[attr-defined]
            assert receiver.connections == 0

    run(scenario())


@in_both_loops
def test_what_a_target_must_not_reach_it_does_not_reach_through_a_proxy_either(
    run: Run, house: House
) -> None:
    async def scenario() -> None:
        async with Receiver(context=house.server) as receiver, ProxyServer() as proxy:
            address = f"http://127.0.0.1:{proxy.port}"
            inside = Client(OTHERS, "Signalbox/test", resolver=Answers(["10.0.0.1"]), proxy=address)
            assert isinstance(await sent(receiver, inside), Misconfigured)
            # The proxy itself is under the policy, too.
            for bad in ("http://169.254.169.254:3128", "http://10.0.0.1:3128", "http://[::1]:3128"):
                assert isinstance(await sent(receiver, to_loopback(), proxy=bad), Misconfigured), bad
            rebound = Client(OTHERS, "Signalbox/test", resolver=Answers(["127.0.0.1"], ["10.0.0.9"]))
            outcome = await sent(receiver, rebound, proxy=f"http://proxy.example:{proxy.port}")
            assert isinstance(outcome, Misconfigured)
            assert proxy.asked == []
            assert receiver.connections == 0

    run(scenario())


@in_both_loops
def test_a_proxy_that_looks_names_up_is_given_the_name(run: Run, house: House) -> None:
    async def scenario() -> None:
        async with Receiver(context=house.server) as receiver, ProxyServer() as proxy:
            nobody = Client(
                OTHERS, "Signalbox/test", resolver=Answers([]), proxy=f"http://127.0.0.1:{proxy.port}", proxy_looks_up=True
            )  # fmt: skip
            assert isinstance(await sent(receiver, nobody, ca=house.ca), Delivered)
            assert proxy.asked[0].target == f"{NAME}:{receiver.port}"

    run(scenario())


@in_both_loops
def test_what_is_on_this_machine_is_reached_without_the_operators_proxy(run: Run) -> None:
    async def scenario() -> None:
        async with Receiver() as receiver, ProxyServer() as proxy:
            http = to_loopback(proxy=f"http://127.0.0.1:{proxy.port}")
            async with opened(receiver.url("/x"), http) as target:
                assert isinstance(await target.send(delivery()), Delivered)
            await http.close()
            assert proxy.asked == []

    run(scenario())
