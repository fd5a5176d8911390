"""Pairs of other registries' tests, each judged again: policy strict."""

import json

import pytest

from catalog.schemas.compatibility import Mode, Outcome, Policy, check
from tests.unit.compatibility.rechecked import DRAFT_7, accepts, assert_shown
from tests.vectors import shared

PATIENT = 5.0  # seconds: the machine of the tests may be busy; what is meant is the verdict
UNDECIDED = 0.03


def _vectors() -> list[dict]:
    with open(shared() / "vectors/compatibility/strict.jsonl") as file:
        return [json.loads(line) for line in file]


def _draft_7(schema):
    return {"$schema": DRAFT_7, **schema} if isinstance(schema, dict) and "$schema" not in schema else schema


VECTORS = _vectors()


@pytest.fixture(scope="module")
def verdicts():
    found = []
    for vector in VECTORS:
        old, new = _draft_7(vector["old"]), _draft_7(vector["new"])
        found.append(
            (vector, old, new, check(old, new, Mode(vector["mode"].lower()), Policy.STRICT, (), PATIENT))
        )
    return found


def test_no_breaking_pair_is_accepted(verdicts):
    wrong = [
        v["id"] for v, _, _, found in verdicts if not v["compatible"] and found.outcome is Outcome.COMPATIBLE
    ]
    assert wrong == []


def test_no_compatible_pair_is_refused(verdicts):
    wrong = [
        v["id"] for v, _, _, found in verdicts if v["compatible"] and found.outcome is Outcome.INCOMPATIBLE
    ]
    assert wrong == []


def test_few_pairs_stay_undecided(verdicts):
    left = [v["id"] for v, _, _, found in verdicts if found.outcome is Outcome.UNDECIDED]
    assert len(left) <= UNDECIDED * len(VECTORS), left


def test_every_refusal_has_an_example_that_shows_it(verdicts):
    assert len(verdicts) == 600
    for _, old, new, found in verdicts:
        assert_shown(old, new, found)


def test_the_examples_of_the_vectors_show_what_they_say():
    for vector in VECTORS:
        if not vector["compatible"] and "counterexample" in vector:
            old, new = _draft_7(vector["old"]), _draft_7(vector["new"])
            sent, read = (old, new) if vector["mode"] == "BACKWARD" else (new, old)
            assert accepts(sent, vector["counterexample"])
            assert not accepts(read, vector["counterexample"])
