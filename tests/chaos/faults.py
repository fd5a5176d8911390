"""The faults, by name: what happens, on which towns, and what it may leave in the numbers.

Each makes its trouble, ends it, and leaves the load running; the trial then waits until everything has arrived.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tests.chaos import breaking, changing, clocks, migrating, misbehaving, stopping
from tests.chaos.trial import Trial


@dataclass(frozen=True)
class Fault:
    """`needs`: what a town must have (`Trial.has`). `kills`: it ends processes by SIGKILL and does nothing else.

    `blurs`: leases may lapse although nobody died, so that unknown attempts are not bounded by what a killed process had
    in flight; each repeat must still be explained by one. `breaks`: processes may report errors while it lasts.
    """

    name: str
    happen: Callable[[Trial], object]
    needs: str = ""
    kills: bool = False
    blurs: bool = False
    breaks: bool = False


def _kill(victim: str) -> Fault:
    needs = "other worker" if victim == "other worker" else ""
    return Fault(f"kill-{victim.replace(' ', '-')}", lambda run: run.kill(victim), needs, kills=True)


def _stop(victim: str) -> Fault:
    needs = "other worker" if victim == "other worker" else ""
    name = f"stop-{victim.replace(' ', '-')}"
    return Fault(name, partial(stopping.happen, victim=victim), needs, blurs=True, breaks=True)


FAULTS = {
    fault.name: fault
    for fault in (
        *(_kill(victim) for victim in ("worker", "web", "parent", "other worker", "all")),
        *(_stop(victim) for victim in ("worker", "web", "parent", "other worker", "all")),
        Fault("stop-who-writes", stopping.stop_who_writes, "sqlite", blurs=True, breaks=True),
        *(
            Fault(f"{name}-{verb}", partial(happen, name=name), name, blurs=True, breaks=True)
            for name in ("rabbitmq", "redis")
            for verb, happen in (("flushed", breaking.flush), ("away", breaking.away))
        ),
        Fault("redis-stopped", breaking.stand_still, "redis", blurs=True, breaks=True),
        Fault("foreign-messages", breaking.send_foreign_messages, "redis", blurs=True, breaks=True),
        Fault("postgresql-restarted", breaking.restart_postgresql, "postgresql", blurs=True, breaks=True),
        Fault("postgresql-terminated", breaking.terminate_connections, "postgresql", blurs=True, breaks=True),
        Fault("sqlite-locked", breaking.lock_sqlite, "sqlite", blurs=True, breaks=True),
        Fault("disk-full", breaking.fill_disk, "disk", blurs=True, breaks=True),
        Fault("poison", changing.poison),
        Fault("rules-edited", changing.edit_rules),
        Fault("migrated", migrating.migrate),
        Fault("clock-jumps", clocks.jump, "clock"),
        *(Fault(f"target-{way}", partial(misbehaving.happen, way=way)) for way in misbehaving.WAYS),
    )
}


def plan(run: Trial, names: Sequence[str], rounds: int, dice: random.Random) -> list[Fault]:
    """Which faults happen in so many rounds: each that the town can have, as far as there is room, the rest are kills."""
    possible = [FAULTS[name] for name in names if run.has(FAULTS[name].needs)]
    kills = [fault for fault in possible if fault.kills]
    others = [fault for fault in possible if not fault.kills]
    dice.shuffle(others)
    # Kills have at least half of the rounds: the promise is made for many of them.
    chosen = others[: rounds // 2] if kills else others[:rounds]
    again = kills or others
    dice.shuffle(again)
    chosen += [again[number % len(again)] for number in range(rounds - len(chosen))] if again else []
    dice.shuffle(chosen)
    return chosen
