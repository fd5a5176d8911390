"""The forms of attribute values: URIs, timestamps, media types."""

from __future__ import annotations

import pytest

from delivery.cloudevents import media_type
from delivery.cloudevents.attributes import is_timestamp, is_uri, is_uri_reference


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/cloudevents",
        "mailto:cncf-wg-serverless@lists.cncf.io",
        "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
        "ftp://ftp.is.co.za/rfc/rfc1808.txt",
        "ldap://[2001:db8::7]/c=GB?objectClass?one",
        "http://[v7.a:b]/x",
        "http://user:pa%20ss@host.example:8080/a;b=c/d?q=/?#frag/?",
        "http://host",
        "http://host:/",
        "http://",
        "file:///etc/hosts",
        "tel:+1-816-555-1212",
        "a:",
        "a:/",
        "a:/b//c",
        "x+y-z.1:rootless/path:with:colons",
        "http://192.0.2.16:80/",
        "http://[::ffff:192.0.2.1]/",
        "http://json-schema.org/draft-07/schema#",
    ],
)
def test_a_uri_is_taken_as_uri_and_as_reference(text: str) -> None:
    assert is_uri(text)
    assert is_uri_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "/cloudevents/spec/pull/123",
        "1-555-123-4567",
        "//host/path",
        "//host",
        "/",
        "a",
        "./a:b",
        "?q=1",
        "#f",
        "a/b:c",
        "@user",
        "/a//b",
        "%20",
        "a%C3%A9",
        "/sensors/tn-1234567/alerts",
        "*",
        "a,b;c=d",
        "../up",
        "",
    ],
)
def test_a_relative_reference_is_no_uri(text: str) -> None:
    assert is_uri_reference(text)
    assert not is_uri(text)


@pytest.mark.parametrize(
    "text",
    [
        "a b",
        "/é",
        "/%zz",
        "/%2",
        "1a:b",
        ":a",
        "http://[::1",
        "http://[1::2::3]/",
        "http://[zz]/",
        "http://a]b/",
        "http://h:8a/",
        "a#b#c",
        "/a^b",
        "/<x>",
        "/{id}",
        '/"',
        "/a\\b",
        "/|",
        "/`",
        "http://[::1]x/",
        "\n",
        "/a\n",
        "http://ex ample/",
        "-x:y",
        "http://a@b@c/",
        "javascript:alert(1)\u200b",
        "[x]",
        "/a[0]",
    ],
)
def test_what_is_no_uri_reference_is_refused(text: str) -> None:
    assert not is_uri_reference(text)
    assert not is_uri(text)


def test_a_hostile_uri_is_judged_without_backtracking() -> None:
    assert not is_uri_reference("a/" * 50_000 + "%")
    assert not is_uri_reference("http://" + "a:" * 50_000 + "\n")


@pytest.mark.parametrize(
    "text",
    [
        "2018-04-05T17:31:00Z",
        "2018-04-05t17:31:00z",
        "1985-04-12T23:20:50.52Z",
        "1996-12-19T16:39:57-08:00",
        "1990-12-31T23:59:60Z",
        "1990-12-31T15:59:60-08:00",
        "1937-01-01T12:00:27.87+00:20",
        "2024-02-29T00:00:00Z",
        "2000-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2018-04-05T17:31:00-00:00",
        "2018-04-05T17:31:00.123456789012Z",
        "2017-01-01T00:59:60+01:00",
        "2018-04-30T00:00:00+23:59",
    ],
)
def test_an_rfc_3339_timestamp_is_taken(text: str) -> None:
    assert is_timestamp(text)


@pytest.mark.parametrize(
    "text",
    [
        "2018-04-05T17:31:00",
        "2018-04-05",
        "2018-04-05 17:31:00Z",
        "2018-13-05T17:31:00Z",
        "2018-00-05T17:31:00Z",
        "2018-04-31T00:00:00Z",
        "2018-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2018-04-00T00:00:00Z",
        "2018-04-05T24:00:00Z",
        "2018-04-05T17:60:00Z",
        "2018-04-05T17:31:61Z",
        "1990-12-31T23:58:60Z",
        "1990-12-31T22:59:60Z",
        "1990-12-31T15:59:60+08:00",
        "2018-04-05T17:31Z",
        "20180405T173100Z",
        "",
        "now",
        "2018-04-05T17:31:00+0200",
        "2018-04-05T17:31:00+24:00",
        "2018-04-05T17:31:00+01:60",
        "2018-04-05T17:31:00.Z",
        "18-04-05T17:31:00Z",
        "2018-04-05T17:31:00Z ",
        "２018-04-05T17:31:00Z",
        "2018-04-05T17:31:00,5Z",
        "1522949460",
        "2018-W14-4T17:31:00Z",
        "2018-04-05T17:31:00ZZ",
        "2018-4-5T17:31:00Z",
        "+2018-04-05T17:31:00Z",
        "2018-04-05T7:31:00Z",
    ],
)
def test_what_is_no_rfc_3339_timestamp_is_refused(text: str) -> None:
    assert not is_timestamp(text)


@pytest.mark.parametrize(
    ("text", "essence", "is_json", "is_text", "charset"),
    [
        ("application/json", "application/json", True, False, "utf-8"),
        ("Application/JSON", "application/json", True, False, "utf-8"),
        ("text/json", "text/json", True, True, "utf-8"),
        (
            "application/vnd.example.order+json; v=2",
            "application/vnd.example.order+json",
            True,
            False,
            "utf-8",
        ),
        ("application/problem+JSON", "application/problem+json", True, False, "utf-8"),
        ("application/json; charset=UTF-8", "application/json", True, False, "utf-8"),
        ("text/plain", "text/plain", False, True, "utf-8"),
        ('text/plain;charset="ISO-8859-1"', "text/plain", False, True, "iso-8859-1"),
        ("text/plain ; Charset=utf8 ; format=flowed", "text/plain", False, True, "utf-8"),
        ("text/plain;", "text/plain", False, True, "utf-8"),
        ("image/svg+xml", "image/svg+xml", False, False, "utf-8"),
        ("application/x-json-stream", "application/x-json-stream", False, False, "utf-8"),
        ('multipart/mixed; boundary="a; charset=latin1"', "multipart/mixed", False, False, "utf-8"),
        ("x/y", "x/y", False, False, "utf-8"),
    ],
)
def test_a_media_type_is_read(text: str, essence: str, is_json: bool, is_text: bool, charset: str) -> None:
    assert media_type.parse(text) == media_type.MediaType(essence, is_json, is_text, charset)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "json",
        "application",
        "application/",
        "/json",
        "a/b/c",
        "application json",
        "application/json charset=x",
        "application/json; charset",
        "application/json; =x",
        "a/b; c=",
        'a/b; c="x',
        "a/b\n",
        "a/b; c=d e",
        "*/*",
        "a/*",
        "text/plain; charset = utf-8",
        "applicatión/json",
        "a/b, c/d",
        "a/b;;c",
        "<script>/x",
        "a/b; c=é",
    ],
)
def test_what_is_no_media_type_is_refused(text: str) -> None:
    assert media_type.parse(text) is None
