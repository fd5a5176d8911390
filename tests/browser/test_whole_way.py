"""The whole way of an event as a person goes it: sign in, register a type, subscribe, post with curl, see it delivered."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import NAME, PASSWORD
from tests.processes import Town

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "ticket": {"type": "string", "description": "The ticket's number"},
        "seats": {"type": "integer", "minimum": 1},
    },
    "required": ["ticket", "seats"],
}
EXAMPLE = {"ticket": "T-1", "seats": 2}


def curl(console: Town, token: str, event: dict[str, object]) -> tuple[int, dict[str, object]]:
    """Posts `event` as a person would; the status and the answer."""
    done = subprocess.run(
        [
            "curl", "-s", "-w", "\n%{http_code}", f"{console.url}/v1/buses/main/events",
            "-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/cloudevents+json",
            "-d", json.dumps(event),
        ],
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def test_a_person_registers_subscribes_publishes_and_sees_it_delivered(
    console: Town, visit: Callable[..., Page], chromium: Browser
) -> None:
    page = visit(signed_in=False)
    page.goto(console.url)
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Marketplace")).to_be_visible()

    # Register an event type with a JSON Schema.
    page.goto(f"{console.url}/events/new/")
    page.locator("[name=name]").fill("cinema.seats.booked")
    page.locator("[name=summary]").fill("Somebody booked seats.")
    page.get_by_text("New domain").first.click()
    page.locator("[name=new_domain]").fill("Cinema")
    page.locator("[name=schema]").fill(json.dumps(SCHEMA, indent=2))
    page.locator("[name=example]").fill(json.dumps(EXAMPLE))
    page.get_by_role("button", name=re.compile("Register")).click()
    expect(page.get_by_role("heading", name="cinema.seats.booked")).to_be_visible()
    expect(page.get_by_role("cell", name="The ticket's number")).to_be_visible()

    # Subscribe, into the request bin that is offered.
    page.get_by_role("link", name="Subscribe").first.click()
    page.get_by_role("button", name="Start listening").first.click()
    expect(page.get_by_role("heading", name=re.compile("cinema.seats.booked"))).to_be_visible()

    # A token from the settings, shown once.
    page.goto(f"{console.url}/settings/tokens/")
    page.locator("[name=name]").fill("Box office")
    page.get_by_role("button", name=re.compile("token", re.IGNORECASE)).first.click()
    token = re.search(r"sbx_[0-9a-f]+_[\w-]+", page.content())
    assert token is not None, "the new token is not shown"

    event = {
        "specversion": "1.0",
        "id": "booking-1",
        "source": "/cinema/box-office",
        "type": "cinema.seats.booked",
        "subject": "T-1",
        "data": EXAMPLE,
    }
    status, answer = curl(console, token[0], event)
    assert status == 202, answer
    status, refused = curl(console, token[0], {**event, "id": "booking-2", "data": {"ticket": "T-2"}})
    assert status == 422
    assert "seats" in str(refused["detail"])

    # It arrived in the bin, and its journey says so.
    page.goto(f"{console.url}/bins/")
    page.locator("td a.strong").first.click()
    expect(page.get_by_text("booking-1").first).to_be_visible()
    accepted = answer["accepted"]
    assert isinstance(accepted, list)
    page.goto(f"{console.url}/journey/{accepted[0]['seq']}/")
    expect(page.get_by_role("heading", name=re.compile("reached", re.IGNORECASE)).first).to_be_visible()
