"""The event beside the editor: what can be pressed, what is marked, and that nothing of it is markup."""

from __future__ import annotations

import json
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from delivery.pages.pressable import event_html, path_of
from delivery.pages.used import used_by
from rules.engine import Event

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "type": "a",
    "data": {
        "n": 1249.00,
        "big": 12345678901234567890,
        "who": {"a.b": 1, "c": "<b>"},
        "list": [{"x": 1}, {"x": 2}],
    },
}


class Reader(HTMLParser):
    """What is pressed and what is marked."""

    def __init__(self) -> None:
        super().__init__()
        self.pressed: list[Any] = []
        self.marked: list[str] = []
        self.text = ""
        self._marking = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "button":
            self.pressed.append(json.loads(dict(attributes)["value"] or ""))
        self._marking = tag == "mark"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._marking:
            self.marked.append(data)
            self._marking = False


def read(event: Any, url: str = "/subscribe/", transform: dict[str, Any] | None = None) -> Reader:
    reader = Reader()
    raw = json.dumps(event).encode()
    reader.feed(str(event_html(raw, url, used_by(transform, Event.from_json(raw)))))
    return reader


def test_every_value_can_be_pressed_with_its_path() -> None:
    pressed = read(EVENT).pressed
    assert {"path": "type", "value": "a"} in pressed
    assert {"path": "data.n", "value": 1249.0} in pressed
    assert {"path": "data.big", "value": 12345678901234567890} in pressed
    # Lists vanish from the path of a condition.
    assert {"path": "data.list.x", "value": 2} in pressed
    paths = {one["path"] for one in pressed}
    assert "specversion" not in paths
    assert not any(path.startswith("data.who.a") for path in paths)


def test_the_text_is_the_event_and_never_markup() -> None:
    reader = read(EVENT)
    assert json.loads(unescape(reader.text)) == EVENT
    assert read(EVENT, url="").pressed == []


@pytest.mark.parametrize(
    ("transform", "marked"),
    [
        (None, []),
        ({"kind": "complete"}, []),
        ({"kind": "constant", "value": 1}, []),
        ({"kind": "template", "template": '{"a": "${data.n}"}'}, ["1249.0"]),
        ({"kind": "template", "template": '{"a": "${data.list[*].x}"}'}, ["1", "2"]),
        ({"kind": "partial", "path": "$.data.list[1]"}, ["2"]),
        ({"kind": "partial", "paths": {"q": "$.data.who['c']"}}, ['"<b>"']),
        ({"kind": "partial", "path": "$.data..x"}, ["1", "2"]),
        ({"kind": "partial", "path": "$.data.list[?@.x > 1]"}, ["2"]),
        ({"kind": "partial", "path": "$..c"}, ['"<b>"']),
        ({"kind": "partial", "path": "$.data.list[-1:]"}, ["2"]),
        ({"kind": "partial", "path": "$"}, []),
        ({"kind": "template", "template": "${v}", "variables": {"v": "$..x"}}, ["1", "2"]),
        ({"kind": "jsonata", "expression": '{"a": data.n, "b": id}'}, ['"e1"', "1249.0"]),
        ({"kind": "jsonata", "expression": "data.list[0].x"}, ["1"]),
        ({"kind": "jsonata", "expression": "$sum(data.list.x)"}, ["1", "2"]),
        ({"kind": "jsonata", "expression": "$"}, []),
        ({"kind": "partial", "path": "$.nothing"}, []),
        ({"kind": "template", "template": "${"}, []),
    ],
)
def test_what_the_transform_takes_is_marked(transform: dict[str, Any] | None, marked: list[str]) -> None:
    assert read(EVENT, transform=transform).marked == marked


def test_a_place_that_no_condition_can_name_has_no_path() -> None:
    assert path_of(("data", 0, "x")) == "data.x"
    for place in (("data_base64",), ("data", "a.b"), ("data", "$or"), ("data", ""), (0,)):
        assert path_of(place) is None
