"""What order per key costs: the processor time of a delivery with it, against one without any order."""

from __future__ import annotations

from tests.benchmarks import backlog
from tests.benchmarks.figures import figure, note
from tests.benchmarks.servers import sink
from tests.processes import Towns

REPETITIONS = 7
EVENTS = 20_000  # of 1,000 keys


def run(towns: Towns) -> None:
    """Prints the figures of order."""
    found: dict[str, list[dict[str, float]]] = {"key": [], "none": []}
    for repetition in range(REPETITIONS):
        note(f"order, {repetition + 1} of {REPETITIONS}")
        # Neither is always the second, that finds the machine as the first left it.
        for order in ("key", "none") if repetition % 2 else ("none", "key"):
            with sink() as port, towns.new() as town:
                backlog.store(town, port, EVENTS, order=order)
                found[order].append(backlog.delivered(town, EVENTS))
    ours, reference = ([one["cpu_us"] for one in found[order]] for order in ("key", "none"))
    figure("order per key, CPU of a delivery", ours, reference, "the same events to the same target without order",
           1.10, "us of CPU", at_most=True)  # fmt: skip
    ours, reference = ([one["rate"] for one in found[order]] for order in ("key", "none"))
    figure("order per key, rate", ours, reference, "the same events to the same target without order",
           0.9, "deliveries/s")  # fmt: skip
