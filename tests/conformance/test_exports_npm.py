"""AsyncAPI documents pass the AsyncAPI parser, and entities the rules of Backstage: one run of node for all."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.exports.asyncapi import asyncapi
from catalog.exports.backstage import backstage
from catalog.exports.writing import json_pieces, yaml_pieces
from tests.catalogs import CATALOG

pytestmark = pytest.mark.service("npm")

ERROR, WARNING = 0, 1
TILL = CATALOG.sources[1]


@pytest.fixture(scope="module")
def verdicts(checkers: Path) -> dict[str, Any]:
    """What the packages say: of the catalog in YAML, of one source in JSON, and of what is spoilt."""
    whole = b"".join(yaml_pieces(asyncapi(CATALOG))).decode()
    source = b"".join(json_pieces(asyncapi(CATALOG, TILL))).decode()
    entities = list(yaml.safe_load_all(b"".join(yaml_pieces(*backstage(CATALOG)))))
    spoilt = [
        {**entities[0], "metadata": {"name": "no name"}},
        {
            **entities[-1],
            "spec": {key: value for key, value in entities[-1]["spec"].items() if key != "owner"},
        },
    ]
    given = {
        "asyncapi": {
            "whole": whole,
            "source": source,
            "spoilt": source.replace("#/components/messages/", "#/components/nowhere/"),
        },
        "backstage": [*entities, *spoilt],
    }
    done = subprocess.run(
        ["node", "check.js"],
        cwd=checkers,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", ["whole", "source"])
def test_the_parser_of_asyncapi_has_no_error_and_no_warning(verdicts: dict[str, Any], name: str) -> None:
    assert [one for one in verdicts["asyncapi"][name] if one["severity"] <= WARNING] == []


def test_the_parser_does_find_what_is_wrong(verdicts: dict[str, Any]) -> None:
    assert [one for one in verdicts["asyncapi"]["spoilt"] if one["severity"] == ERROR]


def test_backstage_takes_every_entity(verdicts: dict[str, Any]) -> None:
    *entities, name, owner = verdicts["backstage"]
    assert entities == [None] * 8
    assert "name" in name
    assert "owner" in owner
