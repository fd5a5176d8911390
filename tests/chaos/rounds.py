"""`python -m tests.chaos.rounds --embedded 50 --scaled 58 --seed N`: kills and other faults under load, and the proof.

Both kinds of town have their rounds side by side. One line per round while it goes on, one line of JSON per kind of town
at its end. Exit status 1 when a promise broke.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests import services
from tests.chaos.faults import FAULTS, plan
from tests.chaos.servers import embedded_town, scaled_town
from tests.chaos.trial import Trial, trial
from tests.chaos.verify import Findings

# One round in so many does not wait until everything has arrived: the next kill hits the recovery.
HASTY = 4

# As many as it takes to have each fault once and thirty kills beside them.
ROUNDS = {"embedded": 50, "scaled": 58}


def main() -> int:
    """Runs the rounds; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.rounds", description=__doc__)
    parser.add_argument(
        "--embedded", type=int, default=ROUNDS["embedded"], help="rounds on SQLite and a broker in memory"
    )
    parser.add_argument(
        "--scaled", type=int, default=ROUNDS["scaled"], help="rounds on PostgreSQL, Redis and RabbitMQ"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="default: a new one")
    parser.add_argument(
        "--faults",
        type=_names,
        default=list(FAULTS),
        help=f"which, with commas between (default: all): {', '.join(FAULTS)}",
    )
    parser.add_argument("--rate", type=float, default=80.0, help="events per second (default: %(default)s)")
    parser.add_argument(
        "--keep",
        type=Path,
        help="folder for what a broken run leaves: the messages, the requests, the SQLite file",
    )
    asked = parser.parse_args()
    if asked.scaled and (missing := services.missing("redis-server") or services.missing("initdb")):
        print(f"{missing}. Install it, or leave those rounds out: --scaled 0")
        return 2
    # By SIGTERM, too, everything that was started ends with it.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if asked.embedded and asked.scaled:
        return _side_by_side(asked)
    _clean_environment()
    print(f"seed {asked.seed}, {asked.rate:g} events a second", flush=True)
    broken = False
    with tempfile.TemporaryDirectory(prefix="signalbox-chaos-") as folder:
        for kind, rounds, made in (
            ("embedded", asked.embedded, embedded_town),
            ("scaled", asked.scaled, scaled_town),
        ):
            if not rounds:
                continue
            place = Path(folder) / kind
            place.mkdir()
            with (
                made(place) as (town, servers),
                trial(town, place, asked.seed, asked.rate, kind == "scaled", servers) as run,
            ):
                findings = _rounds(run, kind, rounds, asked.faults)
                if _report(kind, findings):
                    broken = True
                    if asked.keep:
                        shutil.copytree(town.var, asked.keep / kind, ignore=_sockets, dirs_exist_ok=True)
                        shutil.copy(run.sink.path, asked.keep / kind)
    return int(broken)


def _side_by_side(asked: argparse.Namespace) -> int:
    """Each kind of town in a process of its own: most of a round is waiting."""
    command = [
        sys.executable,
        "-m",
        "tests.chaos.rounds",
        "--seed",
        str(asked.seed),
        "--rate",
        str(asked.rate),
    ]
    command += ["--faults", ",".join(asked.faults)]
    if asked.keep:
        command += ["--keep", str(asked.keep)]
    both = [
        subprocess.Popen([*command, "--embedded", str(embedded), "--scaled", str(scaled)])
        for embedded, scaled in ((asked.embedded, 0), (0, asked.scaled))
    ]
    try:
        statuses = [one.wait() for one in both]  # of both, also when the first broke
        return int(any(statuses))
    finally:
        for one in both:
            if one.poll() is None:
                one.terminate()
        for one in both:
            one.wait()


def _rounds(run: Trial, kind: str, rounds: int, names: Sequence[str]) -> Findings:
    run.start()
    faults = plan(run, names, rounds, run.dice)
    if left_out := [name for name in names if not run.has(FAULTS[name].needs)]:
        print(f"{kind} cannot have {', '.join(left_out)}", flush=True)
    stuck = ""
    for number, fault in enumerate(faults, 1):
        moment = run.dice.uniform(0.2, 4.0)
        time.sleep(moment)
        acknowledged, in_flight = len(run.load.acknowledged), sum(kill.in_flight for kill in run.kills)
        began = time.monotonic()
        hasty = fault.kills and number < rounds and run.dice.randrange(HASTY) == 0
        try:
            run.undergo(fault, wait=not hasty)
        except AssertionError as error:
            stuck = f"{fault.name}: {error}"
            break
        after = (
            "the next one does not wait for it"
            if hasty
            else f"recovered in {time.monotonic() - began:4.1f} s"
        )
        in_flight = sum(kill.in_flight for kill in run.kills) - in_flight
        found = run.so_far()
        print(
            f"{kind} {number:2}/{rounds}  {fault.name:17} after {moment:.1f} s  {acknowledged:6} acknowledged "
            f"{in_flight:4} in flight  {after}  so far: repeats {found.repeats}, inversions {found.inversions}",
            flush=True,
        )
    findings = run.end()
    if stuck:
        findings.note("stuck", stuck)
    return findings


def _report(kind: str, findings: Findings) -> bool:
    print(f"{kind} {findings.line()}")
    problems = findings.problems()
    for problem in problems:
        print(f"{kind} BROKEN  {problem}")
    if not problems:
        print(
            f"{kind}: {findings.kills} kills, {findings.acknowledged} acknowledged, lost 0, inversions 0, "
            f"repeats {findings.repeats} of {findings.in_flight + findings.excused} in flight, first delivery after a kill "
            f"within {findings.first_delivery:.1f} s",
            flush=True,
        )
    return bool(problems)


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(FAULTS):
        raise argparse.ArgumentTypeError(f"there is no {', '.join(sorted(unknown))}")
    return names


def _sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(folder) / name).is_socket()]


def _clean_environment() -> None:
    """Towns take nothing from a developer's settings."""
    for name in list(os.environ):
        if name.startswith("SIGNALBOX_") or name in ("DATABASE_URL", "CELERY_BROKER_URL", "REDIS_URL"):
            del os.environ[name]


if __name__ == "__main__":
    sys.exit(main())
