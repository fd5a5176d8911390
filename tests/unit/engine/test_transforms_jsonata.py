"""JSONata gives what its reference implementation gives, and no expression can hang or fill the memory."""

from __future__ import annotations

import json
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pytest

from rules.engine import Event, TransformError, compile_transform
from rules.engine.json_path import Reading
from rules.engine.jsonata import compile_expression, evaluate
from rules.engine.jsonata_run import MAX_STEPS, UNDEFINED

REFERENCE = json.loads((Path(__file__).parent / "jsonata_reference.json").read_text())
EVENT = Event.from_json(json.dumps(REFERENCE["event"]).encode())


def sent(expression: str, event: Event = EVENT, **more: str) -> bytes:
    return compile_transform({"kind": "jsonata", "expression": expression, **more}).apply(event).body


@pytest.mark.parametrize(("expression", "wanted"), REFERENCE["cases"])
def test_an_expression_gives_what_the_reference_implementation_gives(expression, wanted) -> None:
    if wanted is None:
        with pytest.raises(TransformError):
            sent(expression)
        return
    value = evaluate(compile_expression(expression), Reading(EVENT))
    if wanted == "UNDEFINED":
        assert value is UNDEFINED
    else:
        assert json.loads(sent(expression)) == json.loads(wanted)


# (expression, what we send, why the reference differs)
DIFFERENT = [
    ('$base64encode("häy")', '"aMOkeQ=="'),  # UTF-8; the reference writes Latin-1
    ('$base64decode("aMOkeQ==")', '"häy"'),
]


@pytest.mark.parametrize(("expression", "wanted"), DIFFERENT)
def test_where_we_differ_from_the_reference_it_is_on_purpose(expression, wanted) -> None:
    assert sent(expression).decode() == wanted


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1/0", "divides by zero"),  # the reference sends null
        ("/a/", "a function is no JSON value"),
        ("function($x){$x}", "a function is no JSON value"),
        ('{"f": $sum}', "a function is no JSON value"),
        ('$error("no")', "no"),
        ("$sum(type)", "does not suit this event"),
        ("data.total(1)", "does not suit this event"),
        ('$replace("a", /a/, function($m){1})', "must return a text"),
        ('$replace("a", "", "x")', "not empty"),
        ('$replace("a", "a", "x", -1)', "limit of 0 or more"),
    ],
)
def test_an_expression_that_does_not_suit_the_event_says_so(expression, message) -> None:
    with pytest.raises(TransformError) as caught:
        sent(expression)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["eval", "now", "millis", "random", "shuffle"])
@pytest.mark.parametrize("where", ["{0}()", "[1, {{'a': {0}}}]", "($f := {0}; 1)", "data.lines ~> $map({0})"])
def test_functions_whose_answer_changes_or_that_run_data_are_not_offered(name, where) -> None:
    text = "\n" + where.format(f"${name}")
    with pytest.raises(
        TransformError, match=f"line 2, column {text.index('$' + name)}: \\${name} is not offered"
    ):
        compile_expression(text)
    assert evaluate(compile_expression(f'"${name}()"'), Reading(EVENT)) == f"${name}()"


