"""Registering from a pasted example, and reading what a new version would break, in a browser."""

from __future__ import annotations

import json

from playwright.sync_api import expect

EVENT = {
    "specversion": "1.0",
    "id": "1",
    "type": "invoice.overdue",
    "source": "/billing",
    "data": {"invoice_id": "inv-1", "customer": {"email": "a@example.com"}, "due": 12.5},
}


def test_a_type_is_registered_from_an_example_and_a_break_is_shown_before_it_is_saved(
    console, visit, accessibility
):
    page = visit()
    page.goto(f"{console.url}/events/new/")
    page.get_by_label("Paste anything").fill('{"specversion": "1.0",}')
    expect(page.locator("#reading")).to_contain_text("Line 1")
    expect(page.locator(".paste .l.bad")).to_have_count(1)
    page.get_by_label("Paste anything").fill(json.dumps(EVENT, indent=2))
    expect(page.locator("#reading")).to_contain_text("This is CloudEvent 1.0.")
    expect(page.get_by_label("Name")).to_have_value("invoice.overdue")
    page.get_by_label("In one sentence").fill("An invoice passed its due date.")
    page.get_by_text("New domain…").click()
    page.get_by_label("New domain").fill("Payments")
    page.locator("#id_team").select_option(label="Checkout")
    page.get_by_role("button", name="another example").click()
    page.get_by_label("Example 2", exact=True).fill('{"invoice_id": 5}')
    expect(page.locator("#checked")).to_contain_text("Example 2: Line 1: /invoice_id")
    page.get_by_label("Example 2", exact=True).fill('{"invoice_id": "inv-2"}')
    expect(page.locator("#checked")).to_contain_text("the examples fit")
    page.get_by_label("customer.email").check()
    page.get_by_role("button", name="Register v1").click()
    expect(page.get_by_role("heading", name="invoice.overdue")).to_be_visible()

    page.goto(f"{console.url}/events/invoice.overdue/versions/new/")
    schema = json.loads(page.get_by_label("JSON Schema").input_value())
    schema["properties"]["due"] = {"type": "string"}
    page.get_by_label("JSON Schema").fill(json.dumps(schema, indent=2))
    page.get_by_label("Example", exact=True).fill('{"invoice_id": "inv-1", "due": "12.50"}')
    verdict = page.locator("#verdict")
    expect(verdict).to_contain_text(
        "data.due may be string by the new one; the old schema takes only number."
    )
    expect(verdict).to_contain_text("Accepted by this version, refused by v1")
    expect(verdict.get_by_label("An event that shows it")).to_contain_text('"due":')
    expect(page.locator("#affected")).to_contain_text("no event of this type")
    assert accessibility(page) == []
    page.get_by_role("button", name="Register v2").click()
    expect(page.get_by_role("alert")).to_contain_text("To save it all the same, say why.")
    page.get_by_label("Why it is saved all the same").fill("Nobody listens yet.")
    page.get_by_role("button", name="Save all the same").click()
    expect(page.get_by_role("status").filter(has_text="Version 2 is registered.")).to_be_visible()
