"""What the accumulator counts, forgets and never holds."""

import json
from itertools import islice

import pytest

from catalog.schemas.shape import BYTES, Shape, StoredShapeUnreadable
from catalog.schemas.shape.node import DEPTH, NAMES, PATHS, RESERVE, Budget, Node
from tests.unit.catalog.shape.orders import orders


def shape_of(values, sensitive=()):
    shape = Shape(sensitive)
    for value in values:
        shape.add(value)
    return shape


def at(shape, *path):
    """The node at a path of member names, "[]" and "{}"."""
    node = shape.root
    for part in path:
        node = dict(node.children())[part]
    return node


def test_types_presence_and_bounds_are_counted_per_path():
    shape = shape_of(
        [{"a": 1, "b": "xy"}, {"a": 2.5, "b": None}, {"a": -7}, {"b": "abcd", "c": [True, False]}]
    )
    assert shape.samples == 4
    assert at(shape, "a").kinds() == {"integer": 2, "number": 1}
    assert (at(shape, "a").numbers.least, at(shape, "a").numbers.greatest) == (-7, 2.5)
    assert at(shape, "b").kinds() == {"string": 2, "null": 1}
    assert (at(shape, "b").strings.shortest, at(shape, "b").strings.longest) == (2, 4)
    assert at(shape, "b").strings.values == {"xy": 1, "abcd": 1}
    assert (at(shape, "c").arrays.shortest, at(shape, "c").arrays.longest) == (2, 2)
    assert (at(shape, "c", "[]").booleans, at(shape, "c", "[]").trues) == (2, 1)


def test_integers_beyond_floats_keep_exact_bounds():
    shape = shape_of([2**200 + 1, -(2**70) - 1, 3])
    again = Shape.from_json(shape.to_json())
    assert (again.root.numbers.low, again.root.numbers.high) == (-(2**70) - 1, 2**200 + 1)


def test_numbers_that_no_json_text_could_hold_are_only_counted():
    shape = shape_of([float("inf"), float("-inf"), float("nan"), 10**5000, 1])
    numbers = Shape.from_json(shape.to_json()).root.numbers
    assert (numbers.integers, numbers.floats, numbers.outside) == (2, 3, 4)
    assert (numbers.least, numbers.greatest) == (1, 1)


def test_quantiles_of_the_digest_are_right_to_the_width_of_a_bucket():
    numbers = shape_of([n / 10 for n in range(1, 10_001)]).root.numbers
    assert len(numbers.buckets) <= 24
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert numbers.quantile(share) == pytest.approx(1000 * share, rel=0.25)
    assert sum(bucket.count for bucket in numbers.histogram()) == 10_000


def test_a_string_with_more_than_fifty_values_keeps_three_examples():
    few, more = shape_of([f"v{n:02}" for n in range(50)]), shape_of([f"v{n:02}" for n in range(51)])
    assert len(few.root.strings.values) == 50
    assert (more.root.strings.many, more.root.strings.values) == (True, {})
    assert more.root.strings.examples == ["v00", "v01", "v02"]


