"""Delivery with filter and transform on one core, against wrk on that core posting the same bytes to the same target.

By the clock, which holds on a machine that does nothing else; and by processor time, which holds on a busy one too: sender
and target have a core each, so the one that needs more of its own for a request sets the rate.
"""

from __future__ import annotations

import re
import resource
import shutil
import statistics
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks import backlog
from tests.benchmarks.figures import figure, note
from tests.benchmarks.servers import on_core, sink_process
from tests.benchmarks.usage import processor_time
from tests.processes import Towns

REPETITIONS = 5
EVENTS = 20_000
SECONDS = 3
CONNECTIONS = 64  # as many as a target has on the way at most
OURS, SINKS = 0, 1  # cores: the sender is alone on its own
TOLD = """
done = function(summary, latency, requests)
  local e = summary.errors
  print(string.format("DONE %d %d %d", summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout))
end
"""


class Sent(NamedTuple):
    """One request as a target receives it."""

    headers: list[tuple[str, str]]
    body: str


def run(towns: Towns) -> None:
    """Prints the figure."""
    if shutil.which("wrk") is None:
        note(
            "delivery, of wrk, is not measured: there is no wrk here (on Debian and Ubuntu: apt-get install wrk)"
        )
        return
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    script = _script(towns)
    for repetition in range(REPETITIONS):
        note(f"delivery, of wrk, {repetition + 1} of {REPETITIONS}")
        with sink_process(SINKS) as (port, pid), towns.new() as town:
            backlog.store(
                town, port, EVENTS, pattern=backlog.FILTER, transform=backlog.TRANSFORM, mode="binary"
            )
            path = town.var / "post.lua"
            path.write_text(script)
            before = processor_time(pid)
            ours.append(backlog.delivered(town, EVENTS, OURS))
            between = processor_time(pid)
            ours[-1]["target_us"] = (between - before) / EVENTS * 1e6
            theirs.append(_wrk(port, path))
            theirs[-1]["target_us"] = (processor_time(pid) - between) / theirs[-1]["count"] * 1e6
    name = "delivery with filter and transform, of wrk, one core each"
    against = f"wrk, 1 thread, {CONNECTIONS} connections, posting the same bytes to the same target, recording nothing"
    figure(name, [one["rate"] for one in ours], [one["rate"] for one in theirs], against, 0.4, "deliveries/s")
    spent: dict[str, Any] = {
        f"{whose}_{what}": round(statistics.median(one[what] for one in runs), 1)
        for whose, runs in (("our", ours), ("reference", theirs))
        for what in ("cpu_us", "target_us")
    }
    figure(f"{name}, by processor time", [_limit(one) for one in ours], [_limit(one) for one in theirs],
           against, 0.4, "deliveries per second of the core that limits", **spent)  # fmt: skip


def _limit(found: dict[str, float]) -> float:
    return 1e6 / max(found["cpu_us"], found["target_us"])


def _wrk(port: int, script: Path) -> dict[str, float]:
    url = f"http://127.0.0.1:{port}/hook"
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "-s", str(script), url]
    before = _of_children()
    done = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=on_core(OURS))
    spent = _of_children() - before
    found = re.search(r"DONE (\d+) (\d+) (\d+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    count, micros, errors = map(int, found.groups())
    assert not errors, done.stdout
    return {"count": count, "rate": count / micros * 1e6, "cpu_us": spent / count * 1e6}


def _of_children() -> float:
    """Seconds of processor time of children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _script(towns: Towns) -> str:
    """For wrk: one request, the one that a target is really sent."""
    with _receiver() as (port, requests), towns.new() as town:
        backlog.store(town, port, 1, pattern=backlog.FILTER, transform=backlog.TRANSFORM, mode="binary")
        backlog.delivered(town, 1)
        sent = requests[0]
    assert '"order": "order-0"' in sent.body, sent.body
    lines = ['wrk.method = "POST"', f"wrk.body = {_lua(sent.body)}"]
    lines += [
        f"wrk.headers[ {_lua(name)} ] = {_lua(value)}"
        for name, value in sent.headers
        if name.lower() not in ("host", "content-length")  # wrk writes them itself
    ]
    return "\n".join(lines) + TOLD


def _lua(text: str) -> str:
    assert "]==]" not in text
    return f"[==[{text}]==]"


@contextmanager
def _receiver() -> Iterator[tuple[int, list[Sent]]]:
    """A target that keeps what it is sent."""
    requests: list[Sent] = []

    class Keeper(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            requests.append(Sent(list(self.headers.items()), body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Keeper)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
