"""The map's SVG: lines as wide as their rate, trouble in more than colour, links that say where they lead."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from delivery.map.drawing import Picture, shortened, svg, width_of
from delivery.map.graph import Graph, Line, Node

HEADS = ("Sources", "Event types", "Rules", "Targets")
NODES = (
    [Node("source:/shop", 0, "Shop", "84/min", href="?focus=source:/shop", told="Shop, source, 84/min")],
    [
        Node(
            "type:order.placed",
            1,
            "order.placed",
            "84/min",
            0,
            href="?focus=type:order.placed",
            told="order.placed",
        ),
        Node("type:<b>&", 1, "<b>&", "silent", href="?a=1&b=2", told='"<b>&"'),
    ],
    [Node("rule:1", 2, "Orders", href="?focus=rule:1", told="Orders, rule")],
    [
        Node(
            "target:1",
            3,
            "Billing",
            "Refusing · HTTP",
            None,
            "bad",
            "Refusing",
            href="?focus=target:1",
            told="Billing",
        )
    ],
)
LINES = (
    Line("source:/shop", "type:order.placed", 84, 0),
    Line("type:order.placed", "rule:1", 9, 0),
    Line("rule:1", "target:1", 9, 0, "bad"),
)
NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawn(**how: object) -> str:
    return svg(Graph(NODES, LINES), Picture(HEADS, "Map: 1 source", **how))  # type: ignore[arg-type]


def test_every_node_is_a_link_with_a_sentence_and_an_escaped_name() -> None:
    root = ElementTree.fromstring(drawn())
    links = {link.get("href"): link.get("aria-label") for link in root.iter("a")}
    assert links["?focus=rule:1"] == "Orders, rule"
    assert links["?a=1&b=2"] == '"<b>&"'
    assert root.get("role") == "group"
    assert root.get("aria-label") == "Map: 1 source"


def test_a_line_in_trouble_is_dotted_and_its_target_has_a_shape_and_a_word() -> None:
    root = ElementTree.fromstring(drawn())
    assert [path.get("class") for path in root.iter("path") if "fail" in path.get("class", "")] == [
        "ln fail bad"
    ]
    target = next(link for link in root.iter("a") if link.get("id") == "target:1")
    assert target.find("path[@class='bad']") is not None
    assert "Refusing · HTTP" in [text.text for text in target.iter("text")]


@pytest.mark.parametrize(("less", "more"), [(0, 1), (1, 10), (10, 100), (84, 912)])
def test_more_events_make_a_wider_line(less: float, more: float) -> None:
    assert width_of(less) < width_of(more) <= 8


def test_what_is_not_in_focus_steps_back() -> None:
    root = ElementTree.fromstring(drawn(live={"rule:1", "target:1"}, focus="target:1"))
    dim = {link.get("id") for link in root.iter("a") if "dim" in link.get("class", "").split()}
    assert dim == {"source:/shop", "type:order.placed", "type:<b>&"}
    assert [link.get("id") for link in root.iter("a") if link.get("aria-current")] == ["target:1"]
    lines = [
        path.get("class", "") for path in root.iter("path") if path.get("class", "").startswith("ln hue")
    ]
    assert sorted("dim" in one for one in lines) == [False, True, True]


def test_a_drawing_that_stands_alone_has_its_style_and_neither_links_nor_anything_from_elsewhere() -> None:
    text = drawn(alone=True)
    root = ElementTree.fromstring(text)
    assert root.find(f"{NAMESPACE}title") is not None
    assert ".hue-0{--c:#0075d4}" in text
    assert list(root.iter(f"{NAMESPACE}a")) == []
    assert "url(" not in text
    assert "href" not in text


def test_an_order_that_rates_do_not_change() -> None:
    louder = [Line(line.start, line.end, line.rate * 1000, line.hue, line.status) for line in LINES]
    places = [
        [(rect.get("x"), rect.get("y")) for rect in ElementTree.fromstring(text).iter("rect")]
        for text in (drawn(), svg(Graph(NODES, louder), Picture(HEADS, "")))
    ]
    assert places[0] == places[1]


def test_an_empty_graph_is_drawn_with_its_heads_alone() -> None:
    root = ElementTree.fromstring(svg(Graph([[], [], [], []], []), Picture(HEADS, "Map")))
    assert [text.text for text in root.iter("text")] == list(HEADS)


@pytest.mark.parametrize(
    ("name", "longest", "short"),
    [("order.placed", 12, "order.placed"), ("order.placed", 9, "orde…aced"), ("order.placed", 8, "ord…aced")],
)
def test_a_long_name_loses_its_middle(name: str, longest: int, short: str) -> None:
    assert shortened(name, longest) == short
