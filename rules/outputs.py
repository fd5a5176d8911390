"""What a transform would have sent for past events, and whether the target's contract takes it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from rules.contract import Contract
from rules.engine import Event, Output, Transform, TransformError, compile_transform


class Outputs(NamedTuple):
    """`good` outputs before the first that fails; `wrong` says why that one does, "" when none did.

    `wrong_at`: its place among the events, -1 for none; `all_tried`: whether the time sufficed for all of them;
    `text`: whether the outputs are no JSON.
    """

    good: int
    wrong: str
    wrong_at: int
    all_tried: bool
    text: bool


def try_outputs(
    transform: dict[str, Any],
    contract: Contract | None,
    events: Iterable[Event],
    structured: bool = False,
    within: float = 0.1,
) -> Outputs:
    """Applies a transform to events, one after the other, for `within` seconds, and checks what comes out.

    `structured`: whole events are sent as one JSON document, not as their data. Raises TransformError when the
    transform itself is not valid.
    """
    compiled = compile_transform(transform)
    text, ends = compiled.not_json is not None, time.perf_counter() + within
    good = 0
    for at, event in enumerate(events):
        try:
            output = output_of(compiled, event, structured)
        except TransformError as error:
            return Outputs(good, error.message, at, True, text)
        wrong = contract.refusal(output) if contract is not None else ""
        if wrong:
            return Outputs(good, wrong, at, True, text)
        good += 1
        if time.perf_counter() > ends:
            return Outputs(good, "", -1, False, text)
    return Outputs(good, "", -1, True, text)


def output_of(transform: Transform, event: Event, structured: bool) -> Output:
    """The body that a receiver gets. Raises TransformError."""
    if transform.whole and not structured:
        kind = str(event.attributes.get("datacontenttype", "application/json"))
        return Output(event.data_raw or b"", kind)
    return transform.apply(event)
