"""Rules and deliveries in a browser: subscribe, publish, watch it arrive; the live feed over its real socket."""

from __future__ import annotations

import json
import time

import pytest
from playwright.sync_api import Page, expect

from delivery.tracking.words import State
from tests.browser.conftest import sideways
from tests.processes import Town, eventually
from tests.recorded import attempts

SCHEMA = {
    "type": "object",
    "required": ["order_id", "currency"],
    "properties": {
        "order_id": {"type": "string"},
        "currency": {"type": "string"},
        "total": {"type": "number"},
    },
}
ROWS = f"""
import json
from catalog.models import *
team, bus = Team.objects.get(slug="checkout"), Bus.objects.get(name="main")
domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", hue=0, team=team)
source = Source.objects.create(name="Shop", slug="shop", uri="/shop/checkout", bus=bus, team=team)
made = EventType.objects.create(name="order.placed", summary="A customer ordered.", domain=domain, team=team)
made.sources.add(source)
SchemaVersion.objects.create(event_type=made, number=1, schema={json.dumps(SCHEMA)!r}, example='{{"order_id": "1", "currency": "SEK"}}')
print(Token.issue(name="tests", bus=bus, team=team)[1])
"""
# A rule with a target that nothing listens at, which retries, and one whose dead letter is certain.
FAILING = """
from catalog.models import *
from rules.models import *
from rules.revisions import subscribe
rule = Rule(name="To nowhere", bus=Bus.objects.get(name="main"), team=Team.objects.get(slug="checkout"), pattern={"type": ["order.refused"]})
config = {"url": "http://127.0.0.1:%d/", "timeout": 1}
subscribe(rule, Target(name="Nowhere", connector="http", config=config, transform={"kind": "complete"}, max_attempts=1))
"""


@pytest.fixture(scope="module")
def token(console: Town) -> str:
    found = console.manage("shell", "-c", ROWS).strip().splitlines()[-1]
    console.manage("shell", "-c", FAILING % _closed_port())
    return found


def _closed_port() -> int:
    from tests.processes import free_port

    return free_port()


def publish(console: Town, token: str, number: str, **attributes: object) -> int:
    """Publishes one order through the real ingest; returns its seq."""
    event = {
        "specversion": "1.0",
        "id": number,
        "source": "/shop/checkout",
        "type": "order.placed",
        "subject": number,
        "data": {"order_id": number, "currency": "SEK", "total": 12.5},
    } | attributes
    answer = console.request(
        "POST",
        "/v1/buses/main/events",
        json.dumps(event),
        {"authorization": f"Bearer {token}", "content-type": "application/cloudevents+json"},
    )
    assert answer.status == 202, answer.body
    return int(answer.json()["accepted"][0]["seq"])  # type: ignore[index]


def subscribe(console: Town, page: Page, name: str) -> None:
    page.goto(f"{console.url}/subscribe/?type=order.placed")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Start listening").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_a_subscription_shows_its_first_event_without_a_reload(console, visit, token):
    page = visit()
    subscribe(console, page, "Watched orders")
    page.goto(f"{console.url}/bins/")
    page.get_by_role("link", name="Request bin of Watched orders", exact=True).first.click()
    expect(page.get_by_text("Waiting for its first request.")).to_be_visible()
    page.evaluate("window.stayed = true")
    page.wait_for_timeout(500)
    publish(console, token, "order-1001")
    expect(page.locator("details.request")).to_have_count(1)
    expect(page.locator("details.request")).to_contain_text("order-1001")
    expect(page.get_by_text("Waiting for its first request.")).to_have_count(0)
    page.locator("details.request summary").click()
    expect(page.locator("details.request")).to_contain_text("ce-type")
    assert page.evaluate("window.stayed") is True


def test_a_delivery_appears_in_the_tail_and_leads_to_its_journey(console, visit, token):
    page = visit()
    subscribe(console, page, "Tailed orders")
    page.goto(f"{console.url}/deliveries/")
    expect(page.locator("#live-rate")).to_be_visible()
    seq = publish(console, token, "order-1002")
    row = page.locator(f"#tail tr:has(a[href^='/journey/{seq}/'])").first
    expect(row).to_contain_text("200")
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=2).first).to_contain_text("It reached")
    expect(page.locator(".trace")).to_contain_text("Request bin")
    expect(page.get_by_text("Everything about order-1002")).to_have_count(0)


