"""A demo of one's own, with something on every page: for pictures of the console and for what measures it.

with living_demo() as (town, places):  # tests/pages.py says what places are
    with signed_in(browser, town) as context: …
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from delivery.tracking.words import State
from tests.processes import Town, Towns, eventually

# Events a second: enough in a minute for every chart to have a shape. The demo's own rate is 2.
LIVELY = 20
GUEST = "guest"
# What a day would bring, in seconds.
LIVED = 45.0
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-quic", "--font-render-hinting=none"]  # fmt: skip
DEAD = "SELECT target, seq FROM runner_exception WHERE state = %s ORDER BY seq DESC LIMIT 1"


def chromium() -> str:
    """The path of the system's Chromium. Ends the program with a sentence when there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return found or sys.exit("Chromium is not installed: apt-get install --no-install-recommends chromium")


@contextmanager
def living_demo(rate: int = LIVELY) -> Iterator[tuple[Town, dict[str, str]]]:
    """The demo with `rate` events a second, started as `make up` does in a folder and on a port of its own, once it has
    lived a while."""
    environment = {"DEMO": "1", "SIGNALBOX_DEMO_RATE": str(rate), "SIGNALBOX_LOG_LEVEL": "WARNING"}
    with (
        tempfile.TemporaryDirectory(prefix="signalbox-demo-") as folder,
        Towns(Path(folder)) as towns,
        towns.new(migrated=False, environment=environment) as town,
    ):
        town.start("up")
        code = "from tests.demo import write; write()"
        places: dict[str, str] = json.loads(town.manage("shell", "-v0", "-c", code).splitlines()[-1])
        eventually(lambda: bool(town.query(DEAD, int(State.DEAD))), "Billing has refused an order", 180)
        oldest = "SELECT MAX(received_at) - MIN(received_at) FROM log_event"
        eventually(lambda: town.query(oldest)[0][0] > LIVED * 1e6, f"the demo has lived for {LIVED:.0f} s")
        [(target, dead)] = town.query(DEAD, int(State.DEAD))
        [(subject, seq)] = town.query(
            "SELECT subject, MAX(seq) FROM log_event WHERE type LIKE 'order.%' GROUP BY subject "
            "ORDER BY COUNT(*) DESC LIMIT 1".replace("%", "%%")
        )
        yield town, places | {"target": str(target), "dead": str(dead), "seq": str(seq), "subject": subject}


def sign_in(town: Town, page: Page, name: str = "") -> None:
    """As a person does: the demo's own, or `name`, who has the same password."""
    facts = json.loads((town.var / "demo.json").read_text())
    page.goto(f"{town.url}/sign-in/")
    page.get_by_label("Username").fill(name or facts["user"])
    page.get_by_label("Password").fill(facts["password"])
    page.locator('button[type=submit]:has-text("Sign in")').click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def cookies_of(town: Town, context: BrowserContext, name: str = "") -> Any:
    """The state of a browser in which somebody has signed in; see `sign_in`."""
    sign_in(town, context.new_page(), name)
    return context.storage_state()


def write() -> None:
    """Inside the demo (`manage.py shell`): adds what people do in time, and prints the places.

    GUEST may do nothing.
    """
    from datetime import timedelta

    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from catalog import importing
    from catalog.models import Approval, Draft, EventType, Follow, Ignored, Source, Team, Wanted
    from delivery.models import RequestBin
    from rules.models import Rule
    from rules.revisions import save_rule

    me, placed = get_user_model().objects.get(), EventType.objects.get(name="order.placed")
    get_user_model().objects.create(username=GUEST, password=me.password)
    shop = placed.sources.first()
    assert shop is not None
    old = Source.objects.create(
        name="Old till",
        slug="old-till",
        uri="/shop/till",
        bus=shop.bus,
        team=shop.team,
        retired_at=timezone.now(),
    )
    ending = EventType.objects.create(
        name="order.committed", summary="A customer pressed Buy in the old shop.", domain=placed.domain,
        team=placed.team, lifecycle="deprecated", ends_on=timezone.now().date() + timedelta(days=90),
        successor=placed, farewell="The old shop closes. order.placed says the same and more.",
    )  # fmt: skip
    billing = Team.objects.get(slug="billing")
    Approval.objects.create(
        event_type=placed, team=billing, reason="Invoices go to the customer by mail.", asked_by=me
    )
    Follow.objects.create(user=me, kind="type", key=placed.name)
    Ignored.objects.create(type_name="till.closed", by=me)
    draft = Draft.objects.create(
        name="parcel.returned",
        content={"name": "parcel.returned", "summary": "A customer sent a parcel back."},
        created_by=me,
    )
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/shop",
        "type": "invoice.sent",
        "data": {"invoice": "i-1"},
    }
    shared = {"team": billing.pk, "domain": placed.domain_id}
    run = importing.start(me, json.dumps(event), [0], shared, True, "Events of Billing")
    importing.step(run, me)
    rule = Rule.objects.get(name="Orders to Billing")
    rule.description = "An invoice for each order, in the form that Billing asks for, at once."
    save_rule(rule, me)
    watch = RequestBin.objects.first()
    wished = Wanted.objects.first()
    assert watch is not None
    assert wished is not None
    places = {
        "type": placed.name, "ending": ending.name, "unregistered": "till.opened", "wished": wished.name,
        "domain": "orders", "draft": draft.pk, "run": run.pk, "source": shop.slug, "retired": old.slug,
        "bus": shop.bus.name, "rule": rule.pk, "bin": watch.pk, "word": "order", "team": billing.slug, "person": me.get_username(),
    }  # fmt: skip
    print(json.dumps({name: str(value) for name, value in places.items()}))
