"""SIGNALBOX_LOG_URL is understood or refused with a sentence, and shows its password to nobody."""

from __future__ import annotations

import importlib.util

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment
from delivery.log.kafka.address import Address
from delivery.log.kafka.records import NoEvent, headers_of, read
from tests.events import an_entry

WRONG = [
    ("http://h:1", "it must be kafka://"),
    ("kafka://h", "it must be kafka://"),
    ("kafka://h:1,h", "it must be kafka://"),
    ("kafka://h:99999", "it must be kafka://"),
    ("kafka://h:1/a/b", "the prefix"),
    ("kafka://h:1/?partitions=0", "partitions must be a number from 1 to 64"),
    ("kafka://h:1/?partitions=65", "partitions must be a number from 1 to 64"),
    ("kafka://h:1/?replication=x", "replication must be a number"),
    ("kafka://h:1/?mechanism=NONE", "mechanism must be one of PLAIN"),
    ("kafka://h:1/?partition=4", "partition is not known"),
]


def test_an_address_has_servers_a_prefix_and_how_to_sign_in() -> None:
    found = Address.parse(
        "kafka://me:s%40cret@a.example:9092,b:9093/city?tls=1&partitions=16&replication=3&mechanism=PLAIN"
    )
    assert (found.servers, found.prefix, found.partitions, found.replication) == (
        "a.example:9092,b:9093",
        "city",
        16,
        3,
    )
    assert found.topic("orders") == "city.orders"
    options = found.options()
    assert options["security.protocol"] == "SASL_SSL"
    assert options["sasl.password"] == "s@cret"
    assert "s@cret" not in repr(found)


def test_the_least_address_is_a_host_and_a_port() -> None:
    found = Address.parse("kafka://h:1")
    assert found == Address("h:1")
    assert found.options()["security.protocol"] == "PLAINTEXT"
    assert "sasl.password" not in found.options()


@pytest.mark.parametrize(("url", "sentence"), WRONG)
def test_what_is_wrong_with_an_address_is_said_without_its_password(
    url: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNALBOX_LOG_URL", url.replace("://", "://me:hidden@"))
    with pytest.raises(ImproperlyConfigured, match="SIGNALBOX_LOG_URL") as refused:
        environment.log_broker()
    assert sentence in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_without_the_client_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALBOX_LOG_URL", "kafka://h:1")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match=r"pip install 'signalbox\[kafka\]'"):
        environment.log_broker()


@pytest.mark.parametrize("version", [None, 7])
@pytest.mark.parametrize("valid", [None, 0, 1])
def test_a_record_says_what_was_found_when_it_was_checked(version: int | None, valid: int | None) -> None:
    entry = an_entry("a", "Zürich 🚦", data={"n": 1.50})._replace(schema_version=version, valid=valid)
    found = read(entry.raw, headers_of(entry))
    assert (found.event.raw, found.schema_version, found.valid) == (entry.raw, version, valid)


@pytest.mark.parametrize("checked", [None, b"", b"-", b"- - -", b"x 1", b"-5 1", b"99999999999999999999 1"])
def test_a_record_with_other_marks_is_none_of_ours(checked: bytes | None) -> None:
    with pytest.raises(NoEvent):
        read(an_entry("a").raw, [("signalbox-checked", checked)])


@pytest.mark.parametrize("value", [None, b"", b"[]", b"{}", b"\xff"])
def test_a_record_that_is_no_event_is_none_of_ours(value: bytes | None) -> None:
    with pytest.raises(NoEvent):
        read(value, [("signalbox-checked", b"- -")])
