"""Every page with something in it, at both widths and in both themes.

The theme is CSS, so a page is opened once per width and turned dark where it stands. Colours do not depend on the width:
on a phone axe-core looks at the light page alone, and at one address of each page.

`visit` fails a test whose page logs an error, breaks the content security policy or asks another origin; here come what
is cut off, what scrolls the whole page sideways, and axe-core's verdict. Names and values are as long as they get.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import sideways
from tests.browser.furnishing import Words
from tests.pages import SIGNED_OUT, Shown, paths
from tests.processes import Town

# What is wider than its place and neither scrolls, wraps nor ends in an ellipsis. Drawings and what only screen readers
# read are as wide as they like, and so are text areas, whose text scrolls.
CUT = """() => [...document.querySelectorAll("main :is(td, dd, li, p, span, h1, h2, h3, header, footer, section)")].filter(one => {
  const { overflowX, textOverflow, display, clipPath } = getComputedStyle(one);
  if (!one.clientWidth || display === "inline" || clipPath !== "none" || one.closest("svg, pre, code-area, .sr")) return false;
  if (one.closest(".shelf, .shelf-preview") || one.querySelector("svg.topo, .shelf")) return false;
  return one.scrollWidth > one.clientWidth + 1 && textOverflow !== "ellipsis" && !["auto", "scroll"].includes(overflowX);
}).map(one => one.outerHTML.slice(0, 160))"""

# `visit` asks for reduced motion: what would move all the same.
MOVING = """() => [...document.querySelectorAll("*")].filter(one => {
  const { animationName, transitionDuration } = getComputedStyle(one);
  return animationName !== "none" || transitionDuration.split(", ").some(time => parseFloat(time) > 0);
}).map(one => one.outerHTML.slice(0, 160))"""


def faults(page: Page, axe: Callable[[Page], list[str]]) -> list[str]:
    """What is wrong with a page that is open."""
    found = axe(page)
    if wide := sideways(page):
        found.append(f"scrolls sideways by {wide} px")
    if page.locator("h1").count() != 1 or not page.title().removesuffix(" · Signalbox"):
        found.append(f"title {page.title()!r}, {page.locator('h1').count()} main headings")
    found += [f"moves: {one}" for one in page.evaluate(MOVING)]
    return found + [f"cut: {one}" for one in page.evaluate(CUT)]


def unexamined(page: Page) -> list[str]:
    """In axe-core's place where it has looked at another address of the page."""
    return []


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_every_page_fits_its_window_and_can_be_read(
    console: Town,
    places: dict[str, str],
    visit: Callable[..., Page],
    accessibility: Callable[[Page], list[str]],
    in_both_themes: Callable[[Page], list[str]],
    phone: bool,
) -> None:
    other = Shown("event-type", 9, f"/events/{Words.other_type}/")
    signed_in, signed_out = visit(phone=phone), visit(phone=phone, signed_in=False)
    walk = [(signed_in, shown) for shown in (*paths(places), other)]
    walk += [(signed_out, shown) for shown in paths(places, SIGNED_OUT)]
    found = {}
    for page, shown in walk:
        answer = page.goto(console.url + shown.path)
        assert answer is not None
        assert answer.ok, (shown, answer.status)
        # What a page asks for when it is there, it shows before anybody looks.
        expect(page.locator(".htmx-request")).to_have_count(0)
        axe = (accessibility if shown.number == 0 else unexamined) if phone else in_both_themes
        if wrong := faults(page, axe):
            found[shown.path] = wrong
            print(shown.path, *wrong, sep="\n  ")
    assert found == {}


# Bytes on the wire, fonts, scripts and head lines included.
FIRST_LOAD = 250_000


@pytest.mark.parametrize("path", ["/", "/deliveries/", "/rules/{rule}/edit/"])
def test_a_first_page_is_light(
    console: Town, places: dict[str, str], visit: Callable[..., Page], path: str
) -> None:
    page = visit()
    finished: list[Request] = []
    page.on("requestfinished", lambda request: finished.append(request))
    page.goto(console.url + path.format_map(places), wait_until="networkidle")
    page.evaluate("document.fonts.ready")
    sizes = {request.url.removeprefix(console.url): sum_of(request.sizes()) for request in finished}
    assert any(name.endswith(".ttf") for name in sizes), "fonts were loaded"
    assert sum(sizes.values()) <= FIRST_LOAD, sizes


def sum_of(sizes: dict[str, int]) -> int:
    """What of a request came over the wire."""
    return sizes["responseBodySize"] + sizes["responseHeadersSize"]


def test_a_journey_on_paper_holds_all_of_it_and_nothing_to_press(
    console: Town, places: dict[str, str], visit: Callable[..., Page]
) -> None:
    page = visit(dark=True)
    page.goto(console.url + "/journey/{dead}/".format_map(places))
    asked = page.locator("#sent pre").last.inner_text()
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4
    for shown in (".answer", ".trace", ".why-table", "#event-json", "#sent pre >> nth=-1"):
        expect(page.locator(shown)).to_be_visible()
    assert page.locator("#sent pre").last.inner_text() == asked
    for hidden in (".rail", ".top", ".user", "main button", "main .btn"):
        assert not any(one.is_visible() for one in page.locator(hidden).all()), hidden
    assert sideways(page) == 0
    # Nothing needs scrolling, and paper is light whatever the screen is.
    assert (
        page.locator("main pre").evaluate_all(
            "all => all.filter(one => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight + 1).length"
        )
        == 0
    )
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
