"""What a target is sent: the whole event, or a template filled in, JSON always JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine import Event, TransformError, compile_transform

EVENT = Event(
    {"id": "7", "source": "/shop", "type": "order.paid", "seqno": 4, "sampled": True},
    """{"total": 12.5, "name": "A \\"q\\"\\n é", "nothing": null, "big": 123456789012345678901, "yes": true,
        "o": {"a": [1]}, "items": [{"sku": "a", "n": 1}, {"sku": "b"}], "a name": {"x.y": 5}, "text": "plain"}""".encode(),
)


def template(text: str, **variables: str) -> dict[str, object]:
    return {"kind": "template", "template": text, **({"variables": variables} if variables else {})}


# (template, the output as JSON)
JSON_TEMPLATES = [
    ('{"total": "${data.total}"}', {"total": 12.5}),
    ('{"total": "${data.total} SEK"}', {"total": "12.5 SEK"}),
    ('{"total": ${data.total}}', {"total": 12.5}),
    ('{"o": "${data.o}", "p": ${data.o}}', {"o": {"a": [1]}, "p": {"a": [1]}}),
    ('{"o": "is ${data.o}"}', {"o": 'is {"a":[1]}'}),
    ('["${data.nothing}", "<${data.nothing}>", ${data.nothing}]', [None, "<null>", None]),
    ('["${data.x.y}", "<${data.x.y}>", ${data.x.y}]', [None, "<>", None]),
    ('["${nosuchattribute}", "<${nosuchattribute}>"]', [None, "<>"]),
    ('["${seqno}", "${sampled}", "${id}", "${data.yes}", "n${seqno}"]', [4, True, "7", True, "n4"]),
    ('["${data.name}", "say ${data.name}"]', ['A "q"\n é', 'say A "q"\n é']),
    ('{"${id}": 1, "x${type}" : 2}', {"7": 1, "xorder.paid": 2}),
    ('{"${seqno}": "${seqno}", "${data.x}" : "${data.o}"}', {"4": 4, "": {"a": [1]}}),
    ('["${data.items[0].sku}", "${data.items[9].sku}", "${data.items[*].sku}"]', ["a", None, ["a", "b"]]),
    ('["${data.items[*].none}", "${data.o[*]}", "${data.o[0]}", "${data.text.x}"]', [[], [], None, None]),
    ("[\"${data['a name']['x.y']}\"]", [5]),
    ('["${data.big}"]', [123456789012345678901]),
    ('"${id}"', "7"),
    ("${data.o}", {"a": [1]}),
    ('["$${id}", "$", "$$", "${id}$"]', ["${id}", "$", "$$", "7$"]),
    ('["\\"${id}\\""]', ['"7"']),
    ('["\\\\${id}"]', ["\\7"]),
    ('["${id}${id}"]', ["77"]),
    ('["${id}", "${id}"]', ["7", "7"]),
]


@pytest.mark.parametrize(("text", "expected"), JSON_TEMPLATES)
def test_a_json_template_gives_json(text, expected) -> None:
    transform = compile_transform(template(text))
    output = transform.apply(EVENT)
    assert json.loads(output.body) == expected
    assert output.content_type == transform.content_type == "application/json"
    assert (transform.whole, transform.not_json) == (False, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Order ${id} of ${data.name}: ${data.total}", 'Order 7 of A "q"\n é: 12.5'),
        ("no ${data.nosuch}, ${data.o}, $${x}, $5", 'no , {"a":[1]}, ${x}, $5'),
        ('{"a": ${id},}', '{"a": 7,}'),
        ('{"a": "\\${id}"}', '{"a": "\\7"}'),
        ("", ""),
        ("$", "$"),
    ],
)
def test_any_other_template_is_text(text, expected) -> None:
    transform = compile_transform(template(text))
    output = transform.apply(EVENT)
    assert output.body.decode() == expected
    assert output.content_type == "text/plain; charset=utf-8"
    assert transform.not_json is not None


def test_a_text_template_says_why_it_is_no_json() -> None:
    transform = compile_transform(template('{"a": "${data.total}",\n "b": ${id},\n}'))
    assert transform.not_json == "line 3, column 1: Expecting property name enclosed in double quotes"


def test_variables_are_named_paths() -> None:
    spec = template(
        '{"n": "${n}", "skus": "${skus}", "first": "${items[0].sku}", "t": "${event.type}", "in": "<${n}>"}',
        n="$.data.total",
        skus="$.data.items[*]['sku']",
        items="$['data']['items']",
        event="$",
    )
    assert json.loads(compile_transform(spec).apply(EVENT).body) == {
        "n": 12.5,
        "skus": ["a", "b"],
        "first": "a",
        "t": "order.paid",
        "in": "<12.5>",
    }


def test_the_whole_event_can_stand_in_a_template() -> None:
    whole = {**EVENT.attributes, "data": EVENT.data}
    sent = json.loads(
        compile_transform(template('{"typed": "${*}", "bare": ${*}, "text": "x ${*}"}')).apply(EVENT).body
    )
    assert sent["typed"] == sent["bare"] == whole
    assert json.loads(sent["text"][2:]) == whole
    named = compile_transform(template('{"e": "${event}"}', event="$")).apply(EVENT).body
    assert json.loads(named) == {"e": whole}
    assert json.loads(compile_transform(template("Event: ${*}")).apply(EVENT).body[7:]) == whole


def test_the_complete_event_is_delivered_as_it_is() -> None:
    transform = compile_transform({"kind": "complete"})
    assert transform.whole
    raw = b'{"id": "1",   "data": {"a": 1.50}}'
    output = transform.apply(Event.from_json(raw))
    assert (output.body, output.content_type) == (raw, "application/cloudevents+json")


# (template, line, column, part of the message)
WRONG = [
    ("a\nb ${data..x}", 2, 9, "“..x” is not understood in a path"),
    ("${", 1, 1, "not closed"),
    ('{"a": "${id"}', 1, 12, "is not understood"),
    ("x ${id\n}", 1, 3, "not closed by } on its line"),
    ("${}", 1, 3, "names an attribute"),
    ("${ id}", 1, 3, "names an attribute"),
    ("${$.id}", 1, 3, "JSONPath is for variables"),
    ("${data.items[-1]}", 1, 13, "understood are .name, ['name'], [0] and [*]"),
    ("${data.items[?(@.a)]}", 1, 13, "understood are"),
    ("${data.total + 1}", 1, 13, "understood are"),
    ("${data.total.__class__()}", 1, 23, "understood are"),
    ("${" + "a" * 1025 + "}", 1, 3, "at most 1,024"),
    ("ok \ud800", 1, 4, "surrogate"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), WRONG)
def test_an_error_in_a_template_has_its_place(text, line, column, message) -> None:
    with pytest.raises(TransformError) as caught:
        compile_transform(template(text))
    assert (caught.value.line, caught.value.column) == (line, column)
    assert message in caught.value.message
    assert str(caught.value).startswith(f"line {line}, column {column}: ")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"kind": "xslt"},
            "“xslt” is no kind of transform: the kinds are “complete”, “partial”, “constant”, “template”, “jsonata”",
        ),
        ({}, "names its kind"),
        ({"kind": ["complete"]}, "is no kind"),
        ("complete", "is an object"),
        (
            {"kind": "complete", "template": "x"},
            "“template” has no meaning in a transform of kind “complete”",
        ),
        ({"kind": "template"}, "has its text in “template”"),
        ({"kind": "template", "template": {"a": 1}}, "has its text in “template”"),
        (template("x" * (256 * 1024 + 1)), "at most 262,144"),
        (template("x", n="data.a"), "the variable “n”, column 1: a JSONPath starts with $, as in $.data.a"),
        (template("x", n="$.a[?(@.x]"), "the variable “n”, column "),
        (template("x", n="$[0]"), "the event itself is no list"),
        (template("${e[0]}", e="$"), "the event itself is no list"),
        (template("x", data="$.a"), "is no name for a variable"),
        ({"kind": "template", "template": "x", "variables": {"a b": "$"}}, "is no name for a variable"),
        ({"kind": "template", "template": "x", "variables": {"a": 5}}, "takes a JSONPath"),
        ({"kind": "template", "template": "x", "variables": ["a"]}, "is an object of names and paths"),
        (template("[" * 200_000), "nested too deep"),
    ],
)
def test_a_spec_that_is_not_understood_is_refused(spec, message) -> None:
    with pytest.raises(TransformError) as caught:
        compile_transform(spec)
    assert message in str(caught.value)


def test_an_output_above_one_mebibyte_is_refused_before_it_is_built() -> None:
    event = Event({"id": "1"}, json.dumps({"a": "x" * 600_000}).encode())
    assert len(compile_transform(template('["${data.a}"]')).apply(event).body) == 600_004
    with pytest.raises(TransformError, match="larger than 1,048,576 bytes"):
        compile_transform(template("${data.a}, " * 20_000)).apply(event)


def test_templates_never_evaluate_what_events_say() -> None:
    event = Event({"id": "${type} $${x} {{ 1 }} {0} %s"}, None)
    assert compile_transform(template("id ${id}")).apply(event).body == b"id ${type} $${x} {{ 1 }} {0} %s"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
PIECES = [
    '"${data.v}"',
    '"a ${data.v} b"',
    "${data.v}",
    '"${data.w}"',
    '"\\\\${id}"',
    '{"${id}": 1}',
    '"${*}"',
    '"${*}!"',
]


@given(json_values, st.text(), st.lists(st.sampled_from(PIECES), max_size=6))
def test_no_event_can_break_out_of_a_json_template(value, identifier, pieces) -> None:
    event = Event({"id": identifier}, json.dumps({"v": value}).encode())
    body = compile_transform(template("[" + ", ".join(pieces) + "]")).apply(event).body
    sent = json.loads(body)
    assert len(sent) == len(pieces)
    for piece, one in zip(pieces, sent, strict=True):
        if piece in ('"${data.v}"', "${data.v}"):
            assert one == value
        if piece == '"\\\\${id}"':
            assert one == "\\" + identifier


@given(st.text(alphabet="${}[].\"\\x:,*\n' 1"))
def test_any_text_compiles_or_is_refused_with_a_place(text) -> None:
    try:
        transform = compile_transform(template(text))
    except TransformError as error:
        refused = error
    else:
        output = transform.apply(Event({"x": 'a"b'}, b'{"x": [1]}'))
        if transform.not_json is None:
            json.loads(output.body)
        return
    assert refused.line is not None
    assert refused.column is not None