@pytest.mark.parametrize(
    ("expression", "line", "column", "message"),
    [
        ("data.(", 1, None, "this is no JSONata"),
        ('{"a": 1,\n "b" 2}', 2, None, "this is no JSONata"),
        ("/(?=a)/", None, None, "always ends in time"),
        (r"$match(type, /(a)\1/)", None, None, "always ends in time"),
        ("/((a{0,100}){0,100}){0,100}/", None, None, "always ends in time"),
        ("[" * 41 + "]" * 41, 1, 41, "nested more than 40 levels"),
        ("1" + " + 1" * 4_096, None, None, "at most 16,384"),
        ("", 1, 1, "Unexpected end of expression"),
        ("-" * 16_000, None, None, "nested too deep"),
        ("a?" * 8_000, None, None, "nested too deep"),
    ],
)
def test_an_expression_that_is_none_is_refused_with_its_place(expression, line, column, message) -> None:
    with pytest.raises(TransformError) as caught:
        compile_transform({"kind": "jsonata", "expression": expression})
    assert message in str(caught.value)
    assert caught.value.line == line
    if column is not None:
        assert caught.value.column == column


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "has its text in “expression”"),
        ({"expression": {}}, "has its text in “expression”"),
        ({"expression": "1", "missing": "omit"}, "cannot be “omit” here"),
        ({"expression": "1", "template": "x"}, "“template” has no meaning"),
    ],
)
def test_a_spec_that_is_not_understood_is_refused(spec, message) -> None:
    with pytest.raises(TransformError) as caught:
        compile_transform({"kind": "jsonata", **spec})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "place", "name"),
    [
        ("$nosuch(1)", (1, 1), "nosuch"),
        ("data.text ~> $nosuch", (1, 14), "nosuch"),
        ("{'a': $uppercase(data.text),\n 'b': data.$sums(n)}", (2, 12), "sums"),
        ("$b($a(1))", (1, 1), "b"),
        ("$nosuch(?, 1)", (1, 1), "nosuch"),
    ],
)
def test_a_function_that_is_nowhere_is_named_when_the_rule_is_saved(expression, place, name) -> None:
    with pytest.raises(TransformError, match=rf"there is no function \${name}$") as caught:
        compile_transform({"kind": "jsonata", "expression": expression})
    assert (caught.value.line, caught.value.column) == place


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("($f := function($g){$g(2)}; $f(function($x){$x + 1}))", b"3"),
        ("($up := $uppercase; data.text ~> $up)", b'"HELLO WORLD"'),
        ("$map([1, 2], function($v, $i){$v + $i})", b"[1,3]"),
    ],
)
def test_a_function_of_the_expression_itself_is_known(expression, value) -> None:
    assert sent(expression) == value


def test_nothing_is_null_or_an_error_as_the_spec_says() -> None:
    assert sent("data.nosuch") == b"null"
    assert sent("data.nosuch", content_type="text/plain") == b""
    assert sent("data.nothing", missing="error") == b"null"
    with pytest.raises(TransformError, match="gives nothing for this event"):
        sent("data.nosuch", missing="error")


def test_the_result_is_json_or_text_as_the_content_type_says() -> None:
    text = compile_transform({"kind": "jsonata", "expression": "data.text", "content_type": "text/plain"})
    assert text.apply(EVENT).body == b"Hello World"
    assert text.content_type == "text/plain; charset=utf-8"
    assert sent("data.text") == b'"Hello World"'
    assert text.reads == ("$",)


def test_numbers_that_are_not_computed_are_sent_as_they_are_written() -> None:
    event = Event({"id": "1"}, b'{"n": 1.50, "big": 12345678901234567890, "l": [1e2, 0.10]}')
    assert sent('{"n": data.n, "big": data.big, "l": data.l[$ > 0], "twice": data.n * 2}', event) == (
        b'{"n":1.50,"big":12345678901234567890,"l":[1e2,0.10],"twice":3}'
    )
    assert sent('data ~> |$|{"x": n}, "l"|', event) == b'{"n":1.50,"big":12345678901234567890,"x":1.50}'
    assert sent("$clone(data.l)", event) == b"[1e2,0.10]"


def test_replacing_by_a_function_works_for_texts_and_regular_expressions() -> None:
    function = "function($m){ $m.match & $m.start & $join($m.groups, '-') }"
    assert sent(f'$replace("abab", "b", {function})') == b'"ab1ab3"'
    assert sent(f'$replace("abab", /(a)(b)/, {function}, 1)') == b'"ab0a-bab"'
    assert sent('$replace("aaa", "a", "b", 0)') == b'"aaa"'


def test_distinct_values_are_told_apart_by_type() -> None:
    assert sent(
        '$distinct([null, "null", 1, "1", true, "true", [null], ["null"], 1.0, [1], [1.0], null])'
    ) == (b'[null,"null",1,"1",true,"true",[null],["null"],[1]]')


def test_pictures_may_be_as_wide_as_a_time_is() -> None:
    assert sent("$fromMillis(1769860800123, '[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001]Z')") == (
        b'"2026-01-31T12:00:00.123Z"'
    )


