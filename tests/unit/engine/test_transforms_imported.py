"""Transforms of AWS, Alibaba Cloud and RocketMQ EventBridge give here what they give there, or say where not."""

from __future__ import annotations

import json

import pytest

from rules.engine import Event, TransformError, compile_transform
from rules.engine.imported_transforms import from_alibaba, from_aws, imported

EVENT = Event(
    {
        "id": "7",
        "source": "aws.ec2",
        "type": "EC2 Instance State-change Notification",
        "time": "2015-11-11T21:29:54Z",
    },
    b'{"instance-id": "i-0123456789", "state": "RUN\\"NING", "cpus": 2, "tags": ["a", "b"], "o": {"x": 1.50}}',
)


def sent(spec: dict[str, object]) -> object:
    return json.loads(compile_transform(spec).apply(EVENT).body)


MAP = {
    "instance": "$.detail.instance-id",
    "status": "$.detail.state",
    "n": "$.detail.cpus",
    "data": "$.detail.o",
}

# (an AWS target, what is sent)
AWS = [
    ({"Input": '{"a": [1, "x"]}'}, {"a": [1, "x"]}),
    ({"InputPath": "$.detail"}, EVENT.data),
    ({"InputPath": "$.detail.instance-id"}, "i-0123456789"),
    ({"InputPath": "$.detail.tags[1]"}, "b"),
    ({"InputPath": "$.detail.tags[*]"}, ["a", "b"]),
    ({"InputPath": "$.detail-type"}, EVENT.attributes["type"]),
    ({"InputPath": "$"}, {**EVENT.attributes, "data": EVENT.data}),
    (
        {"InputTransformer": {"InputPathsMap": MAP, "InputTemplate": '"<instance> is in state \\"<status>\\""'}},
        'i-0123456789 is in state "RUN"NING"',
    ),
    (
        {
            "InputTransformer": {
                "InputPathsMap": MAP,
                "InputTemplate": '{"i": <instance>, "s": "<instance>: <status>", "n": <n>, "d": <data>, "no": "<x> ${y}"}',
            }
        },
        {"i": "i-0123456789", "s": 'i-0123456789: RUN"NING', "n": 2, "d": {"x": 1.5}, "no": "<x> ${y}"},
    ),
    (
        {"InputTransformer": {"InputTemplate": '{"e": <aws.events.event.json>, "t": <aws.events.event.ingestion-time>}'}},
        {"e": {**EVENT.attributes, "data": EVENT.data}, "t": "2015-11-11T21:29:54Z"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("target", "wanted"), AWS)
def test_a_target_of_aws_sends_the_same_here(target, wanted) -> None:
    assert sent(from_aws(target).spec) == wanted


def test_a_text_template_of_aws_stays_text() -> None:
    target = {"InputTransformer": {"InputPathsMap": MAP, "InputTemplate": "<instance> is <status>, n=<n>"}}
    assert compile_transform(from_aws(target).spec).apply(EVENT).body == b'i-0123456789 is RUN"NING, n=2'


# (a TransformParam, body, content type)
ALIBABA = [
    ({"form": "ORIGINAL"}, EVENT.to_json(), "application/cloudevents+json"),
    ({"form": "CONSTANT", "value": "Hi ${x}"}, b"Hi ${x}", "text/plain; charset=utf-8"),
    ({"form": "JSONPATH", "value": "$.data.state"}, b'RUN"NING', "text/plain; charset=utf-8"),
    ({"form": "JSONPATH", "value": "$.data.o"}, b'{"x":1.50}', "text/plain; charset=utf-8"),
    ({"form": "JSONPATH", "value": "orders"}, b"orders", "text/plain; charset=utf-8"),
    (
        {
            "form": "TEMPLATE",
            "value": '{"state": "$.data.state", "table": "tab\\"le"}',
            "template": '{"t":"${table}","s":"is ${state}","x":"${none}"}',
        },
        b'{"t":"tab\\"le","s":"is RUN\\"NING","x":"${none}"}',
        "application/json",
    ),
    (
        {
            "Form": "TEMPLATE",
            "Value": {"a.b": "$.data.cpus", "n": 5},
            "Template": "cpus ${a.b} of ${n}, $${n}",
        },
        b"cpus 2 of 5, ${n}",
        "text/plain; charset=utf-8",
    ),
    ({"form": "TEMPLATE", "value": "", "template": "plain"}, b"plain", "text/plain; charset=utf-8"),
]


@pytest.mark.parametrize(("param", "body", "content_type"), ALIBABA)
def test_a_transform_param_of_alibaba_and_rocketmq_sends_the_same_here(param, body, content_type) -> None:
    output = compile_transform(from_alibaba(param).spec).apply(EVENT)
    assert (output.body, output.content_type) == (body, content_type)


def test_data_that_looks_like_a_variable_is_not_expanded_as_it_is_there() -> None:
    param = {"form": "TEMPLATE", "value": {"a": "$.data.a", "b": "$.data.b"}, "template": "${a} ${b}"}
    event = Event({}, b'{"a": "${b}", "b": "secret"}')
    assert compile_transform(from_alibaba(param).spec).apply(event).body == b"${b} secret"


@pytest.mark.parametrize(
    ("imported", "note"),
    [
        (from_aws({}), "AWS sends its own envelope"),
        (from_aws({"InputTransformer": {"InputPathsMap": MAP, "InputTemplate": "<data>"}}), "“data” is called “v_data”"),
        (from_aws({"InputTransformer": {"InputPathsMap": MAP, "InputTemplate": '["<n>"]'}}), "keeps its type"),
        (from_aws({"InputTransformer": {"InputTemplate": "<aws.events.event>"}}), "is the CloudEvent"),
        (from_alibaba({"form": "JSONPATH", "value": "orders"}), "does not start with $"),
        (from_alibaba({"form": "JSONPATH", "value": "$..sku"}), "gives a list here"),
        (from_alibaba({"form": "TEMPLATE", "value": {}, "template": "${x}"}), "${x} has no value"),
        (from_alibaba({"form": "TEMPLATE", "value": {"x": "$.a[*]"}, "template": "${x}"}), "“x” may find several"),
    ],
)  # fmt: skip
def test_what_is_not_the_same_is_noted(imported, note) -> None:
    assert any(note in one for one in imported.notes)


@pytest.mark.parametrize(
    ("convert", "original", "message"),
    [
        (from_aws, {"Input": "{"}, "text that holds JSON"),
        (from_aws, {"InputPath": "detail"}, "starts with $"),
        (from_aws, {"InputPath": "$.account"}, "no counterpart in a CloudEvent"),
        (from_aws, {"InputPath": "$.detail[?(@.a)]"}, "is not understood in the path"),
        (from_aws, {"InputTransformer": {"InputPathsMap": {}}}, "with InputTemplate"),
        (from_aws, {"InputTransformer": {"InputTemplate": "<aws.events.rule-arn>"}}, "has no counterpart"),
        (
            from_aws,
            {"InputTransformer": {"InputTemplate": "x", "InputPathsMap": ["a"]}},
            "is an object of names",
        ),
        (from_aws, {"InputTemplate": "<x> is paid"}, "<x> has no path in InputPathsMap"),
        (from_aws, {"Input": "{}", "InputPath": "$"}, "only one of Input and InputPath"),
        (imported, {"inputpath": "$"}, "no transform of AWS"),
        (imported, [], "no transform of AWS"),
        (compile_transform, {"InputPath": "$.detail"}, "convert it first"),
        (compile_transform, {"kind": "template", "template": '{"a":\n <order>}'}, "line 2, column 2: “<order>” is AWS's way: write ${order}"),
        (compile_transform, {"kind": "template", "template": "Order <aws.events.event>"}, "write ${"),
        (compile_transform, {"kind": "template", "template": '{"a": ${id}, "b": <b>}', "content_type": "application/json"}, "“<b>” is AWS's way"),
        (from_alibaba, {}, "a TransformParam is"),
        (from_alibaba, {"form": "JSONPATH", "value": "$."}, "“path”, column"),
        (from_alibaba, {"form": "TEMPLATE", "value": "[", "template": "x"}, "is a JSON object"),
        (from_alibaba, {"form": "TEMPLATE", "value": [1], "template": "x"}, "is a JSON object"),
        (from_alibaba, {"form": "TEMPLATE", "value": {"x": "$.a"}, "template": "${x:-7}"}, "use JSONata"),
        (from_alibaba, {"form": "DELETE_FIELD", "value": "[]"}, "a TransformParam is"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_here_is_refused(convert, original, message) -> None:
    with pytest.raises(TransformError) as caught:
        convert(original)
    assert message in str(caught.value)


def test_markup_is_no_placeholder_of_aws() -> None:
    for text in ("<b>hi</b>", "a < b > c", "<b>${id}</b>"):
        compile_transform({"kind": "template", "template": text})
    compile_transform({"kind": "template", "template": "<hr>", "content_type": "text/html"})
