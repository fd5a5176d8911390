"""From text to tree: precedence as in CESQL §3.6, everything else as in §2."""

from __future__ import annotations

import re
from typing import NoReturn

from rules.engine.cesql.errors import error_at
from rules.engine.cesql.like import LikePattern
from rules.engine.cesql.syntax import (
    LOGIC,
    Attribute,
    Call,
    Chain,
    Comparison,
    Exists,
    In,
    Like,
    Literal,
    Negate,
    Node,
    Not,
    children,
)
from rules.engine.cesql.tokens import Kind, Token, tokens_of
from rules.engine.cesql.values import MAX_INTEGER, MIN_INTEGER

MAX_DEPTH = 32
"""Levels of parentheses, arguments and operators inside each other."""

_COMPARISONS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}

# How tightly operators bind, unary ones and functions aside, which bind tightest.
_LIKE, _IN, _MULTIPLY, _ADD, _COMPARE, _LOGIC = 6, 5, 4, 3, 2, 1
_CHAINED = {
    **dict.fromkeys(("*", "/", "%"), _MULTIPLY),
    **dict.fromkeys(("+", "-"), _ADD),
    **dict.fromkeys(LOGIC, _LOGIC),
}

_FUNCTION_NAME = re.compile(r"[A-Za-z][A-Za-z_]*")
_TOO_DEEP = f"nested too deep: at most {MAX_DEPTH} levels are understood"


