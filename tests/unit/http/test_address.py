"""Which addresses and URLs a delivery may go to."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.http import AddressPolicy, Blocked
from delivery.http.address import BLOCKED_PORTS, is_local_name
from tests.addresses import ALLOWED_ADDRESSES, REFUSED_ADDRESSES, REFUSED_URLS

PUBLIC = AddressPolicy()
EMBEDDED = AddressPolicy([ip_network("127.0.0.0/8")])


def test_the_tables_are_long_enough_to_mean_something() -> None:
    assert len(set(REFUSED_ADDRESSES)) + len(set(ALLOWED_ADDRESSES)) >= 100
    assert len(REFUSED_URLS) + len(ACCEPTED_URLS) >= 80


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(Blocked) as blocked:
        PUBLIC.check_address(address)
    assert blocked.value.kind == "blocked"
    assert blocked.value.sentence.endswith(".")


@pytest.mark.parametrize("address", ALLOWED_ADDRESSES)
def test_a_public_address_is_allowed(address: str) -> None:
    PUBLIC.check_address(address)


@given(st.ip_addresses(v=4))
def test_whatever_python_calls_private_is_refused_in_ipv4(address: IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or address.is_loopback:
        with pytest.raises(Blocked):
            PUBLIC.check_address(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_refused_in_every_ipv6_dress_in_which_it_is_refused_plain(
    address: IPv4Address,
) -> None:
    try:
        PUBLIC.check_address(address)
    except Blocked:
        number = int(address)
        for dressed in (number, number | 0xFFFF << 32, 0x2002 << 112 | number << 80, 0x64FF9B << 96 | number):
            with pytest.raises(Blocked):
                PUBLIC.check_address(IPv6Address(dressed))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "8.8.8.8"])
def test_an_allowed_network_is_allowed_besides_the_public_ones(address: str) -> None:
    EMBEDDED.check_address(address)


@pytest.mark.parametrize(
    "address", ["::1", "::ffff:127.0.0.1", "2002:7f00:1::", "10.0.0.1", "169.254.169.254"]
)
def test_an_allowed_network_allows_nothing_beside_it(address: str) -> None:
    with pytest.raises(Blocked):
        EMBEDDED.check_address(address)


def test_a_local_name_may_only_lead_into_allowed_networks() -> None:
    EMBEDDED.check_address("127.0.0.1", local=True)
    with pytest.raises(Blocked, match=r"8\.8\.8\.8 is not in the networks that are allowed"):
        EMBEDDED.check_address("8.8.8.8", local=True)


# url, host, port, target, value of the Host header
ACCEPTED_URLS = [
    ("http://example.com", "example.com", 80, "/", "example.com"),
    ("https://example.com", "example.com", 443, "/", "example.com"),
    ("HTTPS://EXAMPLE.COM/Hook", "example.com", 443, "/Hook", "example.com"),
    ("https://example.com:443/", "example.com", 443, "/", "example.com"),
    ("http://example.com:443/", "example.com", 443, "/", "example.com:443"),
    ("https://example.com:8443/a", "example.com", 8443, "/a", "example.com:8443"),
    ("https://example.com:/a", "example.com", 443, "/a", "example.com"),
    ("https://example.com./a", "example.com", 443, "/a", "example.com"),
    ("https://example.com?x=1", "example.com", 443, "/?x=1", "example.com"),
    ("https://example.com/a?x=1&y=%20#part", "example.com", 443, "/a?x=1&y=%20", "example.com"),
    ("https://example.com/a#@127.0.0.1/", "example.com", 443, "/a", "example.com"),
    ("https://example.com/@127.0.0.1/", "example.com", 443, "/@127.0.0.1/", "example.com"),
    ("https://example.com/\u00fc?q=\u20ac", "example.com", 443, "/%C3%BC?q=%E2%82%AC", "example.com"),
    ("https://example.com/a/../b", "example.com", 443, "/a/../b", "example.com"),
    ("https://my_service.example.com/", "my_service.example.com", 443, "/", "my_service.example.com"),
    ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/", "xn--bcher-kva.example"),
    ("https://b\u00fccher.example/", "xn--bcher-kva.example", 443, "/", "xn--bcher-kva.example"),
    ("https://0xdead.example.com/", "0xdead.example.com", 443, "/", "0xdead.example.com"),
    ("https://1.2.3.4.example.com/", "1.2.3.4.example.com", 443, "/", "1.2.3.4.example.com"),
    ("https://localhost.example.com/", "localhost.example.com", 443, "/", "localhost.example.com"),
    ("https://mylocal.example/", "mylocal.example", 443, "/", "mylocal.example"),
    ("https://x.invalid/", "x.invalid", 443, "/", "x.invalid"),
    ("http://8.8.8.8/", "8.8.8.8", 80, "/", "8.8.8.8"),
    ("http://[2606:4700:4700:0::1111]/", "2606:4700:4700::1111", 80, "/", "[2606:4700:4700::1111]"),
    (
        "https://[2606:4700:4700::1111]:8443/",
        "2606:4700:4700::1111",
        8443,
        "/",
        "[2606:4700:4700::1111]:8443",
    ),
]


@pytest.mark.parametrize(("url", "part"), REFUSED_URLS)
def test_a_bad_url_is_refused_with_a_sentence_that_says_what_is_wrong(url: str, part: str) -> None:
    with pytest.raises(Blocked) as blocked:
        PUBLIC.check_url(url)
    assert part in blocked.value.sentence
    assert blocked.value.sentence.endswith(".")


@pytest.mark.parametrize(("url", "host", "port", "target", "authority"), ACCEPTED_URLS)
def test_a_good_url_is_taken_apart(url: str, host: str, port: int, target: str, authority: str) -> None:
    parsed = PUBLIC.check_url(url)
    assert (parsed.host, parsed.port, parsed.target, parsed.authority) == (host, port, target, authority)
    assert parsed.authorization is None
    assert not parsed.local


@pytest.mark.parametrize(
    ("userinfo", "value"),
    [
        ("user:secret", "Basic dXNlcjpzZWNyZXQ="),
        ("user", "Basic dXNlcjo="),
        (":secret", "Basic OnNlY3JldA=="),
        ("us%40er:p%3Aw%C3%A9", "Basic dXNAZXI6cDp3w6k="),
    ],
)
def test_user_and_password_become_the_authorization_header(userinfo: str, value: str) -> None:
    parsed = PUBLIC.check_url(f"https://{userinfo}@example.com/x")
    assert parsed.authorization == value
    assert parsed.host == "example.com"


def test_plain_http_is_refused_where_only_https_is_allowed() -> None:
    policy = AddressPolicy(https_only=True)
    assert policy.check_url("https://example.com/").tls
    with pytest.raises(Blocked, match="Only https"):
        policy.check_url("http://example.com/")


@pytest.mark.parametrize(
    "url", ["http://localhost:8000/", "http://bin.localhost/", "http://127.0.0.1:8000/", "http://web/"]
)
def test_local_names_pass_where_networks_are_allowed(url: str) -> None:
    parsed = EMBEDDED.check_url(url)
    assert parsed.local or parsed.address is not None


def test_a_service_port_stays_blocked_in_an_allowed_network() -> None:
    with pytest.raises(Blocked, match="Port 6379"):
        EMBEDDED.check_url("http://127.0.0.1:6379/")


@pytest.mark.parametrize("port", [80, 443, 3000, 5000, 7071, 8000, 8080, 8443, 9000])
def test_the_usual_ports_of_web_servers_are_not_blocked(port: int) -> None:
    assert port not in BLOCKED_PORTS


@given(st.text(max_size=40))
def test_any_text_is_either_taken_apart_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"https://example.com{text}"):
        try:
            parsed = PUBLIC.check_url(url)
        except Blocked:
            continue
        request_line = f"POST {parsed.target} HTTP/1.1\r\nhost: {parsed.authority}\r\n"
        assert request_line.isascii()
        assert request_line.count("\n") == 2
        assert request_line.count(" ") == 3
        assert not is_local_name(parsed.host) or parsed.address is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://robot:s3c/ret@shop.example/",
        "https://robot:s3c?ret@shop.example/",
        "https://robot:s3c#ret@shop.example/",
        "https://s3c_ret!/x@shop.example/",
        "https://robot:s3c@ret@shop.example/",
        "https://robot:s3c ret@shop.example/",
    ],
)
def test_what_is_said_of_a_password_that_breaks_its_url_holds_nothing_of_it(url: str) -> None:
    with pytest.raises(Blocked) as blocked:
        PUBLIC.check_url(url)
    assert "s3c" not in blocked.value.sentence
    assert "percent-encode" in blocked.value.sentence
