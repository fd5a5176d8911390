"""What the editor sends to be tried on past events, and events to try it on."""

from __future__ import annotations

import html
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from django.test import Client

from catalog.models import Bus, Team
from tests.integration import rows as write


class Received(NamedTuple):
    """One request."""

    headers: list[tuple[str, str]]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """A server on the loopback that keeps what it is sent and answers 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[Received] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(Received(self.headers.items(), body))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing."""


SCRIPT = {"HX-Request": "true"}


MINUTE = 60_000_000


def order(bus: Bus, number: int, amount: float, ago: int = 0, **attributes: Any) -> int:
    """Stores an order received `ago` minutes ago; its seq."""
    data = {"n": number, "total": {"amount": amount}, "lines": [{"sku": "a"}, {"sku": "b"}]}
    values = {"id": f"e{number}", "subject": f"o-{number}", "data": data} | attributes
    return write.store(bus.pk, at=write.now() - ago * MINUTE, **values)


def form(bus: Bus, **values: Any) -> dict[str, Any]:
    """What the editor sends."""
    return {
        "name": "Large orders", "bus": bus.pk, "team": Team.objects.get(slug="shop").pk, "type": ["order.placed"],
        "mode": "rows", "place": [""], "path": ["data.total.amount"], "method": ["number"], "values": ["≥ 500"],
        "send": "template", "template": '{"ref": "${data.n}"}', "deliver": "connector:http",
        "config-http-url": "http://127.0.0.1:8999/hook?key=s3cret", "target-name": "Billing",
    } | values  # fmt: skip


def look(someone: Client, bus: Bus, **values: Any) -> Any:
    return someone.post("/rules/preview/", form(bus, **values), headers=SCRIPT)


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


SCHEMA = {
    "type": "object",
    "properties": {"ref": {"type": "integer"}, "amount": {"type": "number", "maximum": 1000}},
    "required": ["ref", "amount"],
}


OPENAPI = """
openapi: 3.1.0
info: {title: Billing, version: "1"}
paths:
  /invoices:
    post:
      operationId: makeInvoice
      requestBody: {content: {application/json: {schema: {type: object, required: [amount], properties: {amount: {type: number}, note: {type: string}}}}}}
      responses: {"200": {description: ok}}
"""
