"""`manage.py rules` in a terminal and on a build server: what it prints, and how it ends."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.vectors import REPOSITORY

PATTERN = {"type": ["order.placed"], "data": {"currency": ["SEK"]}}


def an_event(name: str, currency: str = "SEK") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": name,
        "source": "/shop",
        "type": "order.placed",
        "data": {"currency": currency},
    }


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "pattern.json").write_text(json.dumps(PATTERN))
    lines = [json.dumps(an_event("a")), "", json.dumps(an_event("b", "EUR")), json.dumps(an_event("c"))]
    (tmp_path / "events.jsonl").write_text("\n".join(lines))
    return tmp_path


def run(
    files: Path, *options: str, pattern: str = "pattern.json", events: str = "events.jsonl"
) -> tuple[int, str, str]:
    """How it ended, and what it printed where."""
    out, err = io.StringIO(), io.StringIO()
    named = [name if name == "-" else str(files / name) for name in (pattern, events)]
    try:
        call_command("rules", "test", *named, *options, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue(), err.getvalue() + str(error)
    return 0, out.getvalue(), err.getvalue()


def test_each_event_is_told_by_its_line_and_the_total_comes_last(files: Path) -> None:
    status, printed, _ = run(files)
    assert status == 0
    assert printed.splitlines() == [
        "1  a  matches",
        '3  b  does not match: data.currency is "EUR", the rule wants "SEK"',
        "4  c  matches",
        "3 events: 2 match, 1 do not.",
    ]


def test_every_condition_is_printed_when_asked(files: Path) -> None:
    _, printed, _ = run(files, "--explain")
    assert printed.splitlines()[4:6] == [
        '    ✓ type is "order.placed", as the rule wants',
        '    ✗ data.currency is "EUR", the rule wants "SEK"',
    ]


def test_a_transform_shows_what_would_be_sent_for_events_that_match(files: Path) -> None:
    (files / "t.json").write_text(json.dumps({"kind": "template", "template": '{"of": "${id}"}'}))
    _, printed, _ = run(files, "--transform", str(files / "t.json"))
    assert printed.splitlines()[:4] == [
        "1  a  matches",
        "    application/json",
        '    {"of": "a"}',
        '3  b  does not match: data.currency is "EUR", the rule wants "SEK"',
    ]


def test_an_expression_and_filters_must_hold_too(files: Path) -> None:
    (files / "filters.json").write_text('[{"exact": {"id": "c"}}]')
    _, printed, _ = run(files, "--sql", "id <> 'a'")
    assert printed.splitlines()[-1] == "3 events: 1 match, 2 do not."
    _, printed, _ = run(files, "--filters", str(files / "filters.json"), "--expect", "1")
    assert printed.splitlines()[2] == "4  c  matches"
    (files / "filters.json").write_text('[{"exact": {}}]')
    status, _, problem = run(files, "--filters", str(files / "filters.json"))
    assert (status, "filters.json:1:3: /0/exact" in problem) == (1, True)
    status, _, problem = run(files, "--sql", "id =")
    assert (status, "--sql:1:5: " in problem) == (1, True)


@pytest.mark.parametrize(("expected", "status"), [("2", 0), ("all", 3), ("none", 3), ("3", 3), ("0", 3)])
def test_an_expectation_that_does_not_hold_ends_with_3(files: Path, expected: str, status: int) -> None:
    ended, _, problem = run(files, "--expect", expected)
    assert ended == status
    assert bool(status) == (f"Expected {expected} of 3 events to match, 2 did." in problem)


def test_all_and_none_hold_for_what_was_read(files: Path) -> None:
    (files / "one.jsonl").write_text(json.dumps(an_event("a")))
    assert run(files, "--expect", "all", events="one.jsonl")[0] == 0
    (files / "one.jsonl").write_text(json.dumps(an_event("a", "EUR")))
    assert run(files, "--expect", "none", events="one.jsonl")[0] == 0


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{\n  "type": "a"\n}', "pattern.json:2:3: /type: alternatives are written in a list"),
        ('{\n  "type": oops}', "pattern.json:2:11: not JSON at line 2, column 11"),
        ("[]", "pattern.json:1:1: a pattern is a JSON object"),
    ],
)
def test_a_pattern_that_is_not_valid_is_told_with_its_place(files: Path, text: str, place: str) -> None:
    (files / "pattern.json").write_text(text)
    status, printed, problem = run(files)
    assert (status, printed) == (1, "")
    assert place in problem


def test_everything_wrong_in_a_pattern_is_told(files: Path) -> None:
    (files / "pattern.json").write_text('{"type": "a", "source": []}')
    _, _, problem = run(files)
    assert "/type" in problem
    assert "/source" in problem
    assert problem.endswith("2 problems.")


def test_events_that_are_not_valid_are_told_with_their_place_and_the_others_are_tried(files: Path) -> None:
    lines = [json.dumps(an_event("a")), '{"id": oops}', "[]", json.dumps(an_event("c"))]
    (files / "events.jsonl").write_text("\n".join(lines))
    status, printed, problem = run(files)
    assert status == 1
    assert printed.splitlines()[-1] == "2 events: 2 match, 0 do not."
    assert "events.jsonl:2:8: Expecting value" in problem
    assert "events.jsonl:3: an event is one JSON object" in problem
    assert problem.endswith("2 problems.")


@pytest.mark.parametrize("indent", [None, 2], ids=["one line", "pretty"])
@pytest.mark.parametrize("listed", [True, False], ids=["array", "one after the other"])
def test_events_in_an_array_or_over_several_lines_are_read(
    files: Path, listed: bool, indent: int | None
) -> None:
    events = [an_event("a") | {"data": {"currency": "SEK", "rows": [{"n": 1}]}}, an_event("b", "EUR")]
    texts = [events] if listed else events
    (files / "events.jsonl").write_text("\n" + "\n".join(json.dumps(one, indent=indent) for one in texts))
    status, printed, _ = run(files)
    assert status == 0
    assert printed.splitlines()[-1] == "2 events: 1 match, 1 do not."
    assert printed.startswith("2  a  matches" if not (listed and indent) else "3  a  matches")


@pytest.mark.parametrize(
    ("text", "place"),
    [('[\n{"id": "a"},\n oops]', "3:2: Expecting value"), ('{\n"id": oops}', "2:7: Expecting value")],
)
def test_what_is_no_list_of_events_is_one_problem_that_says_what_to_write(
    files: Path, text: str, place: str
) -> None:
    (files / "events.jsonl").write_text(text)
    status, _, problem = run(files)
    assert status == 1
    assert f"events.jsonl:{place}. Write one event per line (JSONL), or an array of events." in problem
    assert problem.endswith("1 problem.")


def test_a_first_line_that_is_broken_leaves_the_others_to_be_tried(files: Path) -> None:
    (files / "events.jsonl").write_text('{"id": oops}\n' + json.dumps(an_event("a")))
    status, printed, problem = run(files)
    assert status == 1
    assert printed.splitlines() == ["2  a  matches", "1 event: 1 match, 0 do not."]
    assert "events.jsonl:1:8: Expecting value" in problem


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"kind": }', "t.json:1:10: not JSON"),
        ('{"kind": "magic"}', "“magic” is no kind of transform"),
        ('{"kind": "template", "template": "${data.}"}', "t.json: line 1, column"),
    ],
)
def test_a_transform_that_is_not_valid_is_told_with_its_place(files: Path, text: str, place: str) -> None:
    (files / "t.json").write_text(text)
    status, _, problem = run(files, "--transform", str(files / "t.json"))
    assert status == 1
    assert place in problem


def test_an_output_that_cannot_be_made_is_a_problem(files: Path) -> None:
    (files / "events.jsonl").write_text(json.dumps(an_event("a") | {"subject": "x" * 10_000}))
    (files / "t.json").write_text(json.dumps({"kind": "template", "template": "${subject}" * 200}))
    status, _, problem = run(files, "--transform", str(files / "t.json"))
    assert status == 1
    assert problem.endswith("1 problem.")


@pytest.mark.parametrize(
    ("pattern", "events"), [("none.json", "events.jsonl"), ("pattern.json", "none.jsonl")]
)
def test_a_file_that_is_not_there_is_named(files: Path, pattern: str, events: str) -> None:
    status, _, problem = run(files, pattern=pattern, events=events)
    assert status == 1
    assert "none.json" in problem
    assert "No such file" in problem


def test_two_files_cannot_both_be_standard_input(files: Path) -> None:
    assert run(files, pattern="-", events="-")[0] == 2


def test_in_a_pipe_it_reads_standard_input_and_ends_with_its_status(files: Path) -> None:
    command = [
        sys.executable,
        "manage.py",
        "rules",
        "test",
        str(files / "pattern.json"),
        "-",
        "--expect",
        "all",
    ]
    done = subprocess.run(
        command, cwd=REPOSITORY, input=(files / "events.jsonl").read_bytes(), capture_output=True, check=False
    )
    assert done.returncode == 3
    assert done.stdout.decode().splitlines()[-1] == "3 events: 2 match, 1 do not."
    assert "Expected all of 3 events" in done.stderr.decode()


@pytest.mark.parametrize("options", [["--expect", "some"], ["--expect", "-1"]])
def test_an_expectation_that_means_nothing_is_refused(files: Path, options: list[str]) -> None:
    assert run(files, *options)[0] == 1


def test_events_in_the_envelope_of_aws_are_read(files: Path) -> None:
    aws = {
        "version": "0",
        "id": "a",
        "detail-type": "order.placed",
        "source": "shop",
        "detail": {"currency": "SEK"},
    }
    lines = [json.dumps(aws | {"resources": resources}) for resources in (["arn:a"], ["arn:a", "arn:b"])]
    (files / "events.jsonl").write_text("\n".join(lines))
    status, printed, problem = run(files)
    assert (status, printed.splitlines()[0]) == (1, "1  a  matches")
    assert "events.jsonl:2: `resources` of an AWS event" in problem


def convert(name: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("rules", "convert", name, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue(), err.getvalue() + str(error)
    return 0, out.getvalue(), err.getvalue()


def test_a_converted_transform_is_printed_with_notes_apart_and_can_be_tried(files: Path) -> None:
    written = {"InputPathsMap": {"kr": "$.detail.currency"}, "InputTemplate": '{"in": "<kr>"}'}
    (files / "aws.json").write_text(json.dumps(written))
    status, printed, notes = convert(str(files / "aws.json"))
    assert (status, notes.startswith("note: a variable alone in quotes keeps its type")) == (0, True)
    (files / "t.json").write_text(printed)
    _, printed, _ = run(files, "--transform", str(files / "t.json"))
    assert printed.splitlines()[2] == '    {"in": "SEK"}'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"InputPath": }', "aws.json:1:15: not JSON"),
        ('{"InputPath": "$.account"}', "aws.json: /InputPath: $.account has no counterpart"),
        ("[]", "aws.json: this is no transform of AWS"),
    ],
)
def test_what_cannot_be_converted_is_told_with_its_place(files: Path, text: str, place: str) -> None:
    (files / "aws.json").write_text(text)
    status, printed, problem = convert(str(files / "aws.json"))
    assert (status, printed) == (1, "")
    assert place in problem
