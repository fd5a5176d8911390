"""The console in Chinese: no English sentence is left on any page, and the choice is made and kept in the browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import NAME, PASSWORD, sideways
from tests.browser.test_every_page import CUT
from tests.pages import paths
from tests.processes import Town

# Three English words in a row, the last two in lower case: names of products and formats are shorter or capitalized.
# Code, data in monospace and what a person typed are not the console's words.
ENGLISH = """() => {
  const found = new Set(), words = /[A-Za-z][a-z’']+,? [a-z’']+,? [a-z’']+/;
  const skip = "script, style, pre, code, textarea, kbd, code-area, .mono, .code, [lang=en]";
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());)
    if (!node.parentElement.closest(skip) && words.test(node.data)) found.add(node.data.trim().replace(/\\s+/g, " "));
  for (const one of document.querySelectorAll("[aria-label], [title], [placeholder], [data-label]"))
    for (const name of ["aria-label", "title", "placeholder", "data-label"])
      if (words.test(one.getAttribute(name) ?? "") && !one.closest("[lang=en]")) found.add(`${name}: ${one.getAttribute(name)}`);
  return [...found];
}"""
# What people wrote in the rows of this town, and what was recorded in English when it happened.
DATA = (
    "A customer committed to buy",
    "Adds the channel",
    "Purchasing and supplier relations",
    "Orders of the northern warehouse",
    "of the northern warehouse",
    "The shop's own number",
    "To write letters",
    "Reminders with the amount",
    "Listen to the other",
    "For trying things out",
    "Copies of dead letters on their way",
    "What changes in the catalog",
    "It cannot be reached",
    "Connection to 127.0.0.1",
    "Port 9 belongs",
    "Optional field data.channel was added",
    "app, web, store",
    "What the event is about",
    "Orders of the",
    "Billing as well",
    "event-type, source, bus, team",  # names of kinds, as they stand in addresses
    "An invoice for each order",
    "is longer than 20 characters",
    "Must be string, is a number",
)


def in_chinese(page: Page) -> None:
    page.context.add_cookies([{"name": "language", "value": "zh-hans", "url": page.url}])


def test_no_page_in_chinese_has_an_english_sentence_left_or_breaks(
    console: Town,
    places: dict[str, str],
    visit: Callable[..., Page],
) -> None:
    page = visit()
    page.goto(console.url)
    in_chinese(page)
    found = {}
    for path in [shown.path for shown in paths(places)]:
        answer = page.goto(console.url + path)
        assert answer is not None
        assert answer.status == 200, (path, answer.status)
        expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
        expect(page.locator(".htmx-request")).to_have_count(0)
        left = [text for text in page.evaluate(ENGLISH) if not any(known in text for known in DATA)]
        left += [f"cut: {one}" for one in page.evaluate(CUT)]
        if wide := sideways(page):
            left.append(f"scrolls sideways by {wide} px")
        if left:
            found[path] = left
            print(path, *left, sep="\n  ")
    assert found == {}


def test_pages_in_chinese_fit_a_phone(
    console: Town,
    places: dict[str, str],
    visit: Callable[..., Page],
) -> None:
    page = visit(phone=True)
    page.goto(console.url)
    in_chinese(page)
    found = {}
    for path in [shown.path for shown in paths(places)]:
        page.goto(console.url + path)
        if left := [*page.evaluate(CUT), *(["sideways"] if sideways(page) else [])]:
            found[path] = left
    assert found == {}


def test_the_language_is_chosen_where_one_signs_in_kept_and_changed_in_the_menu(
    console: Town, visit: Callable[..., Page]
) -> None:
    page = visit(signed_in=False, script=False)
    page.goto(f"{console.url}/sources/")
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    page.get_by_label("用户名").fill(NAME)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="事件源", level=1)).to_be_visible()
    page.goto(f"{console.url}/rules/?q=x")
    page.locator("summary[aria-label='用户菜单']").click()
    page.get_by_role("button", name="English").click()
    assert page.url == f"{console.url}/rules/?q=x"
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_times_are_kept_current_in_the_language_of_the_page(
    console: Town, visit: Callable[..., Page]
) -> None:
    page = visit()
    page.goto(console.url)
    in_chinese(page)
    page.goto(f"{console.url}/rules/")
    page.evaluate("""() => {
      const time = document.createElement("time-ago");
      time.innerHTML = `<time datetime="${new Date(Date.now() - 190_000).toISOString()}"></time>`;
      document.querySelector("main").append(time);
    }""")
    expect(page.locator("main > time-ago")).to_have_text("3分钟前")
