"""Addresses and URLs that a delivery must not go to, and addresses that it may, in every form that has been used to get in."""

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
