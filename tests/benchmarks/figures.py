"""One JSON line per figure."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence


def figure(
    name: str,
    ours: Sequence[float],
    reference: Sequence[float],
    against: str,
    goal: float,
    unit: str,
    at_most: bool = False,
    **more: object,
) -> None:
    """Prints a figure: medians of both, the median of the ratios of each repetition, and whether it meets its goal."""
    ratios = [mine / theirs for mine, theirs in zip(ours, reference, strict=True)]
    ratio = statistics.median(ratios)
    line = {
        "figure": name,
        "ratio": _short(ratio),
        "goal": f"{'<=' if at_most else '>='} {goal}",
        "met": ratio <= goal if at_most else ratio >= goal,
        "ours": _short(statistics.median(ours)),
        "reference": against,
        "reference_value": _short(statistics.median(reference)),
        "unit": unit,
        "ratios": [_short(one) for one in ratios],
        **more,
    }
    print(json.dumps(line), flush=True)


def note(text: str) -> None:
    """Tells on standard error what is going on."""
    print(text, file=sys.stderr, flush=True)


def _short(value: float) -> float:
    return float(f"{value:.3g}")