def test_a_dead_letter_is_said_first_redriven_and_explained(console, visit, token):
    page, beside = visit(), visit(phone=True)
    beside.goto(console.url)
    badge = beside.locator(".nav [data-live='dead-letters']")
    expect(badge).to_be_hidden()
    expect(beside.locator("#live-rate")).to_be_visible()
    seq = publish(console, token, "order-2001", type="order.refused")
    expect(badge).to_have_text("1")
    expect(badge).to_be_visible()
    page.goto(f"{console.url}/targets/")
    eventually(lambda: _dead(console) == 1, "the target gives up")
    page.goto(f"{console.url}/deliveries/")
    expect(page.locator(".need").first).to_contain_text("Nowhere has not taken 1 event")
    page.goto(f"{console.url}/journey/{seq}/")
    expect(page.locator(".answer h2")).to_contain_text("Given up after 1 try: Nowhere did not answer.")
    page.get_by_role("button", name="Redrive this one to Nowhere only").click()
    expect(page.locator(".toast")).to_contain_text("1 event goes out again.")
    eventually(lambda: _attempts(console, seq) == 2, "it was tried again")
    expect(badge).to_have_text("1")
    page.goto(f"{console.url}/journey/{seq}/")
    expect(page.locator("#sent .seg a")).to_have_count(2)


def _dead(console: Town) -> int:
    return int(console.query("SELECT COUNT(*) FROM runner_exception WHERE state = %s", int(State.DEAD))[0][0])


def _attempts(console: Town, seq: int) -> int:
    return sum(one.seq == seq for one in attempts(console.query))


def test_pausing_holds_the_feed_and_resuming_fills_the_gap(console, visit, token):
    page = visit()
    subscribe(console, page, "Paused orders")
    page.goto(f"{console.url}/deliveries/")
    expect(page.locator("#live-rate")).to_be_visible()
    page.get_by_role("button", name="Pause updates").click()
    expect(page.get_by_role("button", name="Resume updates")).to_be_visible()
    seq = publish(console, token, "order-1003")
    eventually(lambda: _attempts(console, seq) >= 1, "it was delivered")
    page.wait_for_timeout(600)
    expect(page.locator(f"#tail a[href^='/journey/{seq}/']")).to_have_count(0)
    page.get_by_role("button", name="Resume updates").click()
    expect(page.locator(f"#tail a[href^='/journey/{seq}/']").first).to_be_visible()


def test_the_wire_of_the_marketplace_is_alive(console, visit, token):
    page = visit()
    page.goto(console.url)
    expect(page.locator("#live-rate")).to_be_visible()
    seq = publish(console, token, "order-1004")
    expect(page.locator(f".wire a[href='/journey/{seq}/']")).to_be_visible()


def test_an_event_of_one_s_own_stays_on_the_wire_while_others_send_more(console, visit, token):
    page = visit()
    page.goto(console.url)
    expect(page.locator("#live-rate")).to_be_visible()
    mine = publish(console, token, "my-first-event", source="/my/terminal")
    expect(page.locator(f".wire a[href='/journey/{mine}/']")).to_be_visible()
    for number in range(20):
        last = publish(console, token, f"order-11{number:02}")
    expect(page.locator(f".wire a[href='/journey/{last}/']")).to_be_visible()
    expect(page.locator(".wire li")).to_have_count(12)
    expect(page.locator(f".wire a[href='/journey/{mine}/']")).to_be_visible()
    page.reload()
    expect(page.locator(f".wire a[href='/journey/{mine}/']")).to_be_visible()


def test_a_double_click_sends_one_event(console, visit, token):
    page = visit()
    page.goto(f"{console.url}/events/order.placed/publish/")
    page.get_by_label("Subject").fill("double")
    page.get_by_role("button", name="Send the event").dblclick()
    expect(page.get_by_text("Accepted.")).to_be_visible()
    assert console.query("SELECT COUNT(*) FROM log_event WHERE subject = 'double'") == [(1,)]


