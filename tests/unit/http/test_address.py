"""Which addresses and URLs a delivery may go to."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.http import AddressPolicy, Blocked
from delivery.http.address import BLOCKED_PORTS, is_local_name

PUBLIC = AddressPolicy()
EMBEDDED = AddressPolicy([ip_network("127.0.0.0/8")])

NOT_PUBLIC = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
    168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170
    192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9
    224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::2 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 ::127.0.0.1 ::8.8.8.8
    ::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::808:808 64:ff9b:1::1 100::1
    fc00::1 fd00:ec2::254 fdff::1 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1 2001:db8::1 3fff::1 3fff:fff::1
    2002:7f00:1:: 2002:a00:1::1 2002:a9fe:a9fe::1 2002:c0a8:101::1
    2001:0:7f00:1::1 2001:0:808:808:0:0:80ff:fffe 2001:0:808:808:0:0:f5ff:fffe 2001:0:a00:1:0:0:f7f7:f7f7
    2001:2::1 2001:10::1 2001:20::1 2001:1::1
    2a00:1450::5efe:10.0.0.1 2a00:1450::200:5efe:127.0.0.1
    4000::1 5f00::1 8000::1 e000::1 200::1 1fff::1
"""

ON_THE_INTERNET = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 93.184.215.14 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1
    168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.1 172.15.255.255 172.32.0.1 192.0.1.1 192.0.3.1 192.88.98.1
    192.167.255.255 192.169.0.1 198.17.255.255 198.20.0.1 203.0.112.255 203.0.114.0 223.255.255.255
    2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450:4001::200e 2400:cb00::1 2002:808:808::1
    2001:0:808:808:0:0:f7f7:f7f7 2a00:1450::5efe:8.8.8.8 2001:200::1 3ffe::1
"""

REFUSED_ADDRESSES, ALLOWED_ADDRESSES = NOT_PUBLIC.split(), ON_THE_INTERNET.split()


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


# url, part of the sentence
REFUSED_URLS = [
    ("", "must begin with"),
    ("example.com/hook", "must begin with"),
    ("//example.com/hook", "must begin with"),
    ("http:example.com", "must begin with"),
    ("http:///hook", "must begin with"),
    ("ftp://example.com/", "must begin with"),
    ("file:///etc/passwd", "must begin with"),
    ("gopher://example.com/_x", "must begin with"),
    ("javascript:alert(1)", "must begin with"),
    ("http://user@/", "no host"),
    ("http://:8080/", "no host"),
    ("http://./", "no host"),
    (" http://example.com/", "position 1"),
    ("http://example.com/a b", "position 21"),
    ("http://example.com/\r\nx: y", "position 20"),
    ("http://exam\tple.com/", "position 12"),
    ("http://example.com\\@127.0.0.1/", "backslash"),
    ("http://example.com/\x00", "control"),
    ("http://example.com/\u00a0", "control"),
    ("http://a@b@example.com/", "more than one @"),
    ("http://localhost/", "inside one machine"),
    ("http://LOCALHOST./", "inside one machine"),
    ("http://a.localhost/", "inside one machine"),
    ("http://printer.local/", "inside one machine"),
    ("http://metadata.google.internal/", "inside one machine"),
    ("http://db.default.svc.cluster.local/", "inside one machine"),
    ("http://router.home.arpa/", "inside one machine"),
    ("http://intranet/", "inside one machine"),
    ("http://ai/", "inside one machine"),
    ("http://127.0.0.1/", "loopback"),
    ("http://127.0.0.1./", "loopback"),
    ("http://user:pw@127.0.0.1:8080/", "loopback"),
    ("http://169.254.169.254/latest/meta-data/", "link-local"),
    ("http://[::1]/", "loopback"),
    ("http://[::ffff:127.0.0.1]/", "mapped"),
    ("http://[0:0:0:0:0:ffff:7f00:1]/", "mapped"),
    ("http://[fe80::1%25eth0]/", "interface"),
    ("http://[fe80::1%eth0]/", "interface"),
    ("http://[v1.abc]/", "IPv6"),
    ("http://[::1/", "IPv6 address"),
    ("http://[]/", "IPv6 address"),
    ("http://[::1]x:80/", "IPv6 address"),
    ("http://0x7f.1/", "four decimal numbers"),
    ("http://0x7f000001/", "four decimal numbers"),
    ("http://2130706433/", "four decimal numbers"),
    ("http://0177.0.0.1/", "four decimal numbers"),
    ("http://127.1/", "four decimal numbers"),
    ("http://127.0.1/", "four decimal numbers"),
    ("http://017700000001/", "four decimal numbers"),
    ("http://008.008.008.008/", "four decimal numbers"),
    ("http://8.8.8.0x8/", "four decimal numbers"),
    ("http://8.8.8.8.8/", "four decimal numbers"),
    ("http://256.1.1.1/", "four decimal numbers"),
    ("http://1.2.3.4.example.123/", "four decimal numbers"),
    ("http://\uff11\uff12\uff17.0.0.1/", "four decimal numbers"),
    ("http://127\u30020\u30020\u30021/", "four decimal numbers"),
    ("http://\u2460\u2461\u2466.0.0.1/", "four decimal numbers"),
    ("http://%31%32%37.0.0.1/", "not a host name"),
    ("http://exa%6dple.com/", "not a host name"),
    ("http://example..com/", "not a host name"),
    ("http://.example.com/", "not a host name"),
    ("http://-example.com/", "not a host name"),
    ("http://exa$mple.com/", "not a host name"),
    ("http://" + "a" * 64 + ".com/", "not a host name"),
    ("http://" + "a.b" * 90 + ".com/", "not a host name"),
    ("http://fa\u00df.example/", "xn-- form"),
    ("http://example.com:0/", "not a port"),
    ("http://example.com:65536/", "not a port"),
    ("http://example.com:+80/", "not a port"),
    ("http://example.com:8_0/", "not a port"),
    ("http://example.com:\u0661/", "not a port"),
    ("http://example.com:80:90/", "not a port"),
    ("http://example.com:http/", "not a port"),
    ("http://example.com:22/", "Port 22"),
    ("http://example.com:25/", "Port 25"),
    ("https://example.com:6379/", "Port 6379"),
    ("https://[2606:4700:4700::1111]:5432/", "Port 5432"),
]

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
