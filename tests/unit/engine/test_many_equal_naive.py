"""What is asked of many leaves, long texts and long arrays at once is what a plain scan finds in them one by one."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.engine import Event, compile, validate
from rules.engine.addresses import address_of, addresses_in
from rules.engine.allowance import Allowance
from rules.engine.text_probes import BLOCK, NEEDLE, Substrings
from rules.engine.wildcard import fits, parts_of
from tests.unit.engine import naive

pieces = st.text(alphabet="ab", max_size=6)
literals = st.one_of(
    st.text(alphabet="abc", max_size=4),
    st.builds(lambda piece, times: piece * times, pieces, st.integers(1, 30)),
)
wildcards = st.lists(literals, min_size=2, max_size=4).map("*".join).filter(lambda text: "**" not in text)
long_texts = st.builds(
    lambda begin, piece, middle, times, end: begin + piece * times + middle + piece * times + end,
    *(pieces, pieces, literals, st.integers(0, 600), literals),
)


def substrings(contained: list[str], wild: list[str]) -> Substrings[str]:
    return Substrings({text: text for text in contained}, {parts_of(text): f"*{text}" for text in wild})


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(literals, max_size=12), st.sets(wildcards, max_size=12), long_texts)
def test_of_one_text_however_long_the_strings_in_it_and_the_wildcards_it_fits_are_found(
    contained, wild, text
) -> None:
    found: list[str] = []
    substrings(list(contained), list(wild)).find(text, found, Allowance())
    expected = {one for one in contained if one in text}
    expected |= {f"*{one}" for one in wild if fits(parts_of(one), text)}
    assert sorted(found) == sorted(expected)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sets(literals, max_size=12),
    st.sets(wildcards, max_size=12),
    st.sets(st.one_of(literals, long_texts), max_size=30),
)
def test_of_many_texts_what_any_of_them_has_is_found(contained, wild, texts) -> None:
    found = substrings(list(contained), list(wild)).of_any(sorted(texts), Allowance()) if texts else []
    expected = {one for one in contained if any(one in text for text in texts)}
    expected |= {f"*{one}" for one in wild if any(fits(parts_of(one), text) for text in texts)}
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    "at", [0, 1, BLOCK - NEEDLE, BLOCK - 2, BLOCK - 1, BLOCK, 2 * BLOCK - 5, 3 * BLOCK - 9]
)
def test_a_string_is_found_wherever_blocks_of_a_long_text_meet(at) -> None:
    wanted = ["needle", "n" * NEEDLE, "m" * (NEEDLE + 9), "absent", "x" * 9, "y" * 9]
    for one in wanted[:3]:
        text = "." * at + one + "." * (3 * BLOCK)
        found: list[str] = []
        substrings(wanted, ["*edl*", f"*{'n' * 20}*..", "*..*m*"]).find(text, found, Allowance())
        assert [each for each in found if each in wanted] == [one]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.ip_addresses().map(str),
            st.sampled_from(
                ["10.0.0.1", "10.0.0.01", "1.2.3", "a.b.c.d", "1.1.1.\0", "::ffff:1.2.3.4", "\u0661.1.1.1"]
            ),
        )
    )
)
def test_the_addresses_among_texts_are_those_of_each(texts) -> None:
    found = addresses_in(texts)
    expected = [address for address in map(address_of, texts) if address is not None]
    assert sorted((version, one) for version, all_of_it in found.items() for one in all_of_it) == sorted(
        expected
    )


ALTERNATIVES: list[Any] = ["x", "y", 1, True, None, {"prefix": "k"}, {"suffix": "3"}, {"anything-but": "x"}]
ALTERNATIVES += [
    {"numeric": [">", 20]},
    {"numeric": ["<=", 3]},
    {"exists": True},
    {"wildcard": "k*1*"},
    "k7",
    12,
]


def random_element(rng: random.Random, depth: int) -> Any:
    """One of an array: mostly an object with leaves, sometimes with arrays inside, spelled in two ways."""
    element: dict[str, Any] = {}
    for key in rng.sample(["a", "b", "c"], rng.choice([1, 2, 3, 3])):
        leaf = rng.choice(["x", "y", 1, True, None, f"k{rng.randrange(30)}", rng.randrange(30)])
        element[key] = [leaf, rng.randrange(30)] if rng.random() < 0.1 else leaf
    if depth and rng.random() < 0.8:
        for key in rng.sample(["d", "e", "d.e", "d.f"], rng.choice([1, 1, 2])):
            inner = [random_element(rng, depth - 1) for _ in range(rng.randrange(5))]
            element[key] = {"e": inner} if key == "d" and rng.random() < 0.5 else inner
    return [element] if rng.random() < 0.05 else element


def random_conditions(rng: random.Random) -> dict[str, Any]:
    above = rng.choice(
        [["items"], ["items"], ["items", "items.d"], ["items.d.e", "items"], ["items.d.e", "items.e"]]
    )
    above = [*above, *rng.choice([[], [], ["others"]])]
    paths = rng.sample([f"{path}.{key}" for path in above for key in "abc"], rng.choice([2, 2, 3]))
    return {
        path: [{"exists": False}, *rng.sample(ALTERNATIVES, 1)]
        if rng.random() < 0.1
        else rng.sample(ALTERNATIVES, n)
        for path, n in ((path, rng.choice([1, 1, 2, 5])) for path in paths)
    }


@pytest.mark.parametrize("seed", range(6))
def test_long_arrays_in_arrays_are_compared_as_a_plain_scan_compares_them(seed) -> None:
    rng = random.Random(seed)
    matched = asked = 0
    for depth, length in ((0, 40), (0, 300), (1, 30), (2, 20), (1, 3), (2, 2)):
        rules = [{"data": random_conditions(rng)} for _ in range(60)]
        rules = [rule for rule in rules if not validate(rule)]
        matcher = compile(enumerate(rules))
        data = {"items": [random_element(rng, depth) for _ in range(length)]}
        if rng.random() < 0.5:
            data["others"] = [random_element(rng, 0) for _ in range(rng.choice([2, 30]))]
        if rng.random() < 0.3:
            data["items.d"] = [random_element(rng, 0) for _ in range(rng.choice([2, 20]))]
        expected = [number for number, rule in enumerate(rules) if naive.matches(rule, {"data": data})]
        assert matcher.match(Event({}, json.dumps(data).encode())) == expected
        assert matcher.failures == {}
        matched, asked = matched + len(expected), asked + len(rules)
    assert 0.1 * asked < matched < 0.9 * asked
