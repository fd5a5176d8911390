"""`python -m tests.benchmarks [ingest] [delivery] …` runs the benchmarks named, or all of ALL."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.benchmarks import (
    capacity,
    compatibility,
    dashboard,
    delivery,
    ingest,
    isolation,
    latency,
    live,
    localstack,
    map,
    matching,
    memory,
    million,
    order,
    pages,
    palette,
    routing,
    shapes,
)
from tests.processes import Towns

ALL = {
    "ingest": ingest.run,
    "delivery": delivery.run,
    "order": order.run,
    "routing": routing.run,
    "latency": latency.run,
    "capacity": capacity.run,
    "memory": memory.run,
    "isolation": isolation.run,
    "localstack": localstack.run,
    "matching": matching.run,
    "compatibility": compatibility.run,
    "shapes": shapes.run,
    "pages": pages.run,
    "map": map.run,
    "dashboard": dashboard.run,
    "live": live.run,
    "palette": palette.run,
    "million": million.run,
}


def main() -> int:
    """Runs the benchmarks named on the command line, or all."""
    names = sys.argv[1:] or list(ALL)
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are {', '.join(ALL)}.", file=sys.stderr)
        return 2
    for name in names:
        with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder, Towns(Path(folder)) as towns:
            ALL[name](towns)
    return 0


if __name__ == "__main__":
    sys.exit(main())
