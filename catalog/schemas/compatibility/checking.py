"""The questions others ask: one pair of schemas, or a new schema against the versions before it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from catalog.schemas.compatibility.budget import Budget
from catalog.schemas.compatibility.pairs import Pair, fits_json
from catalog.schemas.compatibility.renames import hints
from catalog.schemas.compatibility.verdicts import Break, Mode, Outcome, Policy, Undecided, Verdict
from catalog.schemas.validator import Validator

BUDGET_SECONDS = 0.2


def check(
    old: Any,
    new: Any,
    mode: Mode,
    policy: Policy,
    examples: Sequence[Any] = (),
    budget_seconds: float = BUDGET_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Verdict:
    """Whether `new` keeps what `mode` promises of `old`.

    Both are parsed JSON Schemas that were accepted for registration. `examples` are values of data of either version;
    they make counterexamples that look like real events. What is not decided after `budget_seconds` is UNDECIDED.
    """
    return _check(old, new, mode, policy, _usable(examples), Budget(budget_seconds, clock), {})


def _check(
    old: Any,
    new: Any,
    mode: Mode,
    policy: Policy,
    examples: Sequence[Any],
    budget: Budget,
    compiled: dict[str, Validator],
) -> Verdict:
    breaks: list[Break] = []
    undecided: list[Undecided] = []
    directions = mode.directions
    for number, direction in enumerate(directions):
        share = budget.share(1 / (len(directions) - number))
        found, left = Pair(old, new, direction, policy, examples, share, compiled).answer()
        breaks += found
        undecided += left
    return _verdict(breaks, undecided, hints(old, new, budget) if directions else ())


def check_history(
    versions: Sequence[tuple[int, Any]],
    new: Any,
    mode: Mode,
    policy: Policy,
    examples: Sequence[Any] = (),
    budget_seconds: float = BUDGET_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Verdict:
    """Whether `new` keeps what `mode` promises of the earlier `versions`, pairs of number and schema, oldest first.

    Transitive modes ask every version, the last first; others the last only. `budget_seconds` is for each pair.
    """
    breaks: list[Break] = []
    undecided: list[Undecided] = []
    remarks: tuple[str, ...] = ()
    samples, compiled = _usable(examples), dict[str, Validator]()
    chosen = list(versions) if mode.transitive else list(versions[-1:])
    for number, old in reversed(chosen):
        found = _check(old, new, mode, policy, samples, Budget(budget_seconds, clock), compiled)
        breaks += [replace(one, against=number) for one in found.breaks]
        undecided += [replace(one, against=number) for one in found.undecided]
        remarks = remarks or found.hints
    return _verdict(breaks, undecided, remarks)


def _usable(examples: Sequence[Any]) -> list[Any]:
    return [value for value in examples if fits_json(value)]


def _verdict(breaks: list[Break], undecided: list[Undecided], remarks: tuple[str, ...]) -> Verdict:
    outcome = Outcome.COMPATIBLE
    if breaks:
        outcome = Outcome.INCOMPATIBLE
    elif undecided:
        outcome = Outcome.UNDECIDED
    return Verdict(outcome, tuple(breaks), tuple(undecided), remarks)
