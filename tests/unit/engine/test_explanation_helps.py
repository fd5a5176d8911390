"""Who changes in the event exactly what the explanation names, makes that condition hold."""

from __future__ import annotations

import copy
import ipaddress
import json
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rules.engine import Condition, Event, explain
from tests.unit.engine import naive
from tests.unit.engine.test_matcher_equals_naive import LEAVES, objects, value


def written_at(pattern: Any, pointer: str) -> list[Any]:
    """The alternatives at a JSON pointer."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        pattern = pattern[int(key)] if isinstance(pattern, list) else pattern[key]
    return pattern


def candidates(alternative: Any) -> list[Any]:
    if not isinstance(alternative, dict):
        return [alternative]
    found: list[Any] = []
    for operator, wanted in alternative.items():
        if isinstance(
            wanted, dict
        ):  # {"prefix": {"equals-ignore-case": …}}, or of an anything-but, found among LEAVES
            plain = str(wanted.get("equals-ignore-case", "")).upper()
        else:
            plain = wanted
        if operator == "wildcard":
            found.append(
                wanted.replace("\\*", "\0").replace("*", "").replace("\0", "*").replace("\\\\", "\\")
            )
        elif operator == "numeric":
            found += [number + step for number in wanted[1::2] for step in (0, 1, -1, 0.5)]
        elif operator == "cidr":
            found.append(str(ipaddress.ip_network(wanted, strict=False)[0]))
        elif isinstance(plain, str):
            found.append(plain)
    return [*found, *LEAVES, "something else"]


def without(value: Any, keys: list[str]) -> Any:
    """The value without leaves at a path, however it is spelled."""
    if isinstance(value, list):
        kept = [without(element, keys) for element in value if keys or isinstance(element, dict | list)]
        return [element for element in kept if element != [] or keys]
    if not isinstance(value, dict) or not keys:
        return value
    result = {}
    for key, inner in value.items():
        for length in range(1, len(keys) + 1):
            if key == ".".join(keys[:length]):
                rest = keys[length:]
                if not rest and not isinstance(inner, dict | list):
                    break
                inner = without(inner, rest)
        else:
            result[key] = inner
    return result


def with_leaf(value: Any, keys: list[str], leaf: Any) -> Any:
    """The value with a leaf at a path: in every element of every array on the way."""
    if isinstance(value, list) and value:
        if not keys:
            return [*(with_leaf(one, keys, leaf) if isinstance(one, list) else one for one in value), leaf]
        found = [with_leaf(one, keys, leaf) if isinstance(one, dict | list) else one for one in value]
        return (
            found
            if any(isinstance(one, dict | list) for one in value)
            else [*found, with_leaf({}, keys, leaf)]
        )
    if not keys:
        return leaf if not isinstance(value, dict) or not value else [value, leaf]
    members = dict(value) if isinstance(value, dict) else {}
    members[keys[0]] = with_leaf(members.get(keys[0]), keys[1:], leaf)
    return members


def event_of(data: Any) -> Event:
    return Event({}, json.dumps(data).encode())


def mended(data: Any, failed: Condition, alternatives: list[Any]) -> Any:
    keys = failed.path.split(".")[1:]
    cleared = without(copy.deepcopy(data), keys)
    if {"exists": False} in alternatives:
        return cleared
    for alternative in alternatives:
        for candidate in candidates(alternative):
            if naive.holds(alternative, candidate):
                return with_leaf(cleared, keys, candidate)
    assume(False)  # nothing meets it, as in {"numeric": [">", 1, "<", 1]}
    return None


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.builds(lambda fields: {"data": fields}, objects), value)
def test_changing_what_the_explanation_names_makes_that_condition_hold(pattern, data) -> None:
    try:
        explanation = explain(pattern, event_of(data))
    except ValueError:
        assume(False)
        return
    failed = explanation.failed
    assume(failed is not None)
    assert failed is not None
    alternatives = written_at(pattern, failed.pointer)
    # The combination of `$or` entries that came closest, as a pattern without `$or`.
    closest = {one.path: written_at(pattern, one.pointer) for one in explanation.conditions}
    again = explain(closest, event_of(mended(data, failed, alternatives)))
    assert next(one for one in again.conditions if one.path == failed.path).ok
