"""One direction of one pair: proof, then the places that break, then an example for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import jsonschema_rs

from catalog.said import said
from catalog.schemas.compatibility.budget import DEEPEST, LARGEST, Budget, Exhausted, size
from catalog.schemas.compatibility.containment import Comparison, unique
from catalog.schemas.compatibility.findings import Finding, place_name, sentence_of
from catalog.schemas.compatibility.looks import looks
from catalog.schemas.compatibility.merging import Merger
from catalog.schemas.compatibility.normal import Schema, Unsupported, normal, with_dialect
from catalog.schemas.compatibility.opening import Opener
from catalog.schemas.compatibility.patterns import OPTIONS
from catalog.schemas.compatibility.pointers import pointer_to, steps_of
from catalog.schemas.compatibility.proving import Prover
from catalog.schemas.compatibility.reading import Document, text_of
from catalog.schemas.compatibility.refusals import Refusals
from catalog.schemas.compatibility.verdicts import Break, Direction, Policy, Undecided
from catalog.schemas.compatibility.witnesses import Search
from catalog.schemas.openapi import without_openapi
from catalog.schemas.text import depth
from catalog.schemas.validator import SchemaRefused, Validator, compile_schema

PLACES = 40
LOOKS = 50_000  # of the validator for one value: about a millisecond
_TIME = said("The time for this check was used up before it was decided.")
Answer = tuple[list[Break], list[Undecided]]


class Pair:
    """The old and the new schema, read in one direction.

    `compiled` keeps validators by the text of their schemas for the other pairs of the same question.
    """

    def __init__(
        self,
        old: Schema,
        new: Schema,
        direction: Direction,
        policy: Policy,
        examples: Sequence[Any],
        budget: Budget,
        compiled: dict[str, Validator],
    ) -> None:
        self.compiled = compiled
        self.direction = direction
        self.policy = policy
        self.examples = examples
        self.budget = budget
        self.sent, self.read = (old, new) if direction is Direction.BACKWARD else (new, old)

    def _compiled(self, schema: Schema) -> Validator:
        text = json.dumps(without_openapi(schema))
        if text not in self.compiled:
            self.compiled[text] = compile_schema(text)
        return self.compiled[text]

    def answer(self) -> Answer:
        """The breaks and what stays undecided; both empty means proved."""
        if text_of(self.sent) == text_of(self.read):
            return [], []
        try:
            return self._answer()
        except Exhausted:
            return self._open(_TIME)
        except Unsupported as error:
            return self._open(said("The comparison does not look into %(what)s.", what=str(error)))
        except RecursionError:
            return self._open(
                said("The schema is nested too deeply, or its references lead back to themselves.")
            )
        except SchemaRefused as error:
            return self._open(said("A schema cannot be used: %(why)s", why=str(error)))
        except (ArithmeticError, ValueError) as error:
            return self._open(
                said("The schema holds a value that cannot be worked with: %(why)s", why=str(error)[:120])
            )

    def _open(self, why: str) -> Answer:
        return [], [Undecided(self.direction, "data", why)]

    def _answer(self) -> Answer:
        for schema in (self.sent, self.read):
            if not fits_json(schema):
                raise Unsupported("values that are no JSON")
            if size(schema) > LARGEST or depth(schema) > DEEPEST:
                raise Unsupported(f"schemas with more than {LARGEST:,} parts or {DEEPEST} levels")
        self.sent, self.read = with_dialect(self.sent), with_dialect(self.read)
        evolving = self.policy is Policy.EVOLUTION
        proof = self.budget.share(0.6)
        sent = Document(normal(self.sent, "w", proof))
        read = Document(normal(self.read, "r", proof))
        if max(looks(sent.root, LOOKS), looks(read.root, LOOKS)) > LOOKS:
            raise Unsupported("references that double what is applied at every level")
        # What the validator cannot use is not reasoned about either.
        self._validators = self._compiled(self.sent), self._compiled(self.read)
        if evolving:
            read = Opener(read, proof).opened()
        writer = Merger(sent, evolving, proof).merged()
        prover = Prover(proof)
        comparison = Comparison(writer, read, prover, proof)
        out_of_time = False
        try:
            comparison.run()
        except Exhausted:
            out_of_time = True
        findings = unique(comparison.findings)
        if not findings and not out_of_time:
            return [], []
        # Where it does not see why, the prover may: it also knows that only one branch of a oneOf fits.
        whole = {"allOf": [_bare(sent.root), _bare(writer.root)], "$defs": writer.definitions}
        if prover.covers(read.root, writer.root) or prover.covers(
            read.root, whole if evolving else sent.root
        ):
            return [], []
        return self._shown(findings, writer, read, prover, out_of_time)

    def _shown(
        self, findings: list[Finding], writer: Document, read: Document, prover: Prover, out_of_time: bool
    ) -> Answer:
        shows, refusals = self._test(writer, read)
        prover.renew(self.budget)
        search = Search(writer, read, prover, shows, refusals.relation, self.examples, self.budget)
        breaks: list[Break] = []
        left: list[Finding] = []
        try:
            for number, finding in enumerate(findings[:PLACES]):
                search.budget = search.sampler.budget = self.budget.share(
                    1 / (min(len(findings), PLACES) - number + 1)
                )
                try:
                    found, value = search.for_finding(finding)
                except Exhausted:
                    found, value = False, None
                if found:
                    breaks.append(self._break(finding, value, refusals))
                else:
                    left.append(finding)
            if not breaks:
                search.budget = search.sampler.budget = self.budget
                breaks += self._anywhere(search, refusals)
        except Exhausted:
            out_of_time = True
        return breaks, self._undecided(left, breaks, out_of_time)

    def _anywhere(self, search: Search, refusals: Refusals) -> list[Break]:
        for value in search.known():
            return [self._without_place(value, refusals)]
        found, value = search.anywhere()
        return [self._without_place(value, refusals)] if found else []

    def _test(self, writer: Document, read: Document) -> tuple[Callable[[Any], bool], Refusals]:
        """What a counterexample has to pass, and why the reader refuses it."""
        sends, takes = self._validators
        if looks(writer.root, LOOKS) > LOOKS:
            raise Unsupported("alternatives whose cases multiply at every level")
        declared = _normal_validator(writer) if self.policy is Policy.EVOLUTION else None
        tolerant = _normal_validator(read) if self.policy is Policy.EVOLUTION else None

        def shows(value: Any) -> bool:
            try:
                return (
                    takes.refuses(value)
                    and sends.is_valid(value)
                    and (declared is None or bool(declared.is_valid(value)))
                    and (tolerant is None or not tolerant.is_valid(value))
                )
            except (ValueError, OverflowError, RecursionError):
                return False

        return shows, Refusals(tolerant or takes, takes)

    def _break(self, finding: Finding, value: Any, refusals: Refusals) -> Break:
        return Break(
            direction=self.direction,
            path=_path_of(finding),
            message=sentence_of(finding, self.direction),
            caution=finding.caution(self.direction),
            counterexample=value,
            has_counterexample=True,
            reason=refusals.reason(finding, value),
            pointer=pointer_to(self.read, finding.steps, finding.word),
        )

    def _without_place(self, value: Any, refusals: Refusals) -> Break:
        finding = Finding(steps_of(refusals.place(value)), "whole", (), True, True)
        return self._break(finding, value, refusals)

    def _undecided(self, left: list[Finding], breaks: list[Break], out_of_time: bool) -> list[Undecided]:
        told = {one.path for one in breaks}
        found = []
        for finding in left:
            path = _path_of(finding)
            # What was shown below or above a place has said what there is to say about it.
            if not any(path == one or path.startswith(one) or one.startswith(path) for one in told):
                why = said(
                    "%(finding)s No example was found that shows it.",
                    finding=sentence_of(finding, self.direction),
                )
                found.append(Undecided(self.direction, path, why))
        if out_of_time:
            found.append(Undecided(self.direction, "data", _TIME))
        if not breaks and not found:
            found.append(
                Undecided(self.direction, "data", said("It was neither proved nor refuted by an example."))
            )
        return found


def _path_of(finding: Finding) -> str:
    path = place_name(finding.steps)
    named = finding.word in ("required", "dependentRequired", "additionalProperties", "unevaluatedProperties")
    return place_name((*finding.steps, ("member", finding.wanted))) if named and finding.wanted else path


def _normal_validator(document: Document) -> Any:
    return jsonschema_rs.Draft202012Validator(
        document.root, validate_formats=True, pattern_options=OPTIONS, offline=True
    )


def _bare(schema: Schema) -> Schema:
    if isinstance(schema, dict):
        return {word: value for word, value in schema.items() if word not in ("$defs", "$schema")}
    return schema


def fits_json(value: Any) -> bool:
    """Whether a value can be written as JSON."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
