"""`.venv/bin/python -m tests.lighthouse`: Lighthouse's marks for the marketplace, the deliveries and the rule editor.

Starts a demo of its own and installs Lighthouse from npm beside this file on first use. Says so and stops when npm is
not there. Exit status 1 when a mark is below LEAST.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests import services
from tests.demo import FLAGS, chromium, living_demo, sign_in
from tests.npm import installed
from tests.processes import free_port

LEAST = {"performance": 95, "accessibility": 100, "best-practices": 95}
PAGES = {"Marketplace": "/", "Deliveries": "/deliveries/", "Rule editor": "/rules/{rule}/edit/"}
# Whatever else the machine does takes marks away and gives none: the first time that is good enough counts.
ATTEMPTS = 3
DEVICES = {"phone": [], "desk": ["--preset=desktop"]}
TOLD = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift",
        "total-byte-weight")  # fmt: skip


def main() -> int:
    """Prints a line per page and device; returns the exit status."""
    if sentence := services.missing("npm"):
        print(f"SKIPPED: {sentence}, and Lighthouse comes from there.", file=sys.stderr)
        return 1 if services.required() else 0
    try:
        folder = installed(Path(__file__).parent)
    except AssertionError as error:
        print(f"SKIPPED: Lighthouse could not be installed. {error}", file=sys.stderr)
        return 1 if services.required() else 0
    path, port, failed = chromium(), free_port(), False
    with (
        living_demo(rate=2) as (town, places),
        sync_playwright() as playwright,
        tempfile.TemporaryDirectory(prefix="signalbox-lighthouse-") as profile,
    ):
        browser = playwright.chromium.launch_persistent_context(
            profile, executable_path=path, args=[*FLAGS, f"--remote-debugging-port={port}"]
        )
        ours = browser.new_page()
        sign_in(town, ours)
        network = browser.new_cdp_session(ours)
        ours.goto("about:blank")
        for device, flags in DEVICES.items():
            for name, page in PAGES.items():
                for _attempt in range(ATTEMPTS):
                    network.send("Network.clearBrowserCache")  # the cookies stay
                    report = audit(folder, town.url + page.format_map(places), port, flags)
                    marks = {key: round(one["score"] * 100) for key, one in report["categories"].items()}
                    low = {key for key, mark in marks.items() if mark < LEAST[key]}
                    if not low:
                        break
                failed |= bool(low)
                figures = ", ".join(
                    report["audits"][one]["displayValue"].replace("\xa0", " ") for one in TOLD
                )
                print(f"{name}, {device}: {marks}{'  BELOW' if low else ''}  {figures}", flush=True)
                for line in lost(report, low):
                    print(f"    {line}")
        browser.close()
    return 1 if failed else 0


def audit(folder: Path, url: str, port: int, flags: list[str]) -> dict[str, Any]:
    """Lighthouse's report on one address, in the browser that listens on `port` and has signed in."""
    command = ["node", "node_modules/.bin/lighthouse", url, f"--port={port}", "--disable-storage-reset", "--quiet",
               "--output=json", f"--only-categories={','.join(LEAST)}", *flags]  # fmt: skip
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "CI": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["finalDisplayedUrl"] == url, f"{report['finalDisplayedUrl']} was shown, not {url}"
    return report


def lost(report: dict[str, Any], categories: set[str]) -> list[str]:
    """What took marks away in `categories`, as sentences."""
    return [
        f"{key}: {audit['title']} ({audit.get('displayValue', '')})"
        for key in sorted(categories)
        for one in report["categories"][key]["auditRefs"]
        if one["weight"] and ((audit := report["audits"][one["id"]])["score"] or 0) < 0.9
    ]


if __name__ == "__main__":
    sys.exit(main())
