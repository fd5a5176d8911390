"""Every page and every list of the API, from the URLconf, asked for in one process with Django's test client.

Each takes (processor time, time that passed) in milliseconds. The former is of this process and of the PostgreSQL process
that serves it: it says what a page costs however busy the machine is.

Runs inside `manage.py shell` on the database that multitude.py made.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPETITIONS = 5
DOWNLOADS = ("export-",)
# Asked for besides what the URLconf has: pages that show something else by their query.
QUERIES = {
    "marketplace": ["view=table", "show=quiet", "q=refund"],
    "deliveries": ["range=15m", "range=24h"],
    "tail": ["failed=1"],
    "map": ["range=24h"],
    "find": ["q=evt-00012345", "q=nothing-like-it"],
    "discovery": ["view=drift"],
    "changes": ["kind=added"],
}


def routes(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(route, pattern) of every URL."""
    from django.urls import URLPattern, URLResolver, get_resolver

    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern


def addresses(first: str) -> Iterator[tuple[str, str]]:
    """(name, URL) of everything that can be asked for, with what the database has in each place of a route."""
    from django.db import connection

    from catalog.models import Source
    from delivery.models import RequestBin
    from rules.models import Rule, Target

    with connection.cursor() as cursor:
        cursor.execute("SELECT target, seq FROM runner_exception WHERE state = 3 ORDER BY seq DESC LIMIT 1")
        troubled, dead = cursor.fetchone()
    # By the word before the place: the newest dead letter's target, the rule that takes everything, and so on.
    after: dict[str, Any] = {
        "targets": troubled, "rules": Rule.objects.latest("pk").pk, "journey": dead, "bins": RequestBin.objects.get().pk,
        "events": first, "event-types": first, "schemas": first, "versions": 1, "sources": Source.objects.first().slug,
        "buses": "main", "teams": "checkout", "domains": "domain-0", "types": "java", "history": 1,
    }  # fmt: skip
    for route, pattern in routes():
        name = pattern.name or route
        missing = False

        def place(found: re.Match[str]) -> str:
            nonlocal missing
            value = after.get(found[1])
            missing = missing or value is None
            return f"{found[1]}/{value}"

        url = "/" + re.sub(r"([a-z-]+)/<\w+:\w+>", place, route)
        if missing or "<" in url:
            yield name, ""
            continue
        if name == "schema-version":
            url = f"/schemas/{first}/1"
        yield name, url
        for query in QUERIES.get(name, ()):
            yield f"{name}?{query}", f"{url}?{query}"
        if name in ("target", "dead-letters"):
            busiest = Target.objects.latest("pk").pk
            yield f"{name}, the one that takes everything", f"/targets/{busiest}/"
            yield "dead-letters, of a target", f"/dead-letters/?target={troubled}"


def visit(first: str) -> None:
    """Asks for each of them a few times and prints the times, and what could not be asked for."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1", raise_request_exception=False)
    client.force_login(get_user_model()._default_manager.get(username="bench"))
    times: dict[str, list[tuple[float, float]]] = {}
    left: dict[str, str] = {}
    for name, url in addresses(first):
        if not url:
            left[name] = "nothing for a place in its route"
            continue
        if name.startswith(DOWNLOADS):
            left[name] = "a file of the whole catalog: its time grows with the types, not with the events"
            continue
        took = []
        for _ in range(REPETITIONS + 1):
            clock = Clock()
            answer = client.get(url)
            b"".join(answer.streaming_content) if answer.streaming else answer.content
            took.append(clock.passed())
            if answer.status_code not in (200, 302):
                break
        if answer.status_code in (200, 302):
            times[f"{name} {url}"] = took[1:]
        elif answer.status_code != 405:
            left[f"{name} {url}"] = f"{answer.status_code}"
    print("TIMES", json.dumps([times, left]))


def find(events: int, count: int) -> None:
    """Looks up events by id, as a person pastes it, and opens the journey of each; prints the times."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(get_user_model()._default_manager.get(username="bench"))
    draw = random.Random(3)
    took = []
    for number in range(count + 3):
        seq = draw.randrange(1, events + 1)
        clock = Clock()
        answer = client.get("/find/", {"q": f"evt-{seq:08}"})
        assert answer.status_code == 302, answer.status_code
        assert answer.url.startswith(f"/journey/{seq}/"), answer.url
        page = client.get(answer.url)
        passed = clock.passed()
        assert page.status_code == 200
        assert f"evt-{seq:08}" in page.content.decode()
        if number >= 3:
            took.append(passed)
    print("TIMES", json.dumps(took))


class Clock:
    """Begins to measure when it is made."""

    def __init__(self) -> None:
        self._before = time.perf_counter(), time.process_time(), _of_the_server()

    def passed(self) -> tuple[float, float]:
        """(processor time, time that passed) since then, in milliseconds."""
        began, ours, theirs = self._before
        busy = time.process_time() - ours + _of_the_server() - theirs
        return busy * 1000, (time.perf_counter() - began) * 1000


def _of_the_server() -> float:
    """Seconds of processor time that this connection's PostgreSQL process on this machine has had; 0 on SQLite."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