FORMATS = {
    "date-time": ["2026-01-31T12:00:00Z", "2026-01-31t12:00:00.123456+02:00"],
    "date": ["2026-01-31"],
    "time": ["12:00:00Z", "23:59:59.5+01:00"],
    "duration": ["P1D", "PT2H", "P1Y2M3DT4H"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000", "A23E4567-E89B-12D3-A456-426614174000"],
    "email": ["someone@example.com", "a.b+c@example.co.uk"],
    "ipv4": ["10.0.0.1", "255.255.255.255"],
    "ipv6": ["::1", "2001:db8::ff00:42:8329", "2001:db8:0:0:0:ff00:42:8329"],
    "uri": ["https://example.com/a?b=c", "urn:isbn:0451450523", "mailto:someone@example.com"],
    "": [
        "",
        "sku:7",
        "2026-13-31",
        "12:00",
        "1.2.3",
        "P",
        "Paid",
        "x" * 36,
        "a@",
        "\ud800@x",
        "1:2:3:4:5:6:7",
    ],
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats_are_voted_for(name):
    for text in FORMATS[name]:
        assert shape_of([text]).root.strings.votes == ({name: 1} if name else {}), text


NOT_KEPT = [
    "someone@example.com",
    "Ann <ann@example.com>",
    "@ann",
    "ask ann@example.com, please",
    "10.0.0.1",
    "::1",
    "https://x.example/?token=1",
    "x" * 65,
    "a\x00b",
    "\ud800",
    "tab\t",
]


@pytest.mark.parametrize("text", NOT_KEPT)
def test_what_may_name_a_person_or_cannot_be_stored_is_counted_and_not_kept(text):
    shape = shape_of([{"a": text, text: 1, "type": text}] * 3)
    assert at(shape, "a").strings.values == {}
    assert at(shape, "a").strings.unkept == 3
    stored = json.loads(shape.to_json())
    assert text not in json.dumps(stored["r"]["o"]["p"]["a"], ensure_ascii=False)
    assert "v" not in stored["r"]["o"] or stored["r"]["o"]["v"] == {"type": None}


def test_names_with_an_address_are_counted_together():
    shape = shape_of([{"someone@example.com": 1, "x" * 65: 2, "plain": 3}])
    assert [name for name, _ in shape.root.children()] == ["plain", "{}"]
    assert "someone@example.com" not in shape.to_json()


SECRET = {
    "card": {
        "holder": "Ann Hidden",
        "limit": 98765,
        "frozen": True,
        "type": "hidden-type",
        "more": ["hidden"],
    },
    "lines": [{"to": "hidden street", "sku": "1"}],
    "by_name": {"hidden": "hidden"},
}
POINTERS = ["/card", "/lines/[]/to", "/by_name/hidden"]


@pytest.mark.parametrize("entry", ["/lines/[]/to", "/lines/*/to", "/lines/0/to"])
def test_sensitive_paths_hold_counts_only(entry):
    text = shape_of([SECRET] * 3, ["/card", entry, "/by_name/hidden"]).to_json()
    assert "Hidden" not in text
    assert "98765" not in text
    assert "hidden" not in text.replace('"/by_name/hidden"', "").replace('"hidden":{', "")
    holder = Shape.from_json(text).root.objects.properties["card"].objects.properties["holder"]
    assert (holder.private, holder.kinds(), holder.strings.shortest) == (True, {"string": 3}, None)


def test_merging_forgets_what_either_side_calls_sensitive():
    knowing = shape_of([SECRET] * 3)
    guarded = shape_of([SECRET], POINTERS)
    for one, other in ((knowing, guarded), (guarded, knowing)):
        merged = Shape.from_json(one.to_json())
        merged.merge(other)
        assert merged == shape_of([SECRET] * 4, POINTERS)
    assert knowing == shape_of([SECRET] * 3)


def test_a_sensitive_member_of_a_map_stays_secret_when_names_are_dropped():
    values = [{f"k{n}": f"value{n}"} for n in range(200)] + [{"key": "hidden"}]
    for order in (values, values[::-1]):
        text = shape_of(order, ["/key"]).to_json()
        assert "hidden" not in text


def test_what_joins_a_sensitive_shape_becomes_counts():
    secret, plain = Node(), Node()
    secret.scrub()
    plain.fold(["hidden", 7, True, {"type": "hidden"}], 0, frozenset(), False, Budget())
    secret.merge(plain, Budget())
    assert secret.private
    assert "hidden" not in json.dumps(secret.encode())
    assert (secret.trues, secret.numbers.least) == (0, None)
    assert secret.objects.properties["type"].private


@pytest.mark.parametrize("map_first", [True, False])
def test_a_name_known_to_one_side_only_joins_the_other_side_s_map(map_first):
    names = [{f"k{n}": n} for n in range(200)]
    sides = [shape_of([*names, {"x": "text"}] * 2), shape_of([{"x": 1}])]
    one, other = sides if map_first else sides[::-1]
    one.merge(other)
    assert [name for name, _ in one.root.children()] == ["{}"]
    assert at(one, "{}").kinds() == {"integer": 401, "string": 2}


def test_a_pointer_that_is_none_is_refused():
    with pytest.raises(ValueError, match="must begin with"):
        Shape(["customer/email"])


def test_four_hundred_rare_names_become_one_shape():
    shape = shape_of([{"meta": {f"k{n}": n, f"k{n + 1}": n}} for n in range(400)])
    assert [name for name, _ in at(shape, "meta").children()] == ["{}"]
    assert at(shape, "meta", "{}").count == 800


def test_a_wide_object_with_fixed_names_stays_an_object():
    shape = shape_of([{f"field{n}": n for n in range(NAMES + 40)}] * 3)
    assert len(shape.root.objects.properties) == NAMES + 40


def test_depth_and_paths_are_bounded_and_say_so():
    deep: object = 1
    for _ in range(60):
        deep = {"a": [deep]}
    wide = {f"a{n}": {f"b{m}": {f"c{k}": k for k in range(9)} for m in range(9)} for n in range(40)}
    shape = shape_of([deep, wide])
    assert shape.root.size() <= PATHS + RESERVE + 1
    node, levels = shape.root, 0
    while node.children():
        node, levels = node.children()[0][1], levels + 1
    assert levels <= DEPTH
    assert len(shape.to_json().encode()) <= BYTES


def test_a_shape_too_long_as_text_is_shortened_to_fit():
    names = [chr(0x4E00 + n) * 64 for n in range(PATHS - 10)]
    values = [dict.fromkeys(names, f"{'語' * 55}{number:03}") for number in range(45)]
    shape = shape_of(values)
    text = shape.to_json()
    assert len(text.encode()) <= BYTES
    assert shape.samples == 45
    assert Shape.from_json(text) == shape
    assert shape.root.objects.cut
    # What was cut cannot be counted as never cut.
    shape.add(values[0])
    assert Shape.from_json(shape.to_json()).samples == 46


def test_what_is_no_json_value_is_refused_by_name():
    shape = Shape()
    shape.add({"a": {1, 2}})
    with pytest.raises(TypeError, match="set is no JSON value"):
        shape.to_json()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"v":1,"s":[],"r":{}}',
        '{"v":99,"s":[],"r":{"n":0}}',
        '{"v":1,"s":5,"r":{"n":0}}',
    ],
)
def test_a_text_that_is_no_stored_shape_is_refused(text):
    with pytest.raises(StoredShapeUnreadable):
        Shape.from_json(text)


def test_orders_merged_from_four_processes_equal_orders_added_in_one():
    values = list(islice(orders(1), 400))
    whole = shape_of(values, ["/customer/email"])
    parts = [Shape.from_json(shape_of(values[n::4], ["/customer/email"]).to_json()) for n in range(4)]
    merged = Shape()
    for part in parts:
        merged.merge(part)
    assert merged == whole


def test_an_empty_shape_survives_a_round_trip():
    assert Shape.from_json(Shape().to_json()) == Shape()
    assert isinstance(Shape().root, Node)
