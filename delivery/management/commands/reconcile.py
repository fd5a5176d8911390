"""`manage.py reconcile`: finds and mends what contradicts the invariants of the data plane."""

from __future__ import annotations

import json
import re
import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from delivery.reconcile.work import CHECKS, Finding, keep, run
from delivery.tracking.read import now

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Command(BaseCommand):
    """Prints each finding with its count, some places and what mends it. Exit status 1 when something is left."""

    help = (
        "Looks for what contradicts the promises: "
        + "; ".join(check.finds for check in CHECKS)
        + ". Exit status 1 when something is wrong, 0 when nothing is or --fix mended all."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fix", action="store_true", help="mend what is found")
        parser.add_argument(
            "--since",
            type=_moment,
            default=0,
            metavar="WHEN",
            help="do not look at events and attempts before: 30m, 2h, 1d, or a time such as 2026-11-26T08:00Z",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, fix: bool, since: int, **options: Any) -> None:
        began, at = time.monotonic(), now()
        found = run(fix, since)
        took = int((time.monotonic() - began) * 1_000_000)
        keep(found, at, took)
        if options["json"]:
            document = {
                "ok": not any(finding.left for finding in found),
                "took_seconds": round(took / 1_000_000, 3),
                "findings": [
                    finding.as_json() | {"finds": finding.check.finds, "mends": finding.check.mends}
                    for finding in found
                ],
            }
            self.stdout.write(json.dumps(document, indent=2))
        else:
            for finding in found:
                self.stdout.write(_said(finding, fix))
            if not found:
                self.stdout.write(f"All is well: {len(CHECKS)} checks in {took / 1_000_000:.1f} s.")
        if any(finding.left for finding in found):
            raise SystemExit(1)


def _said(finding: Finding, fix: bool) -> str:
    check = finding.check
    places = "; ".join(", ".join(f"{name} {value}" for name, value in one.items()) for one in finding.sample)
    more = ", …" if finding.count > len(finding.sample) else ""
    lines = [f"{check.name}: {finding.count} found", f"  {check.finds}", f"  at {places}{more}"]
    lines.append(f"  {finding.mended} mended" if fix else f"  --fix {check.mends}")
    return "\n".join(lines)


def _moment(text: str) -> int:
    """Microseconds since 1970 of `30m`, `2h`, `1d` ago, or of an ISO 8601 time (UTC unless it says otherwise)."""
    if found := re.fullmatch(r"(\d{1,6})([smhd])", text.strip()):
        return now() - int(found[1]) * SECONDS[found[2]] * 1_000_000
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time: say 30m, 2h, 1d, or 2026-11-26T08:00Z") from None
    at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(at.timestamp() * 1_000_000)
