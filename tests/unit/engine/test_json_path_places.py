"""Where a query finds something is where its values stand."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from rules.engine.json_path_places import places
from rules.engine.json_path_query import Steps, compile_query, look_up

leaves = st.sampled_from(["x", 1, True, None, 2.5])
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=12,
)
segments = st.sampled_from(
    [".a", "..b", "[0]", "[-1]", "[*]", ".*", "..*", "[1:]", "[::-1]", "['a', 'b']", "[?@.a]", "[?@ == 1]",
     "[?@.b != 'x']", "[?$.a]", "[0, ?@.c]"]
)  # fmt: skip
queries = st.lists(segments, min_size=1, max_size=3).map(lambda parts: "$" + "".join(parts))


@given(queries, values)
def test_places_are_those_of_the_values_that_are_found(text: str, value: object) -> None:
    query = compile_query(text) if text.count("..") <= 2 else compile_query("$..a")
    found = query.find(value, Steps(100_000))
    stand = places(query, value, Steps(100_000))
    assert len(set(stand)) == len(stand) <= len(found)
    shown = {json.dumps(look_up(value, place)) for place in stand}
    assert shown == {json.dumps(one) for one in found}
    assert all(not isinstance(step, int) or step >= 0 for place in stand for step in place)
