"""`python -m tests.benchmarks [ingest] [delivery] [latency] [isolation] [matching] [shapes] [pages] [compatibility] [map] [million]`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.benchmarks import (
    compatibility,
    delivery,
    ingest,
    isolation,
    latency,
    map,
    matching,
    million,
    pages,
    shapes,
)
from tests.processes import Towns

ALL = {
    "ingest": ingest.run,
    "delivery": delivery.run,
    "latency": latency.run,
    "isolation": isolation.run,
    "matching": matching.run,
    "compatibility": compatibility.run,
    "shapes": shapes.run,
    "pages": pages.run,
    "map": map.run,
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