def test_an_update_changes_a_copy_and_not_the_event() -> None:
    expression = """($new := data ~> |lines[sku="a"]|{"sku": "A", "old": sku}, ["tags", "none"]|; [$new.lines.old, data.lines.sku])"""
    assert sent(expression) == b'["a","a","a","b","a"]'
    assert sent("data ~> |lines.price|{'x': 1}| ~> $lookup('lines') ~> $count") == b"3"
    for wrong in ("data ~> |lines|5|", "data ~> |lines|{}, 5|"):
        with pytest.raises(TransformError, match="does not suit"):
            sent(wrong)


LARGE = Event(
    {"id": "1", "type": "t"},
    json.dumps(
        {"s": "a" * 60 + "!", "long": "a" * 100_000, "items": [{"n": n, "k": "x" * 40} for n in range(4_000)]}
    ).encode(),
)

# Expressions that never end, or make more than any machine holds, where nothing bounds them.
HOSTILE = [
    "$map([1..9999999], function($x){$x})",
    "($f := function($n){$f($n+1)}; $f(1))",
    "($f := function($n){1+$f($n+1)}; $f(1))",
    "($f := function(){$map([1..10], function($x){$f()})}; $f())",
    '($f := function($n){$replace("a", /a/, function($m){$f($n+1)})}; $f(1))',
    "($f := function($n){[1..2] ~> $map($f)}; $f(1))",
    "$count([1..9000000].[1..9000000])",
    '$length($pad("a", 2000000000))',
    '$map(["a"], function($x){$pad($x, 2e9)})',
    "($f := function($s,$n){$n=0?$s:$f($s & $s,$n-1)}; $length($f('abcdefgh',40)))",
    "($f := function($s,$n){$n=0?$s:$f($append($s,$s),$n-1)}; $count($f([1,2,3],40)))",
    "($f := function($s,$n){$n=0?$s:$f([$s,$s],$n-1)}; $count($f([1],60)))",
    "($f := function($s,$n){$n=0?$s:$f([[$s],[$s]],$n-1)}; $f([1],60).x)",
    '($f := function($s,$n){$n=0?$s:$f({"a":$s,"b":$s},$n-1)}; $string($f(1,60)))',
    '($f := function($s,$n){$n=0?$s:$f({"a":$s,"b":$s},$n-1)}; $f(1,60))',
    '($f := function($s,$n){$n=0?$s:$f({"a":$s,"b":$s},$n-1)}; $count($f(1,60).**))',
    '($f := function($s,$n){$n=0?$s:$f({"a":$s,"b":$s},$n-1)}; $f(1,60) = $f(1,60))',
    '($f := function($s,$n){$n=0?$s:$f({"a":$s,"b":$s},$n-1)}; [$f(1,60)] ~> $distinct)',
    '($f := function($s,$n){$n=0?$s:$f({"a":$s},$n-1)}; $f([1],90000))',
    '($f := function($s,$n){$n=0?$s:$f([[$s]],$n-1)}; $f([1],90000))',
    "($f := function($x,$n){$n=0?$x:$f($x*$x,$n-1)}; $f(10,100))",
    "$count($reduce([1..100000], function($a,$b){$append($a,$b)}))",
    "$reduce([1..9999], $append)",
    "$count(data.items.$$.data.items.$$.data.items)",
    "$count(data.items.($a:=$; $$.data.items[n>$a.n]))",
    "$count($$.**.**.**.**)",
    "$join(data.items.$string($$))",
    "$join([1..99999].$string($$.data.items))",
    "$join([1..1000].$string(), $$.data.long)",
    "$count($distinct([1..300000]))",
    "$count($zip([1..199999],[1..199999],[1..199999]))",
    "data.items@$a.$$.data.items@$b[$a.n=$b.n].n",
    "data.items#$i.$$.data.items#$j.($i+$j)",
    "data.items.($$.data.items{k: n})",
    'data ~> |**[$type($)="object"]|{"x": $}|',
    "[1..2000].($replace($$.data.long, 'a', ''))",
    "$replace(data.long, 'a', data.long)",
    "$replace(data.long, /a/, data.long)",
    "[1..2000].($match($$.data.long, /a/))",
    "[1..2000].$split($$.data.long, '')",
    "[1..3000].($$.data.items ~> $count)",
    "[1..3000].($$.data.items.n)",
    "[1..3000].($$.data.items in $$.data.items)",
    "[1..3000].($$.data.long & '')",
    "[1..3000].($contains($$.data.long, /(a+)+$/))",
    "[1..3000].$uppercase($$.data.long)",
    "[1..3000].$boolean($$.data.items)",
    "$spread(data.items).$spread($$.data.items)",
    '$formatNumber(1, $pad("0", 900000, "0"))',
    "$formatInteger(1e300, 'w')",
    "$formatBase(1e300, 2)",
    "$fromMillis(0, '[Y,*-999999999]')",
    "$toMillis($pad('1', 5000, '1') & 'x', '[Y][f][f][f][f][f][f]')",
    "$toMillis($pad('1', 60, '1') & 'x', '[f][f][f][f][f][f][f]')",
]  # fmt: skip


