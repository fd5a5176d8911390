"""Why an expression takes an event or does not: the sub-expression that decided it, in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from catalog.said import said
from rules.engine.alternative import show, type_names
from rules.engine.cesql.compiler import Attributes, Compiler, Failed
from rules.engine.cesql.errors import ErrorKind, EvaluationError, place
from rules.engine.cesql.functions import FunctionTable
from rules.engine.cesql.sentences import compared, describe, like, one_of, written
from rules.engine.cesql.syntax import (
    Attribute,
    Chain,
    Comparison,
    Exists,
    In,
    Like,
    Literal,
    Node,
    Not,
    children,
    return_type,
)
from rules.engine.cesql.values import ZERO, CastFailed, Type, Value, to_boolean
from rules.engine.condition import Condition
from rules.engine.event import ABSENT

_INVERSE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_ZERO_WORDS = {Type.STRING: "''", Type.INTEGER: "0", Type.BOOLEAN: "false"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A sub-expression that decided something.

    condition: what it asks and what the event has; its operator is one of CESQL, or the kind of an error, its path an
    attribute's name or, where the expression calculates, the expression; text: the sub-expression as written;
    start, end: its offsets; line, column: of its start, from 1.
    """

    condition: Condition
    text: str
    start: int
    end: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class SqlExplanation:
    """matched: the same answer as Expression.holds; value, error: those of Expression.evaluate; failed: the first
    finding that is not ok; findings: one for each term of the outermost AND, in order."""

    matched: bool
    value: Value
    error: EvaluationError | None
    failed: Finding | None
    findings: list[Finding]


def explain_tree(root: Node, text: str, functions: FunctionTable, attributes: Attributes) -> SqlExplanation:
    explainer = _Explainer(root, text, functions, attributes)
    value, failed = explainer.outcome(root)
    error = None
    if failed is not None:
        error = EvaluationError(failed.kind, describe(failed, text), failed.node.start, failed.node.end)
        value = failed.value if failed.node is root else ZERO[return_type(root, functions) or Type.BOOLEAN]
    if failed is None and not isinstance(value, bool):
        findings = [explainer.no_boolean(root, value)]
    else:
        findings = [explainer.reason(term, True) for term in _terms(root)]
    first = next((finding for finding in findings if not finding.condition.ok), None)
    return SqlExplanation(first is None, value, error, first, findings)


def _terms(node: Node) -> Iterator[Node]:
    """The terms of the outermost AND."""
    if isinstance(node, Chain) and all(operator == "AND" for operator, _ in node.rest):
        for operand in node.operands:
            yield from _terms(operand)
    else:
        yield node


