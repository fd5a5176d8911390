"""docs/api-catalog.md and docs/cli.md tell what there is."""

from __future__ import annotations

import argparse
import json
import re

import pytest

from catalog.api.describing import document
from catalog.management.commands.catalog import Command
from tests.vectors import REPOSITORY

DOCS = (REPOSITORY / "docs" / "api-catalog.md").read_text()
CLI = (REPOSITORY / "docs" / "cli.md").read_text()
EXAMPLES = re.findall(
    r"<!-- POST (\S+) -->\n```json\n(.*?)\n```\n\n<!-- (\d+) -->\n```json\n(.*?)\n```", DOCS, re.DOTALL
)
RULES = ("patterns:test", "patterns:explain", "transforms:preview", "transforms:convert")


def test_every_address_has_a_row_and_no_other():
    told = set(re.findall(r"`(/api/v1/[^`]+)`", DOCS.split("## Who may")[0])) - {"/api/v1/docs/"}
    elsewhere = ("/api/v1/dead-letter",)
    paths = {path for path in document()["paths"] if not path.endswith(RULES)}
    assert told == {path for path in paths if not path.startswith(elsewhere)}


def test_dead_letters_have_a_page_of_their_own():
    text = (REPOSITORY / "docs" / "dead-letters.md").read_text()
    told = set(re.findall(r"`(/api/v1/[^`]+)`", text))
    assert told == {path for path in document()["paths"] if path.startswith("/api/v1/dead-letter")}


@pytest.mark.django_db
@pytest.mark.parametrize(("url", "asked", "status", "answered"), EXAMPLES)
def test_an_example_is_answered_as_written(client, person, town, url, asked, status, answered):
    response = client.post(url, asked, content_type="application/json")
    assert (response.status_code, json.loads(response.content)) == (int(status), json.loads(answered))


def verbs():
    parser = Command().create_parser("manage.py", "catalog")
    (found,) = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    return found.choices


def test_every_option_of_the_command_is_told_in_its_section():
    for verb, parser in verbs().items():
        section = CLI.partition(f"## catalog {verb}\n")[2].partition("\n## ")[0]
        assert section, verb
        inherited = {"--help", "-h", "--version", "--verbosity", "-v", "--settings", "--pythonpath"}
        for action in parser._actions:
            for option in set(action.option_strings) - inherited:
                assert f"`{option}" in section, option
        told = set(re.findall(r"`(--[a-z-]+)", section))
        assert told <= {option for action in parser._actions for option in action.option_strings} | {
            "--against"
        }


def test_every_ending_is_told():
    from catalog.command_line.ending import GOOD, NOT_ASKED, REFUSED, UNDECIDED

    for number in (GOOD, REFUSED, UNDECIDED, NOT_ASKED):
        assert f"\n| {number} |" in CLI