@pytest.mark.parametrize("expression", HOSTILE)
def test_a_hostile_expression_ends_with_an_error_before_it_has_cost_much(expression) -> None:
    transform = compile_transform({"kind": "jsonata", "expression": expression})
    began = time.process_time()
    with pytest.raises(TransformError) as caught:
        transform.apply(LARGE)
    assert time.process_time() - began < 5  # An idle machine needs less than 0.5 s for the worst of them.
    assert any(
        words in str(caught.value)
        for words in (f"more than {MAX_STEPS:,} steps", "at most", "levels deep", "too deep", "up to", "too large",
                      "more than 1,048,576", "larger than 1,048,576", "out of range", "does not suit")
    )  # fmt: skip


@pytest.mark.parametrize(
    "expression",
    [
        '$length($pad("a", 2000000000))',
        "($f := function($s,$n){$n=0?$s:$f($s & $s,$n-1)}; $length($f('abcdefgh',40)))",
        "[1..2000].$split($$.data.long, '')",
        "$count(data.items.$$.data.items.$$.data.items)",
        "data.items@$a.$$.data.items@$b[$a.n=$b.n].n",
        "$replace(data.long, /a/, data.long)",
    ],
)
def test_a_hostile_expression_does_not_fill_the_memory(expression) -> None:
    transform = compile_transform({"kind": "jsonata", "expression": expression})
    tracemalloc.start()
    try:
        with pytest.raises(TransformError):
            transform.apply(LARGE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 128 * 1024 * 1024


# What people write must not be refused as hostile.
REASONABLE = [
    "data.items[0].k" + " & type" * 150,
    "$count(data.items[n < 1500].{'id': $$.id, 'n': n, 'k': $uppercase(k)})",
    "$sum(data.items[n < 2000].n)",
    "$count(data.items[n < 1000]^(>n))",
    "data.items[n < 500]{k: $sum(n)}",
    "$join(data.items[n < 1000].$string(n), ',')",
    "($f := function($n,$a){$n=0?$a:$f($n-1,$a+$n)}; $f(1000,0))",
    "($f := function($n){$n<=1?1:$n*$f($n-1)}; $f(15))",
    "$replace(data.long, 'a', 'b') ~> $length",
    "$distinct(data.items.n) ~> $count",
]


@pytest.mark.parametrize("expression", REASONABLE)
def test_a_reasonable_expression_on_a_large_event_stays_within_the_budget(expression) -> None:
    assert sent(expression, LARGE) != b"null"


def test_threads_share_a_compiled_expression() -> None:
    expressions = {
        "$sum(data.lines.(price*qty)) & ' ' & type": '"33.2 order.paid"',
        "data.lines ~> $map(function($l){$l.sku & $l.qty}) ~> $join('+')": '"a2+b3+a1"',
        "($add := function($a,$b){$a+$b}; $inc := $add(?,1); [1..20].$inc($))": json.dumps(
            list(range(2, 22)), separators=(",", ":")
        ),
        "($two := $substring(?,0,2); data.lines.$two(sku & 'xyz'))": '["ax","bx","ax"]',
    }
    compiled = {text: compile_transform({"kind": "jsonata", "expression": text}) for text in expressions}
    wrong: list[object] = []

    def work() -> None:
        for _ in range(40):
            for text, wanted in expressions.items():
                try:
                    body = compiled[text].apply(EVENT).body.decode()
                except Exception as error:
                    body = repr(error)
                if body != wanted:
                    wrong.append((text, body))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []


def test_the_library_does_not_change_the_recursion_limit_of_the_process() -> None:
    assert sys.getrecursionlimit() < 10_000
