"""What others write is text on every page: names, descriptions, tags, attributes, data, and what a receiver answers.

One walk of every page, filled with payloads, in a browser whose content security policy is switched off: what the policy
would have stopped runs and is caught. That the policy is there, and needs no exception, is asked of each answer besides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, fields

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.furnishing import Words, event, furnished, publish
from tests.pages import SIGNED_OUT, paths
from tests.processes import Town

# Each makes an element with the attribute `hit` or sets window.hit, if any part of it is taken for markup: as text of an
# element, inside either kind of attribute, in a script or a JSON island, in a text area, a title, a comment or a link.
PAYLOADS = (
    '<img hit src=x onerror="window.hit=1">',
    "\"><svg hit onload='window.hit=1'>",
    "'><b hit onmouseover=window.hit=1 style='position:fixed;inset:0'>",
    "</script><script hit>window.hit=1</script>",
    "</textarea></title><iframe hit srcdoc='<script>parent.hit=1</script>'>",
    "--><a hit href=javascript:window.hit=1 autofocus onfocus=window.hit=1>",
    "{{ 7*7 }}{% now 'Y' %}${hit}<b hit hx-get=/ hx-trigger=load hx-on::load=window.hit=1>",
    '"},{"x":"\\u003cimg hit src=x onerror=window.hit=1\\u003e',
)
# What an attribute of CloudEvents allows less in: a source is a URI reference, a badge has two letters.
SHORT = {
    "uri": "/x';window.hit=1;//?a=javascript:window.hit=1",
    "badge": "<b",
    "word": "<img hit",
    "person": "<b hit>@shop.example",
}
# Written beside a payload to find it again.
DOCS = """# {0}

[a link](javascript:window.hit=1) ![a picture](x "onerror=window.hit=1") <b hit>{0}</b>

<script>window.hit=1</script>

```
{0}
```
"""


def hostile() -> Words:
    """A payload for every word, each with the word's name, so that it tells where it came from."""
    written = {
        field.name: f"{field.name} {PAYLOADS[at % len(PAYLOADS)]}" for at, field in enumerate(fields(Words))
    }
    return Words(**written | {"docs": DOCS.format(PAYLOADS[0])} | SHORT)


@pytest.fixture(scope="module")
def words() -> Words:
    return hostile()


@pytest.fixture(scope="module")
def places(console: Town, words: Words) -> Iterator[dict[str, str]]:
    with furnished(console, words) as found:
        yield found


@pytest.fixture
def unguarded(chromium: Browser, session: dict[str, object]) -> Iterator[BrowserContext]:
    """A signed-in browser without a content security policy, in which nobody has said yes to a dialog."""
    context = chromium.new_context(
        storage_state=session,  # type: ignore[arg-type]
        bypass_csp=True,
        viewport={"width": 1440, "height": 1000},
        reduced_motion="reduce",
    )
    yield context
    context.close()


def taken_for_markup(page: Page) -> list[str]:
    """What of the payloads became more than text on an open page."""
    return list(
        page.evaluate(
            """() => {
            const found = [...document.querySelectorAll("[hit]")].map(one => one.outerHTML.slice(0, 200));
            if ("hit" in window) found.push("a script ran");
            for (const one of document.querySelectorAll("a[href], area[href], form[action], [formaction], [src]"))
                for (const name of ["href", "action", "formaction", "src"])
                    if (/^\\s*(javascript|vbscript|data:text)/i.test(one.getAttribute(name) ?? ""))
                        found.push(one.outerHTML.slice(0, 200));
            return found;
        }"""
        )
    )


def not_inline(html: str) -> list[str]:
    """What of a page's source the policy would not run or apply, and what would ask for an exception."""
    tags = re.findall(r"""<[a-zA-Z](?:[^"'>]|"[^"]*"|'[^']*')*>""", html)
    return [
        tag[:200]
        for tag in tags
        if re.search(
            r"""\s(?:style|on[a-z]+)\s*=""", re.sub(r""""[^"]*"|'[^']*'""", '""', tag), re.IGNORECASE
        )
        or re.match(r"<style", tag, re.IGNORECASE)
        or (re.match(r"<script", tag, re.IGNORECASE) and " src=" not in tag)
    ]


# Where a careless template might put a text.
CARELESS = (
    "<p>{}</p>",
    '<p title="{}">x</p>',
    "<p title='{}'>x</p>",
    "<p title={}>x</p>",
    "<script>const told = '{}'</script>",
    '<script type="application/json">{{"told": "{}"}}</script>',
    "<textarea>{}</textarea>",
    "<!-- {} -->",
    "<p id=there></p><script>there.innerHTML = JSON.parse('[\"{}\"]')</script>",
)


@pytest.mark.parametrize("at", range(len(PAYLOADS)))
def test_a_payload_is_noticed_where_a_page_is_careless(chromium: Browser, at: int) -> None:
    page = chromium.new_page()
    noticed = []
    for careless in CARELESS:
        page.set_content(careless.format(PAYLOADS[at]))
        noticed += taken_for_markup(page)
    page.close()
    assert noticed


def test_nothing_that_somebody_wrote_is_more_than_text_on_any_page(
    console: Town, places: dict[str, str], words: Words, unguarded: BrowserContext
) -> None:
    page = unguarded.new_page()
    page.set_default_timeout(30_000)
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    outside = re.compile(rf"^(?!{re.escape(console.url)}|ws:|data:|blob:)")
    page.on("request", lambda asked: said.append(asked.url) if outside.match(asked.url) else None)
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for shown in [*paths(places), *paths(places, SIGNED_OUT)]:
        answer = page.goto(console.url + shown.path)
        assert answer is not None
        assert answer.ok, (shown, answer.status)
        expect(page.locator(".htmx-request")).to_have_count(0)
        policy = answer.headers.get("content-security-policy", "")
        wrong = taken_for_markup(page) + not_inline(answer.text()) + said
        if "default-src 'none'" not in policy or "unsafe" in policy or "nonce" in policy:
            wrong.append(f"policy {policy!r}")
        if wrong:
            found[shown.path] = wrong
        seen |= words_in(page.locator("main").inner_text(), words)
        said.clear()
    assert found == {}
    assert set(asdict(words)) - seen - set(SHORT) - {"docs"} == set(), "written, and shown on no page"


def words_in(text: str, words: Words) -> set[str]:
    """The names of the words of which a part that matters can be read."""
    return {name for name, word in asdict(words).items() if word[: len(name) + 9] in text}


def test_what_arrives_while_a_page_is_open_is_text_too(
    console: Town, places: dict[str, str], words: Words, unguarded: BrowserContext
) -> None:
    page = unguarded.new_page()
    page.goto(f"{console.url}/deliveries/")
    expect(page.locator("#live-rate")).to_be_visible()
    seq = publish(console, event(words, words.type, 99))
    expect(page.locator(f"#tail a[href^='/journey/{seq}/']").first).to_be_visible()
    assert words.type in page.locator("#tail").inner_text()
    assert taken_for_markup(page) == []
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill(words.word)
    expect(page.get_by_role("option").filter(has_text=words.type).first).to_be_visible()
    assert taken_for_markup(page) == []
    page.goto(f"{console.url}/bins/{places['bin']}/")
    page.locator("details.request summary").first.click()
    expect(page.locator("details.request").first).to_contain_text("ce-id")
    assert taken_for_markup(page) == []
    # The drawing is for keeping: opened from a disk, no policy guards it at all.
    drawing = unguarded.request.get(f"{console.url}/map/map.svg").text()
    page.set_content(drawing)
    assert "<svg" in drawing
    assert taken_for_markup(page) == []
