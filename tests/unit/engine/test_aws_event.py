"""AWS's own sample events, and what their patterns mean here."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from rules.engine import Event, compile, compile_transform, read_event
from rules.engine.imported_transforms import from_aws
from tests.vectors import REPOSITORY

# As in AWS's user guide, "EC2 instance state-change notification events".
SAMPLE = b"""{
  "version": "0", "id": "7bf73129-1428-4cd3-a780-95db273d1602",
  "detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2", "account": "123456789012",
  "time": "2021-11-11T21:29:54Z", "region": "us-east-1",
  "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
  "detail": {"instance-id": "i-abcd1111", "state": "pending", "cost": 1.50}
}"""


def changed(**members: Any) -> bytes:
    return json.dumps(json.loads(SAMPLE) | members).encode()


@pytest.mark.parametrize(
    ("pattern", "takes"),
    [
        ({"source": ["aws.ec2"], "detail-type": [{"prefix": "EC2"}], "detail": {"state": ["pending"]}}, True),
        ({"type": [{"prefix": "EC2"}], "data": {"cost": [{"numeric": ["=", 1.5]}]}}, True),
        ({"account": ["123456789012"], "region": ["us-east-1"], "version": ["0"]}, True),
        ({"resources": [{"suffix": "i-abcd1111"}]}, True),
        ({"resources": [{"exists": False}]}, False),
        ({"region": ["eu-north-1"]}, False),
    ],
)
def test_a_pattern_for_aws_means_the_same_on_an_event_of_aws(pattern: dict[str, Any], takes: bool) -> None:
    assert bool(compile([(1, pattern)]).match(read_event(SAMPLE))) is takes


def test_it_is_a_cloudevent_whose_numbers_are_as_written() -> None:
    event = read_event(SAMPLE)
    assert event.attributes["specversion"] == "1.0"
    assert event.data_raw == b'{"instance-id": "i-abcd1111", "state": "pending", "cost": 1.50}'


def test_without_resources_the_attribute_is_not_there() -> None:
    assert "resources" not in read_event(changed(resources=[])).attributes


@pytest.mark.parametrize("resources", [["a", "b"], "a", {}])
def test_several_resources_are_refused_with_what_to_do(resources: Any) -> None:
    with pytest.raises(ValueError, match=r"ask for `detail\.resources`"):
        read_event(changed(resources=resources))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"specversion": "1.0", "type": "a", "data": {"detail": 1}}',
        b'{"specversion": "1.0", "detail-type": "a", "detail": "b"}',
        b'{"detail-type": "a"}',
        b'{"detail-type": "a", "detail": "b", "type": "c"}',
    ],
)
def test_other_events_are_read_as_they_are(raw: bytes) -> None:
    assert read_event(raw).to_json() == raw
    assert read_event(raw).attributes == Event.from_json(raw).attributes


@pytest.mark.parametrize("raw", [b"[]", b"{", b'{"detail-type": 1.5, "detail": {}}', b"\xff", b"[" * 100_000])
def test_what_is_no_event_is_refused_as_ever(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"an event is one JSON object|must be a string"):
        read_event(raw)


def test_the_input_transformer_of_the_documentation_makes_the_same_event() -> None:
    page = (REPOSITORY / "docs" / "coming-from.md").read_text(encoding="utf-8")
    [written] = re.findall(r"^```json\n(\{\n  \"InputPathsMap\".*?)^```$", page, re.MULTILINE | re.DOTALL)
    # AWS fills in what its paths find; ours reads the same values from the event that AWS's stands for.
    spec = json.loads(written)
    ours = {name: path for name, path in spec["InputPathsMap"].items() if name not in ("account", "region")}
    assert set(spec["InputPathsMap"]) - set(ours) == {"account", "region"}
    filled = spec["InputTemplate"].replace("<account>", "123456789012").replace("<region>", "us-east-1")
    made = compile_transform(from_aws({"InputPathsMap": ours, "InputTemplate": filled}).spec).apply(
        read_event(SAMPLE)
    )
    sent, meant = json.loads(made.body), json.loads(read_event(changed(resources=[])).to_json())
    assert sent == {name: value for name, value in meant.items() if name != "version"}
