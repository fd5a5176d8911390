"""The rows of a page that shows what was seen."""

from itertools import islice

import pytest

from catalog.schemas.shape import Shape, seen
from tests.unit.catalog.shape.orders import orders
from tests.unit.catalog.shape.test_shape import shape_of


@pytest.fixture(scope="module")
def rows():
    shape = shape_of(islice(orders(1), 1000), ["/customer/country", "/total/amount"])
    return {row.pointer: row for row in seen(shape)}


def test_there_is_a_row_for_each_path_members_by_presence(rows):
    top = [row for row in rows.values() if row.depth == 0]
    assert [row.share for row in top] == sorted((row.share for row in top), reverse=True)
    assert list(rows).index("/customer") + 1 == list(rows).index("/customer/birthday")
    assert rows["/lines/[]/price/amount"].depth == 2


def test_a_row_tells_presence_types_and_top_values(rows):
    assert 0.3 < rows["/delivery"].share < 0.5
    assert dict(rows["/shipped_at"].kinds).keys() == {"string", "null"}
    assert len(rows["/status"].top) == 5
    assert sum(share for _, share in rows["/status"].top) == pytest.approx(1)
    assert rows["/gift"].true_share == pytest.approx(0.1, abs=0.04)
    assert rows["/lines"].lengths == (1, 5)
    assert rows["/order_id"].many
    assert rows["/order_id"].format == "uuid"


def test_numbers_have_bounds_quantiles_and_a_histogram(rows):
    price = rows["/lines/[]/price/amount"]
    assert 1 <= price.least < price.middle < price.high <= price.greatest <= 2000
    assert price.middle == pytest.approx(1000, rel=0.25)
    assert sum(bucket.count for bucket in price.buckets) == price.count
    assert price.buckets[0].low == price.least
    assert price.buckets[-1].high == price.greatest


def test_a_map_is_one_row(rows):
    assert rows["/metadata/{}"].count > 1000
    assert not [pointer for pointer in rows if pointer.startswith("/metadata/key")]


def test_examples_are_few_and_none_may_name_a_person(rows):
    assert rows["/number"].examples == tuple(sorted(rows["/number"].examples))
    assert all(len(row.examples) <= 3 for row in rows.values())
    for pointer in ("/customer/email", "/customer/country", "/total/amount", "/landing_page", "/note"):
        assert rows[pointer].examples == ()
    for pointer in ("/customer/country", "/total/amount"):
        row = rows[pointer]
        assert row.private
        assert (row.top, row.least, row.buckets, row.lengths, row.middle) == ((), None, (), None, None)


def test_data_that_is_no_object_has_a_row_for_itself():
    assert [(row.pointer, row.count) for row in seen(shape_of([1, "x", {"a": 1}]))] == [("", 3), ("/a", 1)]
    assert seen(Shape()) == []
