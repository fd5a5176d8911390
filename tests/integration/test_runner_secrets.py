"""A target that tells what it was sent gets none of its secrets on record."""

from __future__ import annotations

import http.server
import logging
import threading
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from delivery.tracking.words import State
from rules.models import Target
from tests.databases import Database
from tests.events import a_target
from tests.integration.sink import exceptions, on_duty, publish, rows
from tests.processes import eventually

SECRETS = ("pass-w0rd", "pass%2Dw0rd", "cm9ib3Q6cGFzcy13MHJk", "k3y-of-the-house")


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = f"Not with {self.headers['authorization']} and {self.headers['x-api-key']}.".encode()
        self.send_response(404 if self.path == "/away" else 422)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def port(log_database: Database) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def config(port: int, path: str = "") -> dict[str, object]:
    return {
        "url": f"http://robot:pass%2Dw0rd@127.0.0.1:{port}/{path}",
        "headers": {"X-Api-Key": "k3y-of-the-house"},
    }


def told(text: object) -> list[str]:
    return [secret for secret in SECRETS if secret in str(text)]


def test_attempts_and_dead_letters_hold_the_answer_without_secrets(port: int) -> None:
    target = a_target(config=config(port))
    publish([target.pk], ("e0", "A"))
    with on_duty():
        eventually(lambda: list(exceptions(target.pk).values()) == [State.DEAD], "it is a dead letter")
    kept = rows("SELECT reason, response FROM attempt") + rows(
        "SELECT reason, response, request FROM runner_exception"
    )
    assert "Not with Basic •••• and ••••." in str(kept)
    assert told(kept) == []


def test_the_reason_of_a_stop_holds_no_secrets(port: int) -> None:
    target = a_target(config=config(port, "away"))
    publish([target.pk], ("e0", "A"))
    with on_duty():
        eventually(lambda: Target.objects.get().state == Target.State.STOPPED, "it is stopped")
    reason = Target.objects.get().state_reason
    assert "Not with Basic ••••" in reason
    assert told(reason) == []


@pytest.mark.parametrize("method", ["send", "open"])
def test_a_connector_that_raises_its_secret_tells_it_nobody(
    port: int, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    target = a_target(config=config(port), max_attempts=1)

    async def fails(self: object, *arguments: object) -> None:
        raise OSError("no way to robot:pass-w0rd with k3y-of-the-house")

    publish([target.pk], ("e0", "A"))
    where = f"delivery.connectors.http.target.HTTPTarget.{method}"
    with patch(where, fails), caplog.at_level(logging.ERROR), on_duty():
        eventually(lambda: exceptions(target.pk) != {} or Target.objects.get().state != "running", "it fails")
    assert "no way to ••••" in caplog.text
    assert "Traceback" in caplog.text
    kept = [*rows("SELECT reason FROM attempt"), (Target.objects.get().state_reason,)]
    assert "no way to ••••" in str(kept)
    assert told(caplog.text) == told(kept) == []
