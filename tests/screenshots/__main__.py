"""`make screenshots`: a PNG of every page of the demo, light and dark, on a phone, a desk and a wide screen.

    make screenshots                                     # into var/screenshots; open its index.html
    make screenshots OUT=/tmp/book PAGES="rules journey"

Starts a demo of its own and stops it again; what runs on this machine already is left alone. Exit status 1 when a page
did not open or logged an error.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from tests.demo import FLAGS, GUEST, chromium, cookies_of, living_demo
from tests.pages import PAGES, SIGNED_OUT, paths
from tests.screenshots import book
from tests.vectors import REPOSITORY

HEIGHTS = {390: 844, 1440: 900, 1920: 1080}
THEMES = ("light", "dark")
# Longer pages are cut: nobody looks at the tenth screen of a list.
TALLEST = 5000
SETTLED = "Promise.all([document.fonts.ready, new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))])"


@dataclass(frozen=True)
class Scene:
    """One thing to take pictures of: an address, what is pressed there first (a selector, or a key), and who looks."""

    name: str
    path: str
    press: str = ""
    key: str = ""
    who: str = "demo"
    status: int = 200

    @property
    def page(self) -> str:
        """The name of its page."""
        return self.name.rstrip("-0123456789")


# What has no address of its own.
BESIDE = (
    Scene("palette", "/", key="Control+k"),
    Scene("keys", "/rules/", key="?"),
    Scene(
        "redrive", "/dead-letters/", press="main button[popovertarget^='redrive']:not([popovertargetaction])"
    ),
    Scene(
        "discard", "/dead-letters/", press="main button[popovertarget^='discard']:not([popovertargetaction])"
    ),
    Scene("not-found", "/nothing-here/", status=404),
    Scene("not-allowed", "/settings/buses/", who=GUEST, status=403),
)


def main() -> int:
    """Takes the pictures and writes their index; returns the exit status."""
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "var" / "screenshots")
    parser.add_argument("--width", type=int, action="append", choices=HEIGHTS, help="default: each")
    parser.add_argument("pages", nargs="*", help="names of pages as in tests/pages.py; default: all")
    asked = parser.parse_args()
    known = {*PAGES, *SIGNED_OUT, *(scene.name for scene in BESIDE)}
    if unknown := sorted(set(asked.pages) - known):
        parser.error(f"there is no page {unknown[0]!r}; there are {', '.join(sorted(known))}")
    path, began = chromium(), time.monotonic()
    asked.out.mkdir(parents=True, exist_ok=True)
    print("Starting a demo and letting it live for a minute …", flush=True)
    with living_demo() as (town, places), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        states = {"": None, "demo": cookies_of(town, browser.new_context())}
        states[GUEST] = cookies_of(town, browser.new_context(), GUEST)
        shown = [scene for scene in _scenes(places) if not asked.pages or scene.page in asked.pages]
        camera = Camera(browser, town.url, states, asked.out)
        pictures: dict[str, list[str]] = {scene.name: [] for scene in shown}
        for width in asked.width or HEIGHTS:
            print(f"{len(shown)} scenes, {width} px wide …", flush=True)
            for scene in shown:
                pictures[scene.name] += camera.take(scene, width)
        browser.close()
    said = f"{len(shown)} scenes, {len(THEMES)} themes, {len(asked.width or HEIGHTS)} widths, in {time.monotonic() - began:.0f} s."
    index = book.write(asked.out, said, [(one.name, one.path) for one in shown], pictures)
    print(*camera.trouble, f"{said} Open {index}", sep="\n")
    return 1 if camera.trouble else 0


def _scenes(places: dict[str, str]) -> Iterator[Scene]:
    """All of them, in the order of tests/pages.py."""
    yield from (Scene(one.name, one.path) for one in paths(places))
    yield from (Scene(one.name, one.path, who="") for one in paths(places, SIGNED_OUT))
    yield from BESIDE


class Camera:
    """Opens scenes and takes their pictures into `out`; `trouble` holds what went wrong, as sentences."""

    def __init__(self, browser: Browser, base: str, states: dict[str, Any], out: Path) -> None:
        self.browser, self.base, self.states, self.out = browser, base, states, out
        self.trouble: list[str] = []

    def take(self, scene: Scene, width: int) -> list[str]:
        """The names of the files with the picture in each theme."""
        context = self.browser.new_context(
            viewport={"width": width, "height": HEIGHTS[width]},
            reduced_motion="reduce",
            storage_state=self.states[scene.who],
        )
        page = context.new_page()
        page.on("pageerror", lambda error: self._tell(scene, str(error)))
        page.on("console", lambda said: self._tell(scene, said.text) if said.type == "error" else None)
        try:
            self._open(page, scene)
        except (Error, AssertionError) as problem:
            self._tell(scene, str(problem).partition("\n")[0])
        tall = min(int(page.evaluate("document.documentElement.scrollHeight")), TALLEST)
        page.set_viewport_size({"width": width, "height": max(tall, HEIGHTS[width])})
        files = []
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            page.evaluate(SETTLED)
            files.append(f"{scene.name}-{width}-{theme}.png")
            page.screenshot(path=self.out / files[-1])
        context.close()
        return files

    def _open(self, page: Page, scene: Scene) -> None:
        answer = page.goto(self.base + scene.path)
        if answer is None or answer.status != scene.status:
            self._tell(scene, f"answered {answer and answer.status}")
        expect(page.locator(".htmx-request")).to_have_count(0)
        page.wait_for_timeout(150)  # what the socket says first
        if scene.press:
            page.locator(scene.press).first.click()
        if scene.key:
            page.keyboard.press(scene.key)
        if scene.press or scene.key:
            page.wait_for_timeout(400)

    def _tell(self, scene: Scene, problem: str) -> None:
        # A browser logs the status of a page that is not there, too.
        if scene.status == 200 or str(scene.status) not in problem:
            self.trouble.append(f"{scene.name}: {problem}")


if __name__ == "__main__":
    sys.exit(main())
