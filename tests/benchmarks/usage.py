"""What a running process has used, from /proc: Linux only."""

from __future__ import annotations

import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def processor_time(*pids: int) -> float:
    """Seconds of processor time of processes and of the children that they have or have waited for."""
    spent = 0.0
    for pid in pids:
        # After the name, which may hold anything, in proc(5): utime and stime are fields 14 and 15, of children 16 and 17.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        spent += sum(int(ticks) for ticks in fields[11:15]) / TICK
        for thread in Path(f"/proc/{pid}/task").iterdir():
            spent += processor_time(*map(int, (thread / "children").read_text().split()))
    return spent


def resident(pid: int) -> tuple[float, float]:
    """MiB in memory: all of it, and what is the process's own and no file."""
    told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(told["VmRSS"].split()[0]) / 1024, int(told["RssAnon"].split()[0]) / 1024
