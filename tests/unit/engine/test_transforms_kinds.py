"""Partial events and constants, what is done about missing values, numbers, content types, and where values go."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rules.engine import Event, TransformError, compile_transform
from rules.engine.exact_json import decode, encode
from rules.engine.json_path import MAX_STEPS

EVENT = Event(
    {"id": "7", "source": "/shop", "type": "order.paid", "seqno": 4},
    b"""{"total": 1.50, "order": {"id": 12345678901234567890, "lines": [{"sku": "a", "price": 10.10},
        {"sku": "b", "price": 1e2}]}, "note": "a \\"b\\"", "nothing": null, "empty": "", "yes": true}""",
)


def applied(**spec: object) -> bytes:
    return compile_transform(spec).apply(EVENT).body


# (spec of a partial event, what is sent)
PARTIAL = [
    ({"path": "$.data.order.id"}, b"12345678901234567890"),
    ({"path": "$.data.total"}, b"1.50"),
    ({"path": "$.data.order.lines[0]"}, b'{"sku":"a","price":10.10}'),
    ({"path": "$.data.order.lines[-1].price"}, b"1e2"),
    ({"path": "$.data.order.lines[*].price"}, b"[10.10,1e2]"),
    ({"path": "$.data.order.lines[?@.price < 10.2].sku"}, b'["a"]'),
    ({"path": "$..sku"}, b'["a","b"]'),
    ({"path": "$.data..nosuch"}, b"[]"),
    ({"path": "$.type"}, b'"order.paid"'),
    ({"path": "$.seqno"}, b"4"),
    ({"path": "$.data.nothing"}, b"null"),
    ({"path": "$.data.nosuch"}, b"null"),
    ({"path": "$.data.note", "content_type": "text/plain"}, b'a "b"'),
    ({"path": "$.data.order.lines[1]", "content_type": "text/plain"}, b'{"sku":"b","price":1e2}'),
    ({"path": "$.data.nosuch", "content_type": "text/plain"}, b""),
    (
        {"paths": {"n": "$.data.order.id", "skus": "$..sku", "none": "$.data.nosuch", "a/~": "$.type"}},
        b'{"n":12345678901234567890,"skus":["a","b"],"none":null,"a/~":"order.paid"}',
    ),
    ({"paths": {"none": "$.data.nosuch", "n": "$.seqno", "no": "$.x"}, "missing": "omit"}, b'{"n":4}'),
    ({"paths": {"none": "$.data.nosuch", "list": "$..nosuch"}, "missing": "omit"}, b'{"list":[]}'),
    ({"paths": {"none": "$.data.nothing"}, "missing": "error"}, b'{"none":null}'),
]


@pytest.mark.parametrize(("spec", "sent"), PARTIAL)
def test_a_partial_event_is_a_value_or_an_object_of_named_values(spec, sent) -> None:
    assert applied(kind="partial", **spec) == sent


def test_the_whole_event_can_be_a_part() -> None:
    raw = b'{"id": "1",  "data": {"a": 1.50}}'
    event = Event.from_json(raw)
    assert compile_transform({"kind": "partial", "path": "$"}).apply(event).body == raw
    named = compile_transform({"kind": "partial", "paths": {"event": "$"}}).apply(event).body
    assert named == b'{"event":' + raw + b"}"


# (spec of a constant, what is sent, as what)
CONSTANT = [
    ({"value": {"a": [1, None]}}, b'{"a":[1,null]}', "application/json"),
    ({"value": None}, b"null", "application/json"),
    ({"value": "x"}, b'"x"', "application/json"),
    ({"value": "x", "content_type": "application/vnd.x+json"}, b'"x"', "application/vnd.x+json"),
    ({"text": "a ${id} ü"}, "a ${id} ü".encode(), "text/plain; charset=utf-8"),
    ({"text": ""}, b"", "text/plain; charset=utf-8"),
    ({"text": "<a/>", "content_type": "application/xml"}, b"<a/>", "application/xml"),
    ({"text": '{"a": 1.50}', "content_type": "application/json"}, b'{"a": 1.50}', "application/json"),
]


@pytest.mark.parametrize(("spec", "sent", "content_type"), CONSTANT)
def test_a_constant_is_always_the_same(spec, sent, content_type) -> None:
    transform = compile_transform({"kind": "constant", **spec})
    assert transform.apply(EVENT) == transform.apply(Event({}, None))
    assert (transform.apply(EVENT).body, transform.apply(EVENT).content_type) == (sent, content_type)
    assert transform.reads == ()


# (template, what is left when ${no…} are missing and "missing" is "omit")
OMITTED = [
    ('{"a": "${no}", "b": 1}', '{ "b": 1}'),
    ('{"b": 1, "a": "${no}"}', '{"b": 1}'),
    ('{"a": ${no}}', "{}"),
    ('{"a": "${no}", "b": "${id}", "c": "${no.x}"}', '{ "b": "7"}'),
    ('["${no}", 1, ${no}, "${id}", "${data.no[0]}"]', '[ 1, "7"]'),
    ('{"a": {"b": "${no}"}, "c": [["${no}"]]}', '{"a": {}, "c": [[]]}'),
    ('{"a": "x ${no} y", "b": "${no}${no}"}', '{"a": "x  y", "b": ""}'),
    ('{"k${no}": 1, "${id}": 2, "${no}": {"x": "${id}"}}', '{ "7": 2}'),
    ('{"a,}": "${no}", "b]": "\\"{${no}", "c": {}}', '{ "b]": "\\"{", "c": {}}'),
    ('{"a": "${data.nothing}", "b": "${data.empty}", "c": "${data.no[*]}"}', '{"a": null, "b": "", "c": []}'),
    ("${no}", "null"),
    ('"${no}"', "null"),
    (' [\n ${no} ,\n 2 ] ', " [\n 2 ] "),
    ("[]", "[]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sent"), OMITTED)
def test_a_missing_value_takes_its_member_or_entry_along_when_it_is_to_be_omitted(text, sent) -> None:
    assert applied(kind="template", template=text, missing="omit").decode() == sent


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "template", "template": '["${data.no.such}"]'},
        {"kind": "template", "template": '["x ${data.no.such}"]'},
        {"kind": "template", "template": '{"${data.no.such}": 1}'},
        {"kind": "template", "template": "Text ${data.no.such}"},
        {"kind": "template", "template": "Text ${v}", "variables": {"v": "$.data.no.such"}},
        {"kind": "partial", "path": "$.data.no.such"},
        {"kind": "partial", "paths": {"a": "$.data.no.such"}},
    ],
)
def test_a_missing_value_can_be_an_error_that_names_the_path(spec) -> None:
    with pytest.raises(TransformError, match=r"^\$\.data\.no\.such is not in this event"):
        compile_transform({**spec, "missing": "error"}).apply(EVENT)


def test_null_and_an_empty_list_are_not_missing() -> None:
    text = '["${data.nothing}", "${data.order.lines[*].no}", "<${data.nothing}>"]'
    assert applied(kind="template", template=text, missing="error") == b'[null, [], "<null>"]'


NUMBERS = [
    "1.50",
    "12345678901234567890",
    "-0.0",
    "1e2",
    "1E+2",
    "0.0000001",
    "3.14159265358979323846",
    "5",
    "-1.0",
]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "template", ['["${data.n}"]', "[${data.n}]", '["${data}"]', '["is ${data.n}"]', "is ${data.n}"]
)
def test_numbers_are_sent_as_they_are_written(template, number) -> None:
    event = Event({}, f'{{"n":{number}}}'.encode())
    body = compile_transform({"kind": "template", "template": template}).apply(event).body.decode()
    assert body == template.replace('"${data.n}"', number).replace("${data.n}", number).replace(
        '"${data}"', f'{{"n":{number}}}'
    )


@example("1e+20")
@example("1e-07")
@given(st.from_regex(r"\A-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?\Z"))
def test_any_number_survives_a_round_trip(text) -> None:
    assume(text != "-0")  # an integer, and integers have no negative zero
    value = decode(text)
    assert encode(value).decode() == text
    assert float(value) == float(text)
    assert pickle.loads(pickle.dumps(value)) == value


def test_a_number_that_no_double_holds_is_no_json_to_us() -> None:
    with pytest.raises(ValueError, match="too large"):
        decode("1e400")


# (spec, content type)
CONTENT_TYPES = [
    ({"template": '{"a": "${id}"}'}, "application/json"),
    ({"template": '{"a": "${id}"}', "content_type": "application/vnd.a+json"}, "application/vnd.a+json"),
    ({"template": "Hi ${id}"}, "text/plain; charset=utf-8"),
    ({"template": "<p>${id}</p>", "content_type": "text/html"}, "text/html; charset=utf-8"),
    ({"template": "<p>", "content_type": "text/html; charset=UTF-8"}, "text/html; charset=UTF-8"),
    ({"template": "<p>", "content_type": 'application/x; a="b c"; d=e'}, 'application/x; a="b c"; d=e'),
]


@pytest.mark.parametrize(("spec", "content_type"), CONTENT_TYPES)
def test_the_target_sees_the_content_type_that_the_spec_names(spec, content_type) -> None:
    transform = compile_transform({"kind": "template", **spec})
    assert transform.content_type == transform.apply(EVENT).content_type == content_type


def test_a_text_content_type_makes_a_template_text_even_if_it_could_be_json() -> None:
    transform = compile_transform(
        {"kind": "template", "template": '["${data.note}", "$${x}"]', "content_type": "text/plain"}
    )
    assert transform.apply(EVENT).body == b'["a "b"", "${x}"]'
    assert transform.not_json == "its content type is no JSON"


def test_a_json_content_type_makes_a_template_that_is_no_json_an_error_with_its_place() -> None:
    with pytest.raises(TransformError, match="line 2, column 6: this is not JSON: Expecting") as caught:
        compile_transform(
            {"kind": "template", "template": '{"a": 1,\n "b" "${id}"}', "content_type": "application/json"}
        )
    assert caught.value.line == 2


def test_a_transform_says_which_places_of_an_event_go_where() -> None:
    text = '{"a": "${data.total}", "b": [1, {"c/d": "<${v} ${id}>"}], "${type}": ${v.x}, "w": "${*}"}'
    transform = compile_transform(
        {"kind": "template", "template": text, "variables": {"v": "$.data.items[?@.n]"}}
    )
    assert [tuple(flow) for flow in transform.flows] == [
        ("$.data.total", "/a"),
        ("$.data.items[?@.n]", "/b/1/c~1d"),
        ("$.id", "/b/1/c~1d"),
        ("$.type", "/*"),
        ("$.data.items[?@.n].x", "/*"),
        ("$", "/w"),
    ]
    assert transform.reads == (
        "$.data.total",
        "$.data.items[?@.n]",
        "$.id",
        "$.type",
        "$.data.items[?@.n].x",
        "$",
    )


@pytest.mark.parametrize(
    ("spec", "flows"),
    [
        ({"kind": "complete"}, [("$", "")]),
        ({"kind": "partial", "path": "$.data.a"}, [("$.data.a", "")]),
        ({"kind": "partial", "path": "$.data.a", "content_type": "text/plain"}, [("$.data.a", None)]),
        ({"kind": "partial", "paths": {"x/y": "$.id", "~": "$"}}, [("$.id", "/x~1y"), ("$", "/~0")]),
        ({"kind": "template", "template": "T ${data['a b'][0]}"}, [("$.data['a b'][0]", None)]),
        ({"kind": "template", "template": '"${data.a-b[*].c}"'}, [("$.data['a-b'][*].c", "")]),
    ],
)
def test_every_kind_says_what_it_reads(spec, flows) -> None:
    assert [tuple(flow) for flow in compile_transform(spec).flows] == flows


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"kind": "partial"}, "has “path”, a JSONPath whose value is sent, or “paths”"),
        ({"kind": "partial", "path": "$", "paths": {"a": "$"}}, "has “path”"),
        ({"kind": "partial", "path": 5}, "“path” takes a JSONPath"),
        ({"kind": "partial", "paths": {}}, "“paths” is an object"),
        ({"kind": "partial", "paths": ["$"]}, "“paths” is an object"),
        ({"kind": "partial", "paths": {"a": "$.["}}, 'the part "a", column '),
        ({"kind": "partial", "paths": {f"p{n}": "$" for n in range(201)}}, "at most 200"),
        ({"kind": "partial", "path": "$", "missing": "omit"}, "cannot be “omit” here"),
        ({"kind": "partial", "path": "$", "missing": None}, "is “error”, “null” or “omit”"),
        ({"kind": "partial", "paths": {"a": "$"}, "content_type": "text/plain"}, "make a JSON object"),
        ({"kind": "partial", "path": "$", "template": "x"}, "“template” has no meaning"),
        ({"kind": "constant"}, "has “value”, any JSON, or “text”"),
        ({"kind": "constant", "value": 1, "text": "x"}, "has “value”"),
        ({"kind": "constant", "text": {}}, "for JSON write “value”"),
        ({"kind": "constant", "value": 1, "missing": "null"}, "“missing” has no meaning"),
        ({"kind": "constant", "value": "\ud800"}, "half of a surrogate pair"),
        ({"kind": "constant", "text": "\ud800"}, "half of a surrogate pair"),
        ({"kind": "constant", "text": "{", "content_type": "application/json"}, "is not JSON"),
        ({"kind": "constant", "text": "x" * (1024 * 1024 + 1)}, "larger than 1,048,576"),
        ({"kind": "template", "template": "x", "content_type": "text"}, "is a media type"),
        ({"kind": "template", "template": "x", "content_type": "text/plain\r\nx: y"}, "is a media type"),
        ({"kind": "template", "template": "x", "content_type": "text/plain; charset=latin1"}, "UTF-8"),
        ({"kind": "template", "template": "x", "content_type": 5}, "is a media type"),
        (
            {"kind": "template", "template": "x", "variables": {f"v{n}": "$" for n in range(201)}},
            "at most 200",
        ),
        ({"kind": "template", "template": "[" * 101 + '"${id}"' + "]" * 101}, "nested too deep: at most 100"),
    ],
)
def test_a_spec_that_is_not_understood_is_refused(spec, message) -> None:
    with pytest.raises(TransformError) as caught:
        compile_transform(spec)
    assert message in str(caught.value)


def test_all_paths_of_a_transform_share_one_budget() -> None:
    event = Event({}, json.dumps({"l": [0] * 4_000}).encode())
    path = "$.data.l[?count($.data.l[0:100]) > 0]"
    once = compile_transform({"kind": "partial", "paths": {"a": path}})
    assert len(json.loads(once.apply(event).body)["a"]) == 4_000
    twice = compile_transform({"kind": "partial", "paths": {"a": path, "b": path}})
    with pytest.raises(TransformError, match=f"more than {MAX_STEPS:,} steps"):
        twice.apply(event)
    once.apply(event)  # The next event has a budget of its own.


def test_an_output_above_one_mebibyte_is_refused() -> None:
    event = Event({}, json.dumps({"a": "x" * 600_000}).encode())
    for spec in ({"path": "$['data','data']"}, {"paths": {"a": "$.data", "b": "$.data"}}):
        with pytest.raises(TransformError, match="larger than 1,048,576 bytes"):
            compile_transform({"kind": "partial", **spec}).apply(event)


def test_half_a_surrogate_pair_is_an_error_not_broken_json() -> None:
    event = Event({"id": "\ud800"}, None)
    for spec in (
        {"kind": "template", "template": '["${id}"]'},
        {"kind": "template", "template": '["x${id}"]'},
        {"kind": "template", "template": "x${id}"},
        {"kind": "partial", "path": "$.id"},
    ):
        with pytest.raises(TransformError, match=r"\$\.id holds half of a surrogate pair"):
            compile_transform(spec).apply(event)


def test_data_with_half_a_surrogate_pair_is_no_json_and_stays_text_in_its_slot() -> None:
    event = Event({"id": "1"}, b'{"v": "\\ud800\\", \\"x\\": 1"}')
    text = '["${data}", "<${data}>", "${data.v}"]'
    raw = event.data_raw.decode()
    assert json.loads(compile_transform({"kind": "template", "template": text}).apply(event).body) == [
        raw,
        f"<{raw}>",
        None,
    ]


# ── whatever an event says ──

texts = st.text() | st.text(alphabet='${}"\\\n\x00\x1f\u2028:,[]idatvw. ', max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
# A template's entry, and what it gives for a value v that is there; w is nowhere.
ENTRIES = [
    ('"${data.v}"', lambda v: v),
    ("${data.v}", lambda v: v),
    ('"a ${data.v} b"', lambda v: f"a {v if isinstance(v, str) else encode(v).decode()} b"),
    ('{"k": "${data.v}", "w": "${data.w}"}', lambda v: {"k": v}),
    ('{"${data.w}": "${data.v}"}', lambda v: {}),
    ('["${data.w}", ["${data.v}"]]', lambda v: [[v]]),
    ('"${data.w}!"', lambda v: "!"),
    ('"$${data.v}"', lambda v: "${data.v}"),
]


@given(json_values, st.lists(st.sampled_from(ENTRIES), max_size=6))
def test_data_never_leaves_its_slot(value, entries) -> None:
    event = Event({"id": "1"}, encode({"v": value}))
    text = "[" + ", ".join(entry for entry, _ in entries) + "]"
    body = compile_transform({"kind": "template", "template": text, "missing": "omit"}).apply(event).body
    assert json.loads(body) == [expected(value) for _, expected in entries]


@given(texts, texts)
def test_data_that_looks_like_a_placeholder_is_never_expanded_again(first, second) -> None:
    event = Event({"id": "secret"}, encode({"a": first, "b": second}))
    sent = compile_transform({"kind": "template", "template": "1${data.a}2${data.b}3"}).apply(event)
    assert sent.body.decode() == f"1{first}2{second}3"