def test_a_lost_connection_comes_back_and_nothing_is_missed(console, visit, token):
    page = visit()
    subscribe(console, page, "Reconnected orders")
    sockets = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.goto(f"{console.url}/deliveries/")
    expect(page.locator("#live-rate")).to_be_visible()
    opened = len(sockets)  # the page before may have opened its own late
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true}); document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.wait_for_timeout(1000)
    assert sockets[-1].is_closed()  # a hidden tab lets its socket go
    seq = publish(console, token, "order-1005")
    eventually(lambda: _attempts(console, seq) >= 1, "it was delivered")
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: false, configurable: true}); document.dispatchEvent(new Event('visibilitychange'))"
    )
    expect(page.locator(f"#tail a[href^='/journey/{seq}/']").first).to_be_visible()
    expect(page.locator("#live-note")).to_have_text("Reconnected, 1 event since")
    assert len(sockets) == opened + 1


def test_charts_lead_to_events_and_to_a_closer_look(console, visit, token):
    page = visit()
    subscribe(console, page, "Charted orders")
    seq = publish(console, token, "order-1006")
    eventually(lambda: _attempts(console, seq) >= 1, "it was delivered")
    page.goto(f"{console.url}/deliveries/?range=15m")
    chart = page.locator("time-chart").first
    box = chart.bounding_box()
    assert box is not None
    right, middle = box["x"] + box["width"] * 0.98, box["y"] + box["height"] * 0.4
    page.mouse.move(right, middle)
    said = page.locator("p[data-said]").first
    expect(said).to_contain_text(" delivered, ")
    page.mouse.move(box["x"] + box["width"] * 0.8, middle)  # three minutes: shown with those before them
    page.mouse.down()
    page.mouse.move(right, middle, steps=5)
    page.mouse.up()
    page.wait_for_url(lambda url: "from=" in url and "to=" in url)
    expect(page.locator(".chosen .facet")).to_contain_text("UTC")
    page.goto(f"{console.url}/deliveries/?range=15m")
    page.mouse.click(right, middle)
    page.wait_for_url(lambda url: "/find/?since=" in url)
    page.goto(f"{console.url}/deliveries/?range=15m")
    page.get_by_role("link", name="Table").first.click()
    expect(page.locator("#figures tbody tr")).to_have_count(15)
    page.get_by_role("link", name="Charts", exact=True).click()
    expect(page.locator("time-chart")).to_have_count(2)


def test_the_filter_takes_a_target_and_a_time(console, visit, token):
    page = visit(phone=True)
    subscribe(console, page, "Filtered orders")
    page.goto(f"{console.url}/deliveries/")
    page.locator("details.drop > summary").click()
    page.get_by_label("Target", exact=True).select_option(label="Nowhere")
    page.get_by_label("From (UTC)").fill("2026-01-01T10:00")
    page.get_by_label("To (UTC)").fill("2026-01-01T10:05")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".drop .err")).to_contain_text("at least 15 minutes")
    page.get_by_label("To (UTC)").fill("2026-01-02T10:00")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".chosen .facet")).to_have_count(2)
    assert sideways(page) == 0


def test_a_burst_does_not_flood_the_page(console, visit, token):
    page = visit()
    messages: list[float] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda _text: messages.append(time.monotonic())),
    )
    page.goto(f"{console.url}/deliveries/?show=all")
    expect(page.locator("#live-rate")).to_be_visible()
    began = time.monotonic()
    for number in range(6):
        batch = [
            {
                "specversion": "1.0",
                "id": f"burst-{number}-{n}",
                "source": "/shop/checkout",
                "type": "burst",
                "subject": str(n),
            }
            for n in range(500)
        ]
        answer = console.request(
            "POST", "/v1/buses/main/events", json.dumps(batch),
            {"authorization": f"Bearer {token}", "content-type": "application/cloudevents-batch+json"},
        )  # fmt: skip
        assert answer.status == 202
    page.goto(console.url)
    expect(page.locator(".wire li")).to_have_count(12)
    passed = time.monotonic() - began
    assert len(messages) <= 4 * (passed + 1) + 8


UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def test_a_stranger_and_another_origin_get_no_socket(console, session):
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in session["cookies"])
    own = UPGRADE | {"origin": console.url, "cookie": cookie}
    assert console.request("GET", "/ws/console/", headers=own).status == 101
    assert console.request("GET", "/ws/console/", headers=own | {"cookie": ""}).status == 403
    assert (
        console.request("GET", "/ws/console/", headers=own | {"origin": "http://elsewhere.test"}).status
        == 403
    )


def test_the_preview_follows_the_keys(console, visit, token):
    publish(console, token, "order-3001")
    publish(console, token, "order-3002", data={"order_id": "order-3002", "currency": "EUR"})
    page = visit()
    page.goto(f"{console.url}/subscribe/?type=order.placed")
    expect(page.locator("#preview .verdict")).to_contain_text("would have gone")
    page.get_by_role("button", name="Condition", exact=True).click()
    page.get_by_label("Field", exact=True).fill("data.currency")
    page.get_by_label("Values, with commas between").fill("EUR")
    expect(page.locator("#preview")).to_contain_text('currency is "SEK", the rule wants "EUR"')
    expect(page.locator("#row-0-pass")).to_contain_text("%")
    page.get_by_role("button", name="JSON", exact=True).click()
    pattern = page.get_by_label("Pattern")
    expect(pattern).to_have_value(
        json.dumps({"type": ["order.placed"], "data": {"currency": ["EUR"]}}, indent=2)
    )
    pattern.fill('{\n  "data": {"currency": "EUR"}\n}')
    expect(page.locator("#pattern-problems")).to_contain_text("Line 2, /data/currency")
    expect(page.locator("#pattern-area pre .bad")).to_have_count(1)
    pattern.fill('{"type": ["order.placed"], "data": {"currency": [{"prefix": "E"}]}}')
    expect(page.locator("#pattern-problems")).to_be_empty()
    page.get_by_role("button", name="Conditions", exact=True).click()
    expect(page.get_by_role("region", name="Keep only").get_by_label("Method", exact=True)).to_have_value(
        "prefix"
    )


def test_the_template_is_completed_from_the_schema(console, visit, token):
    page = visit()
    page.goto(f"{console.url}/subscribe/?type=order.placed")
    page.get_by_text("Template", exact=True).click()
    template = page.get_by_role("textbox", name="Template")
    template.fill("")
    template.press_sequentially('{"n": "${data.ord')
    expect(page.get_by_role("option", name="data.order_id")).to_be_visible()
    template.press("Enter")
    expect(template).to_have_value('{"n": "${data.order_id}"}')
    expect(page.locator("#preview .io")).to_contain_text("content-type: application/json")


def test_subscribing_works_without_javascript(console, visit, token):
    page = visit(script=False)
    page.goto(f"{console.url}/subscribe/?type=order.placed")
    page.get_by_role("button", name="Condition", exact=True).click()
    page.get_by_label("Field", exact=True).fill("data.currency")
    page.get_by_label("Values, with commas between").fill("SEK")
    page.get_by_label("Name", exact=True).fill("Without script")
    page.get_by_role("button", name="Start listening").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Without script")
    page.goto(f"{console.url}/deliveries/")
    expect(page.get_by_text("As they happen")).to_be_visible()


def test_nothing_that_matters_is_cut_off_on_a_phone(console, visit, token):
    page = visit(phone=True)
    seq = publish(console, token, "order-3001", type="nobody.listens")
    for path, matters in [
        (f"/journey/{seq}/", ".why-table td"),
        ("/settings/tokens/", "button:has-text('Revoke')"),
        ("/rules/", ".stacks td"),
        ("/deliveries/", ".dash .chart"),
    ]:
        page.goto(console.url + path)
        page.wait_for_timeout(300)
        rights = page.locator(matters).evaluate_all(
            "found => found.map(one => one.getBoundingClientRect()).filter(box => box.width).map(box => box.right)"
        )
        assert rights, path
        assert max(rights) <= 390, path
    page = visit(phone=True, signed_in=False)
    page.goto(f"{console.url}/sign-in/")
    expect(page.locator(".brand")).to_be_visible()
