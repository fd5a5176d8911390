"""Browser tests: Debian's Chromium driven by Playwright against a town of real processes.

    def test_…(console, visit):
        page = visit()                       # signed in; visit(dark=True), visit(phone=True), visit(signed_in=False)
        page.goto(f"{console.url}/sources/")

A page that logs an error, breaks the content security policy or asks another origin for anything fails its test.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.processes import Town, Towns

NAME, PASSWORD = "mara", "signal-box-9"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--font-render-hinting=none",
]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PERSON = (
    "from django.contrib.auth import get_user_model as model; "
    f"model().objects.create_superuser({NAME!r}, password={PASSWORD!r})"
)


# Module scope: while Playwright runs, the main thread counts as inside an event loop, which other tests need for theirs.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail(
            "Browser tests need Chromium: apt-get install --no-install-recommends chromium", pytrace=False
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def console(towns: Towns) -> Iterator[Town]:
    """A town with web and worker running, one administrator, the bus main and the team Checkout."""
    with towns.new() as town:
        town.manage("shell", "-c", PERSON)
        town.manage(
            "shell",
            "-c",
            "from catalog.models import Bus, Team; Bus.objects.create(name='main'); "
            "Team.objects.create(name='Checkout', slug='checkout')",
        )
        town.start("web", "worker")
        yield town


@pytest.fixture(scope="module")
def places(console: Town) -> Iterator[dict[str, str]]:
    """What the places of tests/pages.py stand for in the town, which has something on every page by then."""
    from tests.browser.furnishing import (
        Words,
        furnished,
    )  # models: pytest loads this file before Django is set up

    with furnished(console, Words()) as found:
        yield found


@pytest.fixture(scope="module")
def session(chromium: Browser, console: Town) -> dict[str, object]:
    """The cookies of a signed-in administrator: signing in once per module is enough."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{console.url}/sign-in/")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    state = context.storage_state()
    context.close()
    return dict(state)


@pytest.fixture
def visit(request: pytest.FixtureRequest, chromium: Browser, console: Town) -> Iterator[Callable[..., Page]]:
    """A function that opens a page; what goes wrong in it unnoticed is told at the end of the test."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def new_page(
        dark: bool = False, phone: bool = False, signed_in: bool = True, script: bool = True
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": 390, "height": 844} if phone else {"width": 1440, "height": 1000},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            java_script_enabled=script,
            storage_state=request.getfixturevalue("session") if signed_in else None,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda asked: trouble.append(f"asked {asked.url}") if outside(asked.url) else None)
        return page

    def outside(url: str) -> bool:
        return not url.startswith((console.url, console.url.replace("http", "ws", 1), "data:", "blob:"))

    yield new_page
    for context in contexts:
        context.close()
    assert trouble == []


@pytest.fixture(scope="session")
def accessibility() -> Callable[[Page], list[str]]:
    """A function that names what axe-core finds against WCAG 2.2 A and AA: rule, element, reason."""
    axe = Axe()

    def violations(page: Page) -> list[str]:
        page.evaluate("document.fonts.ready")
        found = axe.run(
            page, options={"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
        )
        return [
            f"{violation['id']}: {node['html'][:160]}: {node['failureSummary']}"
            for violation in found.response["violations"]
            for node in violation["nodes"]
        ]

    return violations


@pytest.fixture(scope="session")
def in_both_themes(accessibility: Callable[[Page], list[str]]) -> Callable[[Page], list[str]]:
    """`accessibility` of a page as it is, and again when the system turned dark: the theme is CSS, so one visit does."""

    def violations(page: Page) -> list[str]:
        found = accessibility(page)
        page.emulate_media(color_scheme="dark")
        assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        found += [f"dark: {one}" for one in accessibility(page)]
        page.emulate_media(color_scheme="light")
        return found

    return violations


def sideways(page: Page) -> int:
    """By how many pixels the whole page scrolls sideways; what is wide must scroll inside its card."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
