"""Checks of a verdict that trust nothing of the engine: each counterexample is validated again, from the schemas."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from catalog.schemas.compatibility import Direction, Outcome, Verdict

DRAFT_7 = "http://json-schema.org/draft-07/schema#"


def accepts(schema: Any, value: Any) -> bool:
    """Whether `schema`, by its own $schema, accepts `value`; formats count."""
    return bool(
        jsonschema_rs.validator_for(schema, validate_formats=True, offline=True).is_valid(value)
        if isinstance(schema, dict)
        else schema
    )


def assert_shown(old: Any, new: Any, verdict: Verdict) -> None:
    """An incompatible verdict has an example, and each example is taken by the one side and refused by the other."""
    if verdict.outcome is Outcome.INCOMPATIBLE:
        assert any(one.has_counterexample for one in verdict.breaks)
    else:
        assert verdict.breaks == ()
    for one in verdict.breaks:
        assert one.message
        assert one.path.startswith("data")
        if one.has_counterexample:
            sent, read = (old, new) if one.direction is Direction.BACKWARD else (new, old)
            assert accepts(sent, one.counterexample), (one, sent)
            assert not accepts(read, one.counterexample), (one, read)
