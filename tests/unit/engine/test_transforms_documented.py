"""docs/transforms.md says what transforms do: its examples are run here, its limits are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rules.engine import (
    Event,
    compile_transform,
    i_regexp,
    json_path,
    json_path_query,
    jsonata,
    jsonata_cost,
    jsonata_run,
    omission,
    partial,
    spec,
    template,
    transform,
)
from rules.engine.exact_json import decode
from rules.engine.imported_transforms import from_alibaba, from_aws

PAGE = (Path(__file__).parents[3] / "docs/transforms.md").read_text()
FENCES = re.findall(
    r"^```(\w+) (event|transform|output|alibaba|aws|becomes)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
)
EVENT = Event.from_json(next(text for _, what, text in FENCES if what == "event").encode())


def examples() -> list[tuple[str, str | None]]:
    found = []
    for at, (_, what, text) in enumerate(FENCES):
        if what == "transform":
            following = FENCES[at + 1] if at + 1 < len(FENCES) else ("", "", "")
            found.append((text, following[2].rstrip("\n") if following[1] == "output" else None))
    return found


@pytest.mark.parametrize(("written", "output"), examples())
def test_an_example_sends_what_the_page_says(written, output) -> None:
    compiled = compile_transform(decode(written))
    if output is None:
        assert compiled.whole
    else:
        assert compiled.apply(EVENT).body.decode() == output


def test_every_kind_has_an_example() -> None:
    kinds = {decode(written)["kind"] for written, _ in examples()}
    assert kinds == set(transform._KINDS)
    assert len(examples()) >= 10


def test_the_limits_are_those_of_the_code() -> None:
    table = PAGE.partition("\n## Limits\n")[2].partition("\n## ")[0]
    numbers = [int(number.replace(",", "")) for number in re.findall(r"[0-9][0-9,]*", table)]
    limits = [
        spec.MAX_OUTPUT_BYTES, json_path.MAX_PATH, json_path_query.MAX_NESTING, i_regexp.MAX_PATTERN,
        json_path.MAX_STEPS, partial.MAX_PATHS, template.MAX_TEMPLATE_BYTES, omission.MAX_DEPTH,
        jsonata.MAX_EXPRESSION, jsonata.MAX_BRACKETS, jsonata_run.MAX_STEPS, jsonata_run.NODE, jsonata_run.MAX_DEPTH,
        jsonata_run.CALL, jsonata_cost.MAX_TEXT, jsonata_cost.MAX_PICTURE,
    ]  # fmt: skip
    assert numbers[: len(limits)] == limits
    assert (json_path_query.MAX_DESCENTS, transform.MAX_VARIABLES) == (2, partial.MAX_PATHS)


def test_conversions_on_the_page_are_what_comes_out() -> None:
    converted = [
        ({"alibaba": from_alibaba, "aws": from_aws}[what](decode(text)).spec, decode(FENCES[at + 1][2]))
        for at, (_, what, text) in enumerate(FENCES)
        if what in ("alibaba", "aws")
    ]
    assert len(converted) == 2
    for converted_spec, on_the_page in converted:
        assert converted_spec == on_the_page


def test_the_page_names_how_many_expressions_are_compared_with_the_reference() -> None:
    cases = decode((Path(__file__).parent / "jsonata_reference.json").read_bytes())["cases"]
    assert f" {len(cases)} expressions " in " ".join(PAGE.split())
    for name in jsonata_cost.NOT_OFFERED:
        assert f"`${name}`" in PAGE
