"""The JSON Schema Test Suite through our own entry point: every case is judged, refused on purpose, or a failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.schemas.documents import as_openapi, read_document
from catalog.schemas.validator import SchemaRefused, Validator, compile_schema
from tests.vectors import shared

# draft → its $schema, and how many required and optional tests of it are judged.
SUITES = {
    "draft4": ("http://json-schema.org/draft-04/schema#", 618),
    "draft6": ("http://json-schema.org/draft-06/schema#", 839),
    "draft7": ("http://json-schema.org/draft-07/schema#", 927),
    "draft2019-09": ("https://json-schema.org/draft/2019-09/schema", 1254),
    "draft2020-12": ("https://json-schema.org/draft/2020-12/schema", 1294),
}
# What is refused on purpose, docs/schemas.md: file → (words of the refusal, tests per draft from 2019-09 on).
REFUSED = {"vocabulary.json": ("This $schema is not supported", 5)}


def folder() -> Path:
    return shared() / "vectors" / "json-schema-test-suite"


def remotes(draft: str) -> dict[str, Any]:
    """The suite's remote schemas, by the address that its schemas use for them."""
    found = {}
    for file in sorted((folder() / "remotes").rglob("*.json")):
        place = file.relative_to(folder() / "remotes")
        if not place.parts[0].startswith("draft") or place.parts[0] == draft:
            found[f"http://localhost:1234/{place.as_posix()}"] = json.loads(file.read_text())
    return found


def cases(draft: str, pattern: str) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """File, case and its schema, in the draft's words."""
    for file in sorted((folder() / "tests" / draft).glob(pattern)):
        for case in json.loads(file.read_text()):
            schema = case["schema"]
            if isinstance(schema, dict):
                schema = {"$schema": SUITES[draft][0], **schema}
            yield file.name, case, schema


def wrong(validator: Validator, case: dict[str, Any]) -> list[str]:
    return [
        f"{case['description']}: {test['description']}"
        for test in case["tests"]
        if validator.is_valid(test["data"]) != test["valid"]
        or (validator.errors(test["data"]) == []) != test["valid"]
    ]


@pytest.mark.parametrize("draft", SUITES)
def test_every_required_test_of_the_suite_gets_its_verdict(draft):
    judged, refused = 0, 0
    failed: list[str] = []
    refusals: list[tuple[str, str]] = []
    known = remotes(draft)
    for file, case, schema in cases(draft, "*.json"):
        try:
            validator = compile_schema(json.dumps(schema), known)
        except SchemaRefused as error:
            refusals.append((file, str(error)))
            refused += len(case["tests"])
            continue
        judged += len(case["tests"])
        # From 2019-09 on the standard only notes formats; whoever writes one expects it to be checked, so we do.
        if not (file == "format.json" and draft.startswith("draft20")):
            failed += [f"{file}: {one}" for one in wrong(validator, case)]
    assert failed == []
    assert all(file in REFUSED and REFUSED[file][0] in said for file, said in refusals), refusals
    assert judged == SUITES[draft][1]
    assert refused == (REFUSED["vocabulary.json"][1] if draft.startswith("draft20") else 0)


@pytest.mark.parametrize("draft", SUITES)
def test_every_format_of_the_suite_is_checked_as_the_suite_says(draft):
    judged, failed = 0, []
    for file, case, schema in cases(draft, "optional/format/*.json"):
        validator = compile_schema(json.dumps(schema))
        judged += len(case["tests"])
        failed += [f"{file}: {one}" for one in wrong(validator, case)]
    assert judged > 200
    assert failed == []


@pytest.mark.parametrize("draft", SUITES)
def test_without_the_remotes_a_reference_to_them_is_refused(draft):
    for _, case, schema in cases(draft, "refRemote.json"):
        with pytest.raises(SchemaRefused, match="points outside this schema, and nothing is fetched"):
            compile_schema(json.dumps(schema))
        assert case["tests"]


@pytest.mark.parametrize("draft", SUITES)
def test_a_schema_shown_as_openapi_and_read_back_gives_the_same_verdicts(draft):
    """Of the schemas that stay inside the document. Dynamic references to choose from cannot be put into a component."""
    old = failed = judged = 0
    for file, case, schema in cases(draft, "*.json"):
        if file in ("dynamicRef.json", "recursiveRef.json", "format.json") or "dynamicRef" in json.dumps(
            schema
        ):
            continue
        if "recursiveRef" in json.dumps(schema) or json.dumps(schema).count("json-schema.org") > 1:
            continue  # The drafts' own schemas are no part of an OpenAPI document.
        try:
            before = compile_schema(json.dumps(schema))
        except SchemaRefused:
            continue
        document = as_openapi(schema)
        old += document["openapi"].startswith("3.0")
        (candidate, *_) = read_document(json.dumps(document)).candidates
        after = compile_schema(candidate.schema)
        for test in case["tests"]:
            judged += 1
            failed += before.is_valid(test["data"]) != after.is_valid(test["data"])
    assert failed == 0
    assert judged > 550
    assert old > 100