class _Explainer:
    def __init__(self, root: Node, text: str, functions: FunctionTable, attributes: Attributes) -> None:
        self._root = root
        self._text = text
        self._functions = functions
        self._compiler = Compiler(functions)
        self._attributes = attributes

    def outcome(self, node: Node) -> tuple[Value, Failed | None]:
        """(the value of a node, or what stopped its evaluation)."""
        try:
            return self._compiler.run_of(node)(self._attributes), None
        except Failed as failed:
            return failed.value, failed

    def reason(self, node: Node, wanted: bool) -> Finding:
        """The finding that decided whether a node, cast to boolean, is `wanted`."""
        value, failed = self.outcome(node)
        if failed is not None:
            return self._error(failed)
        try:
            ok = to_boolean(value) is wanted
        except CastFailed:
            return self._plain(node, value, "true or false", "cast", "true or false", False)
        match node:
            case Not():
                return self.reason(node.operand, not wanted)
            case Chain() if node.is_logic:
                return self._logic(node, wanted, ok)
            case Comparison():
                return self._comparison(node, wanted, ok)
            case Like():
                operator = "LIKE" if wanted else "NOT LIKE"
                seen, _ = self.outcome(node.operand)
                phrase = like(node.pattern, not wanted)
                return self._about(node, node.operand, seen, operator, node.pattern.text, phrase, ok)
            case In():
                operator = "IN" if wanted else "NOT IN"
                seen, _ = self.outcome(node.operand)
                values = [self.outcome(item)[0] for item in node.items]
                return self._about(node, node.operand, seen, operator, values, one_of(values, not wanted), ok)
            case Exists():
                return self._exists(node, wanted, ok)
            case Literal():
                sentence = f"{written(node, self._text)} stands in the expression"
                tail = "as the rule wants" if ok else "which never holds"
                return self._finding(
                    node, written(node, self._text), "=", wanted, value, ok, f"{sentence}, {tail}"
                )
            case _:
                return self._plain(node, value, show(wanted), "=", wanted, ok)

    def no_boolean(self, root: Node, value: Value) -> Finding:
        """The finding of an expression whose value is a string or a number: nothing is cast there (CESQL §1.2)."""
        name = written(root, self._text)
        sentence = (
            f"{name} is {show(value)} ({type_names[type(value)]}), the rule wants true, not cast from others"
        )
        return self._finding(root, name, "=", True, value, False, sentence)

    def _finding(
        self, node: Node, path: str, operator: str, wanted: Any, seen: Any, ok: bool, sentence: str
    ) -> Finding:
        line, column = place(self._text, node.start)
        condition = Condition(path, operator, wanted, seen, ok, sentence, "", (node.start, node.end))
        return Finding(condition, self._text[node.start : node.end], node.start, node.end, line, column)

    def _about(
        self, node: Node, subject: Node, seen: Value, operator: str, wanted: Any, phrase: str, ok: bool
    ) -> Finding:
        """The finding of a node that asks something of its operand `subject`."""
        path = subject.name if isinstance(subject, Attribute) else written(subject, self._text)
        if isinstance(subject, Literal):
            tail = "holds always, as the rule wants" if ok else "never holds"
            sentence = f"{written(node, self._text)} {tail}"
        else:
            there = said("%(path)s is %(value)s", path=path, value=show(seen))
            if ok:
                sentence = said("%(seen)s, as the rule wants", seen=there)
            else:
                sentence = said("%(seen)s, the rule wants %(wanted)s", seen=there, wanted=phrase)
        return self._finding(node, path, operator, wanted, seen, ok, sentence)

    def _plain(self, node: Node, value: Value, phrase: str, operator: str, wanted: Any, ok: bool) -> Finding:
        return self._about(node, node, value, operator, wanted, phrase, ok)

    def _comparison(self, node: Comparison, wanted: bool, ok: bool) -> Finding:
        operator = node.operator if wanted else _INVERSE[node.operator]
        subject, other = node.left, node.right
        if isinstance(subject, Literal) and not isinstance(other, Literal):
            subject, other, operator = other, subject, _MIRRORED[operator]
        seen, _ = self.outcome(subject)
        compared_with, _ = self.outcome(other)
        phrase = show(compared_with)
        if not isinstance(other, Literal):
            phrase = f"{written(other, self._text)}, which is {phrase}"
            if operator == "=":
                phrase = f"the same as {phrase}"
        return self._about(node, subject, seen, operator, compared_with, compared(operator, phrase), ok)

    def _exists(self, node: Exists, wanted: bool, ok: bool) -> Finding:
        seen = self._attributes.get(node.name, ABSENT)
        there = "is not in the event" if seen is ABSENT else f"is {show(seen)}"
        tail = "as the rule wants" if ok else f"the rule wants it {'' if wanted else 'not '}to be there"
        operator = "EXISTS" if wanted else "NOT EXISTS"
        return self._finding(node, node.name, operator, wanted, seen, ok, f"{node.name} {there}, {tail}")

    def _logic(self, node: Chain, wanted: bool, ok: bool) -> Finding:
        """Goes to the leftmost operand that decided the chain: of an AND that is false, one that is false."""
        truths = [self._truth(node.first)]
        for operator, operand in node.rest:
            before = truths[-1]
            if operator == "XOR":
                truths.append(before is not self._truth(operand))
            else:
                truths.append(self._truth(operand) if before is (operator == "AND") else before)
        at = len(node.rest)
        while at > 0:
            operator, operand = node.rest[at - 1]
            if operator == "XOR":
                return self._plain(node, truths[-1], show(wanted), "=", wanted, ok)
            if truths[at] is not truths[at - 1]:
                return self.reason(operand, truths[at] is ok)
            at -= 1
        finding = self.reason(node.first, truths[0] is ok)
        if not ok and wanted and all(operator == "OR" for operator, _ in node.rest):
            more = f" (the first of {len(node.rest) + 1:,} alternatives, none of which holds)"
            condition = replace(finding.condition, sentence=finding.condition.sentence + more)
            return replace(finding, condition=condition)
        return finding

    def _truth(self, node: Node) -> bool:
        return to_boolean(self.outcome(node)[0])

    def _error(self, failed: Failed) -> Finding:
        node, sentence = failed.node, describe(failed, self._text)
        if failed.kind is ErrorKind.MISSING_ATTRIBUTE and isinstance(node, Attribute):
            around = _around(self._root, node)
            reads_as = _ZERO_WORDS[return_type(around, self._functions) or Type.BOOLEAN]
            name = "it" if around is node else written(around, self._text)
            sentence = f"{sentence}, so {name} reads as {reads_as} and the rule cannot take the event"
            return self._finding(node, node.name, str(failed.kind), True, ABSENT, False, sentence)
        if failed.kind is ErrorKind.CAST:
            operand = failed.operand or node
            path = operand.name if isinstance(operand, Attribute) else written(operand, self._text)
            return self._finding(
                node, path, str(failed.kind), failed.target.value, failed.seen, False, sentence
            )
        path = written(node, self._text)
        return self._finding(node, path, str(failed.kind), None, ABSENT, False, sentence)


def _around(root: Node, node: Node) -> Node:
    """The operation that the value of `node` goes into, `node` itself when that is NOT, AND, OR, XOR or nothing."""
    for child in children(root):
        if child is node:
            logical = isinstance(root, Not) or (isinstance(root, Chain) and root.is_logic)
            return node if logical else root
        if child.start <= node.start and node.end <= child.end:
            return _around(child, node)
    return node
