"""Local references lead where RFC 6901 says, or nowhere."""

from __future__ import annotations

import pytest

from catalog.schemas.local import look_up

DOCUMENT = {"$defs": {"a/b": 1, "m~n": 2, "50 %": 3, "list": [{"x": 4}, 5], "": 6}}


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#/$defs/a~1b", 1),
        ("#/$defs/m~0n", 2),
        ("#/$defs/50%20%25", 3),
        ("#/$defs/list/0/x", 4),
        ("#/$defs/list/1", 5),
        ("#/$defs/", 6),
        ("#", DOCUMENT),
    ],
)
def test_a_local_reference_leads_to_its_place(reference, found):
    assert look_up(DOCUMENT, reference) == found


@pytest.mark.parametrize(
    "reference",
    [
        "#/$defs/c",
        "#/$defs/list/2",
        "#/$defs/list/-1",
        "#/$defs/list/x",
        "#/$defs/a~1b/x",
        "#anchor",
        "other.json#/a",
        "",
    ],
)
def test_what_leads_nowhere_is_an_error(reference):
    with pytest.raises(LookupError):
        look_up(DOCUMENT, reference)