def parse_tree(text: str) -> Node:
    """The tree of an expression. Raises CesqlError."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        self._at = 0
        self._inside = 0
        self._depths: dict[int, int] = {}

    def whole(self) -> Node:
        node = self._expression(0)
        if self._next.kind is not Kind.END:
            if self._is(")"):
                self._refuse("this ) closes nothing: remove it, or open it with (")
            if self._is("NOT"):
                self._refuse("after a value, NOT is followed by LIKE or IN")
            self._refuse(f"here an operator like AND, = or LIKE is expected, not {self._seen()}")
        return node

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _is(self, text: str) -> bool:
        return self._next.kind in (Kind.OPERATOR, Kind.KEYWORD) and self._next.text == text

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _close(self, opening: Token, more: str = "") -> int:
        """Takes the ) that belongs to `opening`; the offset after it."""
        if self._is(")"):
            return self._take().end
        if self._next.kind is Kind.END:
            raise error_at(self._text, opening.start, "this ( is not closed: add )")
        self._refuse(f"here {more}) is expected, not {self._seen()}")

    def _seen(self) -> str:
        token = self._next
        if token.kind is Kind.END:
            return "the end"
        written = self._text[token.start : token.end]
        return f"`{written if len(written) <= 40 else written[:37] + '…'}`"

    def _refuse(self, message: str) -> NoReturn:
        raise error_at(self._text, self._next.start, message)

    def _made(self, node: Node) -> Node:
        """The node, unless it is nested too deep; evaluating goes as deep as the tree."""
        depth = 1 + max((self._depths.get(id(child), 1) for child in children(node)), default=0)
        if depth > MAX_DEPTH:
            raise error_at(self._text, node.start, _TOO_DEEP)
        self._depths[id(node)] = depth
        return node

    def _enter(self) -> None:
        self._inside += 1
        if self._inside > MAX_DEPTH:
            self._refuse(_TOO_DEEP)

    def _expression(self, least: int) -> Node:
        """An expression of operators that bind at least as tightly as `least`."""
        self._enter()
        start = self._next.start
        node = self._unary()
        while True:
            operator = self._operator()
            if operator == "LIKE" and least <= _LIKE:
                node = self._like(node, start)
            elif operator == "IN" and least <= _IN:
                node = self._in(node, start)
            elif operator in _COMPARISONS and least <= _COMPARE:
                self._take()
                right = self._expression(_COMPARE + 1)
                node = self._made(Comparison(_COMPARISONS[operator], node, right, start, self._before))
            elif operator in _CHAINED and least <= _CHAINED[operator]:
                node = self._chain(node, start, _CHAINED[operator])
            else:
                break
        self._inside -= 1
        return node

    def _operator(self) -> str:
        """The operator that follows, LIKE and IN also for NOT LIKE and NOT IN; "" when there is none."""
        token = self._next
        if token.kind not in (Kind.OPERATOR, Kind.KEYWORD):
            return ""
        if token.text == "NOT":
            after = self._tokens[self._at + 1]
            return after.text if after.kind is Kind.KEYWORD and after.text in ("LIKE", "IN") else ""
        return token.text

    def _negated(self) -> bool:
        """Takes LIKE or IN and a NOT before it; whether there was one."""
        negated = self._take().text == "NOT"
        if negated:
            self._take()
        return negated

    def _like(self, operand: Node, start: int) -> Node:
        negated = self._negated()
        if self._next.kind is not Kind.STRING:
            self._refuse(
                f"LIKE is followed by a string in quotes, as in type LIKE 'com.%', not {self._seen()}"
            )
        token = self._take()
        node = self._made(Like(operand, LikePattern(token.text), token.start, start, token.end))
        return self._made(Not(node, start, token.end)) if negated else node

    def _in(self, operand: Node, start: int) -> Node:
        negated = self._negated()
        if not self._is("("):
            self._refuse(f"IN is followed by a list, as in type IN ('a', 'b'), not {self._seen()}")
        items, end = self._list("IN needs at least one value, as in type IN ('a', 'b')")
        node = self._made(In(operand, items, start, end))
        return self._made(Not(node, start, end)) if negated else node

    def _list(self, when_empty: str = "") -> tuple[tuple[Node, ...], int]:
        """(expressions between parentheses, the offset after them); may be empty unless a message says no."""
        opening = self._take()
        items: list[Node] = []
        if self._is(")"):
            if when_empty:
                self._refuse(when_empty)
            return (), self._take().end
        items.append(self._expression(0))
        while self._is(","):
            self._take()
            items.append(self._expression(0))
        return tuple(items), self._close(opening, ", or ")

    def _chain(self, first: Node, start: int, binding: int) -> Node:
        rest: list[tuple[str, Node]] = []
        while _CHAINED.get(self._operator()) == binding:
            operator = self._take().text
            rest.append((operator, self._expression(binding + 1)))
        return self._made(Chain(first, tuple(rest), start, self._before))

    def _unary(self) -> Node:
        token = self._next
        if self._is("NOT") or self._is("-") or self._is("+"):
            self._take()
            signed = token.text != "NOT" and self._next.kind is Kind.NUMBER and self._next.start == token.end
            if signed:
                number = self._take()
                return self._number(token.text + number.text, token.start, number.end)
            if token.text == "+":
                self._refuse(
                    f"+ before a value is only understood with a number, as in +5, not {self._seen()}"
                )
            self._enter()
            operand = self._unary()
            self._inside -= 1
            made = Not if token.text == "NOT" else Negate
            return self._made(made(operand, token.start, self._before))
        return self._value()

    def _value(self) -> Node:
        token = self._next
        if token.kind is Kind.END:
            self._refuse(
                "the expression is empty" if not self._at else "here a value is expected, not the end"
            )
        self._take()
        if token.kind is Kind.NUMBER:
            return self._number(token.text, token.start, token.end)
        if token.kind is Kind.STRING:
            return Literal(token.text, token.start, token.end)
        if token.kind is Kind.WORD:
            return self._call(token) if self._is("(") else self._attribute(token)
        value = {"TRUE": True, "FALSE": False}.get(token.text)
        if value is not None:
            return Literal(value, token.start, token.end)
        if token.text == "(":
            node = self._expression(0)
            self._close(token, "an operator or ")
            return node
        if token.text == "EXISTS":
            return self._exists(token)
        self._at -= 1
        written = self._seen()
        if token.kind is Kind.KEYWORD:
            self._refuse(f"here a value is expected, not {written}, which is a word of the language")
        self._refuse(f"here a value is expected, not {written}")

    def _number(self, written: str, start: int, end: int) -> Node:
        digits = written.lstrip("+-").lstrip("0") or "0"
        number = int(digits) if len(digits) <= 10 else MAX_INTEGER + 2
        if written.startswith("-"):
            number = -number
        if not MIN_INTEGER <= number <= MAX_INTEGER:
            message = f"numbers are whole and between {MIN_INTEGER:,} and {MAX_INTEGER:,}"
            raise error_at(self._text, start, message)
        return Literal(number, start, end)

    def _exists(self, keyword: Token) -> Node:
        if self._next.kind is not Kind.WORD:
            self._refuse(
                f"EXISTS is followed by the name of an attribute, without parentheses, not {self._seen()}"
            )
        attribute = self._attribute(self._take())
        return Exists(attribute.name, keyword.start, attribute.end)

    def _attribute(self, token: Token) -> Attribute:
        if "_" in token.text:
            message = f"`{token.text}` is no name of an attribute: those have letters and digits only"
            raise error_at(self._text, token.start, message)
        name = token.text.lower()
        if name == "data":
            message = "`data` cannot be asked for, only attributes: for data use a pattern"
            raise error_at(self._text, token.start, message)
        return Attribute(name, token.start, token.end)

    def _call(self, token: Token) -> Node:
        if _FUNCTION_NAME.fullmatch(token.text) is None:
            message = f"`{token.text}` is no name of a function: those have letters and _ only"
            raise error_at(self._text, token.start, message)
        arguments, end = self._list()
        return self._made(Call(token.text.upper(), arguments, token.start, end))

    @property
    def _before(self) -> int:
        """Where the last token taken ends."""
        return self._tokens[self._at - 1].end
