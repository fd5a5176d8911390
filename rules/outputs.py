"""What a transform would have sent for past events, and whether the target's contract takes it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from rules.contract import Contract
from rules.engine import Event, Output, Transform, TransformError, compile_transform
from rules.engine.json_path import Reading
from rules.reading import reads_of


class Outputs(NamedTuple):
    """`good` outputs before the first that fails; `wrong` says why that one does, "" when none did.

    `wrong_at`: its place among the events, -1 for none; `all_tried`: whether the time sufficed for all of them;
    `text`: whether the outputs are no JSON. `not_json`: why a template that looks like JSON is none, and so is sent as
    text; "" otherwise. `unread`: the paths it reads that none of the first `looked` events has.
    """

    good: int
    wrong: str
    wrong_at: int
    all_tried: bool
    text: bool
    not_json: str = ""
    unread: tuple[str, ...] = ()
    looked: int = 0


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
    broken = (compiled.not_json or "") if _is_meant_as_json(transform) else ""
    unread = reads_of(transform, compiled)
    good, looked, wrong, all_tried = 0, 0, "", True
    for event in events:
        if looked and time.perf_counter() > ends:
            all_tried = False
            break
        looked += 1
        if unread:
            reading = Reading(event)
            unread = [one for one in unread if not one.is_in(reading)]
        wrong = wrong or _refusal(compiled, contract, event, structured)
        if not wrong:
            good += 1
        elif not unread:
            break
    paths = tuple(one.path for one in unread) if looked else ()
    return Outputs(good, wrong, good if wrong else -1, all_tried, text, broken, paths, looked)


def refusals(
    transform: dict[str, Any], contract: Contract | None, events: Iterable[Event], structured: bool
) -> list[str]:
    """Why each event cannot be sent, "" when it can. Raises TransformError when the transform is not valid."""
    compiled = compile_transform(transform)
    return [_refusal(compiled, contract, event, structured) for event in events]


def _refusal(compiled: Transform, contract: Contract | None, event: Event, structured: bool) -> str:
    try:
        output = output_of(compiled, event, structured)
    except TransformError as error:
        return error.message
    return contract.refusal(output) if contract is not None else ""


def _is_meant_as_json(transform: dict[str, Any]) -> bool:
    """Whether a text begins as JSON does, and nobody said what else it is."""
    written = str(transform.get("template", "")).lstrip()
    return written.startswith(("{", "[")) and not transform.get("content_type")


def sends_documents(config: Mapping[str, Any]) -> bool:
    """Whether a target with these settings is sent whole events as JSON documents, not as their data."""
    return config.get("mode") in ("structured", "batched")


def output_of(transform: Transform, event: Event, structured: bool) -> Output:
    """The body that a receiver gets. Raises TransformError."""
    if transform.whole and not structured:
        kind = str(event.attributes.get("datacontenttype", "application/json"))
        return Output(event.data_raw or b"", kind)
    return transform.apply(event)
