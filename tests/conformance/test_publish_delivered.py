"""What Signalbox delivers, read by receivers built on the SDKs: rule, HTTP target, real worker, real sockets."""

from __future__ import annotations

import json
import subprocess
import threading
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from cloudevents.core.bindings import http as core_http
from cloudevents.v1.http import from_http as layer_from_http

from tests.conformance.published import EVENTS, Publisher, assert_same, started, whole
from tests.processes import Towns, eventually

SOURCE = "/delivered"
SUBSCRIBE = """
import json
from catalog.models import Bus, Team
from rules.models import Rule, Target
from rules.revisions import subscribe
for name, config, transform in json.loads({targets!r}):
    rule = Rule(name=name, bus=Bus.objects.get(), team=Team.objects.get(), pattern={{"source": [{source!r}]}})
    subscribe(rule, Target(name=name, connector="http", config=config, transform=transform))
"""
TEMPLATES = {
    "json-template": (
        '{"note": "${id}", "of": ${source}, "all": ${payload}}',
        {"id": "$.id", "source": "$.source", "payload": "$.data"},
        "application/json",
    ),
    "text-template": (
        "Event ${id} of ${source}",
        {"id": "$.id", "source": "$.source"},
        "text/plain; charset=utf-8",
    ),
}


@dataclass
class Delivery:
    """One request as the receiver saw it; header names in lower case."""

    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server that takes everything; what came, by path and CloudEvents id."""

    url: str = ""
    got: dict[str, dict[str, Delivery]] = field(default_factory=lambda: defaultdict(dict))
    requests: int = 0


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            assert len(headers) == len(self.headers), "a header is repeated"
            name = headers.get("ce-id") or json.loads(body)["id"]
            with lock:
                found.got[self.path.strip("/")][name] = Delivery(headers, body)
                found.requests += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def delivered(towns: Towns, receiver: Receiver) -> Iterator[dict[str, dict[str, Delivery]]]:
    """Every event of EVENTS, published once and delivered to a target of each kind; path -> id -> delivery."""
    targets: list[tuple[str, dict[str, str], dict[str, Any]]] = [
        (mode, {"url": f"{receiver.url}/{mode}", "mode": mode}, {"kind": "complete"})
        for mode in ("binary", "structured")
    ]
    targets += [
        (
            name,
            {"url": f"{receiver.url}/{name}"},
            {"kind": "template", "template": text, "variables": variables},
        )
        for name, (text, variables, _) in TEMPLATES.items()
    ]
    with towns.new() as town:
        publisher = started(town)
        code = SUBSCRIBE.format(targets=json.dumps(targets), source=SOURCE)
        town.manage("shell", "--no-imports", "-c", code)
        town.start("worker")
        publish(publisher)
        wanted = len(EVENTS) * len(targets)
        eventually(lambda: receiver.requests >= wanted, f"{wanted} deliveries arrive")
        yield receiver.got


def publish(publisher: Publisher) -> None:
    batch = []
    for name in EVENTS:
        event = whole(name, SOURCE)
        if isinstance(event.get("data"), bytes):
            event["data_base64"] = b64encode(event.pop("data")).decode()
        batch.append(event)
    status, answer = publisher.post({"content-type": "application/cloudevents-batch+json"}, json.dumps(batch))
    assert status == 202, answer


def assert_received(attributes: dict[str, Any], data: Any, name: str) -> None:
    wanted = whole(name, SOURCE)
    if isinstance(data, bytes) and isinstance(wanted.get("data"), str):
        data = data.decode()  # SDKs give text of a type they do not know as bytes; its content counts
    elif isinstance(data, str) and isinstance(wanted.get("data"), bytes):
        data = data.encode()
    assert_same({**attributes, **({} if data is None else {"data": data})}, wanted)


@pytest.mark.parametrize("mode", ["binary", "structured"])
@pytest.mark.parametrize("name", EVENTS)
def test_the_core_api_reads_it_attribute_by_attribute(
    delivered: dict[str, dict[str, Delivery]], mode: str, name: str
) -> None:
    found = delivered[mode][name]
    event = core_http.from_http_event(core_http.HTTPMessage(found.headers, found.body))
    assert_received(dict(event.get_attributes()), event.get_data(), name)


@pytest.mark.parametrize("mode", ["binary", "structured"])
@pytest.mark.parametrize("name", EVENTS)
def test_the_v1_layer_reads_it_attribute_by_attribute(
    delivered: dict[str, dict[str, Delivery]], mode: str, name: str
) -> None:
    found = delivered[mode][name]
    event = layer_from_http(found.headers, found.body)
    attributes = dict(event.get_attributes())
    if mode == "binary":  # The layer leaves percent escapes to its users.
        attributes = {attribute: unquote(value) for attribute, value in attributes.items()}
    assert_received(attributes, event.get_data(), name)


@pytest.mark.service("npm")
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_the_npm_sdk_reads_it_attribute_by_attribute(
    delivered: dict[str, dict[str, Delivery]], npm_folder: Path, mode: str
) -> None:
    sent = [
        {"headers": found.headers, "base64": b64encode(found.body).decode()}
        for found in delivered[mode].values()
    ]
    done = subprocess.run(
        ["node", "receive.js"],
        cwd=npm_folder,
        input=json.dumps(sent),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    events = {event["id"]: event for event in json.loads(done.stdout)}
    assert events.keys() == EVENTS.keys()
    for event in events.values():
        if "base64" in event:
            event["data"] = b64decode(event.pop("base64"))
        data = event.pop("data", None)
        if mode == "binary":
            event = {attribute: unquote(value) for attribute, value in event.items()}
            data = (
                json.loads(data) if event["id"] == "suffixed-json" else data
            )  # it parses application/json alone
        assert_received(event, data, event["id"])


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_each_delivery_has_an_id_of_its_own_and_counts_its_attempt(
    delivered: dict[str, dict[str, Delivery]], mode: str
) -> None:
    found = [delivery.headers for delivery in delivered[mode].values()]
    assert len({headers["webhook-id"] for headers in found}) == len(EVENTS)
    assert {headers["signalbox-attempt"] for headers in found} == {"1"}


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("name", EVENTS)
def test_what_a_template_made_arrives_with_its_content_type(
    delivered: dict[str, dict[str, Delivery]], template: str, name: str
) -> None:
    found = delivered[template][name]
    assert found.headers["content-type"] == TEMPLATES[template][2]
    if template == "text-template":
        assert found.body == f"Event {name} of {SOURCE}".encode()
    else:
        body = json.loads(found.body)
        data = EVENTS[name][1]
        assert (body["note"], body["of"]) == (name, SOURCE)
        if not isinstance(data, bytes):
            assert body["all"] == data
    # The attributes still say which event it came from.
    event = core_http.from_http_event(core_http.HTTPMessage(found.headers, found.body))
    attributes = dict(event.get_attributes())
    wanted = {
        name: value for name, value in whole(name, SOURCE).items() if name not in ("data", "dataschema")
    }
    assert_same(attributes, {**wanted, "datacontenttype": TEMPLATES[template][2]})
