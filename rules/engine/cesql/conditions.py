"""What must be so in every event that an expression takes, in words the index of patterns understands.

`branches` gives a disjunction of conjunctions of atoms. Necessary, not sufficient: an event that meets a branch is
still to be evaluated, an event that meets none is not taken. Atoms mind casts: `priority = '5'` also takes the
integer 5, `LIKE '1%'` the integer 12, and no alternative of patterns says that of integers but {"exists": true}.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from rules.engine.cesql.compiler import REQUIRED, Failed, compile_tree
from rules.engine.cesql.functions import FunctionTable
from rules.engine.cesql.like import LikePattern
from rules.engine.cesql.syntax import (
    Attribute,
    Call,
    Chain,
    Comparison,
    Exists,
    In,
    Like,
    Literal,
    Node,
    Not,
    children,
    walk,
)
from rules.engine.cesql.values import CastFailed, Value, to_boolean, to_integer, to_string

MAX_BRANCHES = 64
"""More are not worth an index: then a coarser condition is given."""

MAX_ATOMS = 16
"""In one branch: of more, the rarest stay."""

MAX_MIXED = 64
"""Operands of AND, OR and XOR side by side; of longer chains only the attributes that are surely read are known."""

MAX_DIGITS = 300
"""Longer numbers are more than patterns compare."""

_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_START_OF_INTEGER = re.compile(r"-?[0-9]*")

EXISTS, EXACT, PREFIX, SUFFIX, CONTAINS = "exists", "exact", "prefix", "suffix", "contains"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One alternative of a pattern: its operator and operand."""

    operator: str
    wanted: Value

    @property
    def json(self) -> Any:
        return self.wanted if self.operator == EXACT else {self.operator: self.wanted}

    @property
    def key(self) -> tuple[str, type, Value]:
        """What tells alternatives apart: in Python 1 == True."""
        return self.operator, type(self.wanted), self.wanted


@dataclass(frozen=True)
class Atom:
    """That an attribute meets one of some alternatives, in the language of patterns.

    attribute: its name, lower case; alternatives: JSON values as in a pattern's list, never empty.
    """

    attribute: str
    choices: tuple[Alternative, ...]

    @property
    def alternatives(self) -> list[Any]:
        return [choice.json for choice in self.choices]

    @cached_property
    def keys(self) -> frozenset[tuple[str, type, Value]]:
        return frozenset(choice.key for choice in self.choices)

    @cached_property
    def is_exact(self) -> bool:
        return all(choice.operator == EXACT for choice in self.choices)

    @cached_property
    def rank(self) -> tuple[int, int]:
        """Orders atoms on one attribute: the greater the rarer."""
        kinds = {choice.operator for choice in self.choices}
        if EXISTS in kinds:
            return 0, 0
        if kinds == {EXACT}:
            return 2, -len(self.choices)
        shortest = min(len(str(one.wanted)) for one in self.choices if one.operator != EXACT)
        return 1, shortest


Branch = dict[str, Atom]
"""Atoms by attribute: all must hold."""

NOTHING_KNOWN: tuple[Branch, ...] = ({},)
NEVER: tuple[Branch, ...] = ()
Branches = Sequence[Branch]


def atom(attribute: str, choices: Iterable[Alternative]) -> Atom:
    """An atom without repeats; {"exists": true} says what all its other alternatives say."""
    distinct = {choice.key: choice for choice in choices}
    anything = [choice for choice in distinct.values() if choice.operator == EXISTS]
    return Atom(attribute, tuple(anything[:1] or distinct.values()))


def exists(attribute: str) -> Atom:
    return Atom(attribute, (Alternative(EXISTS, True),))


def text_is(attribute: str, text: str) -> Atom:
    """That the attribute, cast to a string, is `text`."""
    choices = [Alternative(EXACT, text)]
    if text in ("true", "false"):
        choices.append(Alternative(EXACT, text == "true"))
    elif _INTEGER.fullmatch(text) is not None:
        if len(text) > MAX_DIGITS:
            return exists(attribute)
        choices.append(Alternative(EXACT, int(text)))
    return atom(attribute, choices)


def text_starts(attribute: str, prefix: str) -> Atom:
    """That the attribute, cast to a string, starts so."""
    if _START_OF_INTEGER.fullmatch(prefix) is not None:
        return exists(attribute)
    return atom(attribute, [Alternative(PREFIX, prefix), *_truths(lambda text: text.startswith(prefix))])


def text_ends(attribute: str, suffix: str) -> Atom:
    """That the attribute, cast to a string, ends so."""
    if _START_OF_INTEGER.fullmatch(suffix) is not None:
        return exists(attribute)
    return atom(attribute, [Alternative(SUFFIX, suffix), *_truths(lambda text: text.endswith(suffix))])


def text_is_like(attribute: str, pattern: LikePattern) -> Atom:
    """That the attribute, cast to a string, may be taken by a pattern of LIKE."""
    if pattern.exact is not None:
        return text_is(attribute, pattern.exact)
    operator, literal = max(
        ((PREFIX, pattern.prefix), (SUFFIX, pattern.suffix), (CONTAINS, pattern.longest_literal)),
        key=lambda form: len(form[1]),
    )
    if not literal or pattern.may_take_an_integer:
        return exists(attribute)
    return atom(attribute, [Alternative(operator, literal), *_truths(pattern.matcher())])


def _truths(matches: Callable[[str], bool]) -> list[Alternative]:
    """The booleans whose text matches."""
    return [Alternative(EXACT, truth) for truth in (True, False) if matches(to_string(truth))]


def both(*sides: Branches) -> Branches:
    """The branches of a conjunction. Where they would be too many, those of the sides that say the most."""
    common: Branch = {}
    several: list[Branches] = []
    for side in sides:
        if len(side) == 1:
            if _merged(common, side[0]) is None:
                return NEVER
        else:
            several.append(side)
    result: Branches = (common,)
    for side in sorted(several, key=len):
        if len(result) * len(side) > MAX_BRANCHES:
            break
        product = (_merged(dict(one), other) for one in result for other in side)
        result = _tidy(branch for branch in product if branch is not None)
    return [_rarest(branch) for branch in result]


def either(*sides: Branches) -> Branches:
    """The branches of a disjunction. When they are too many, nothing is known."""
    branches = _tidy(branch for side in sides for branch in side)
    return branches if len(branches) <= MAX_BRANCHES else NOTHING_KNOWN


def _merged(one: Branch, other: Branch) -> Branch | None:
    """`one`, changed to say both, None when they exclude each other. Of two atoms on an attribute the rarer stays."""
    for name, second in other.items():
        first = one.get(name)
        if first is None:
            one[name] = second
        elif first.is_exact and second.is_exact:
            keys = second.keys
            common = tuple(choice for choice in first.choices if choice.key in keys)
            if not common:
                return None
            one[name] = Atom(name, common)
        else:
            one[name] = max(first, second, key=lambda atom: atom.rank)
    return one


def _rarest(branch: Branch) -> Branch:
    """At most MAX_ATOMS of a branch."""
    if len(branch) <= MAX_ATOMS:
        return branch
    kept = sorted(branch.values(), key=lambda one: one.rank, reverse=True)[:MAX_ATOMS]
    return {one.attribute: one for one in kept}


def _tidy(branches: Iterable[Branch]) -> Branches:
    """The same without repeats; branches of a single atom on one attribute become one with all the alternatives."""
    alone: dict[str, list[Alternative]] = {}
    others: dict[frozenset[Any], Branch] = {}
    for branch in branches:
        if not branch:
            return NOTHING_KNOWN
        if len(branch) == 1:
            [(name, single)] = branch.items()
            alone.setdefault(name, []).extend(single.choices)
        else:
            others.setdefault(frozenset((name, one.keys) for name, one in branch.items()), branch)
    return [*({name: atom(name, choices)} for name, choices in alone.items()), *others.values()]


def all_exist(names: Iterable[str]) -> Branches:
    return ({name: exists(name) for name in islice(names, MAX_ATOMS)},)


def branches_of(root: Node, functions: FunctionTable) -> Branches:
    """The branches of an expression used as a filter: whose value must be the boolean true, without an error."""
    if isinstance(root, Attribute):  # here nothing is cast
        return ({root.name: Atom(root.name, (Alternative(EXACT, True),))},)
    return _Conditions(functions).of(root, True)


class _Conditions:
    def __init__(self, functions: FunctionTable) -> None:
        self._functions = functions

    def of(self, node: Node, wanted: bool) -> Branches:
        """What must be so for a node to be evaluated without an error to a value that, cast to boolean, is `wanted`."""
        match node:
            case Exists():
                if node.name in REQUIRED:
                    return NOTHING_KNOWN if wanted else NEVER
                return all_exist([node.name]) if wanted else NOTHING_KNOWN
            case Not():
                return self.of(node.operand, not wanted)
            case Chain() if node.is_logic:
                return self._logic(node, wanted)
            case Call() if self._functions.find(node.name, len(node.arguments)) is None:
                return NEVER
        if not any(isinstance(inner, Attribute | Exists) for inner in walk(node)):
            return self._constant(node, wanted)
        found: Atom | None = None
        match node:
            case Comparison() if node.operator in ("=", "!=") and wanted is (node.operator == "="):
                found = _equal(node)
            case Like(operand=Attribute(name=name)) if wanted:
                found = text_is_like(name, node.pattern)
            case In(operand=Attribute(name=name)) if wanted:
                found = _in(name, node.items)
        return self._evaluated(node) if found is None else ({found.attribute: found},)

    def _constant(self, node: Node, wanted: bool) -> Branches:
        """Of what is the same for every event, like `1 = 2`."""
        try:
            value = compile_tree(node, self._functions)({})
            return NOTHING_KNOWN if to_boolean(value) is wanted else NEVER
        except (Failed, CastFailed):
            return NEVER

    def _evaluated(self, node: Node) -> Branches:
        return all_exist(sorted(_surely_read(node)))

    def _logic(self, node: Chain, wanted: bool) -> Branches:
        operators = {operator for operator, _ in node.rest}
        if len(operators) == 1 and operators != {"XOR"}:
            sides = [self.of(operand, wanted) for operand in node.operands]
            return both(*sides) if wanted is (operators == {"AND"}) else either(*sides)
        if len(node.rest) >= MAX_MIXED:
            return self._evaluated(node)
        true, false = self.of(node.first, True), self.of(node.first, False)
        for operator, operand in node.rest:
            operand_true, operand_false = self.of(operand, True), self.of(operand, False)
            if operator == "AND":
                true, false = both(true, operand_true), either(false, operand_false)
            elif operator == "OR":
                true, false = either(true, operand_true), both(false, operand_false)
            else:
                differ = either(both(true, operand_false), both(false, operand_true))
                alike = either(both(true, operand_true), both(false, operand_false))
                true, false = differ, alike
        return true if wanted else false


def _equal(node: Comparison) -> Atom | None:
    """What an attribute must be to be equal to a literal; None for other comparisons."""
    match node.left, node.right:
        case Attribute(name=name), Literal(value=value):
            return _cast_to(name, value)
        case Literal(value=value), Attribute(name=name):
            return _cast_from(name, value)
        case _:
            return None


def _in(name: str, items: tuple[Node, ...]) -> Atom | None:
    """What an attribute must be to be one of some literals; None for other items."""
    choices: list[Alternative] = []
    for item in items:
        if not isinstance(item, Literal):
            return None
        choices += _cast_from(name, item.value).choices
    return atom(name, choices)


def _cast_to(name: str, value: Value) -> Atom:
    """`name = value`: the attribute is cast to the type of the value."""
    if isinstance(value, str):
        return text_is(name, value)
    if isinstance(value, bool):  # any integer but 0 is true, and strings are in any case
        return exists(name)
    # Strings may have a sign and leading zeros: "+05" is 5, but all end with its digits.
    choices = [Alternative(EXACT, value), Alternative(SUFFIX, str(abs(value)))]
    if value in (0, 1):
        choices.append(Alternative(EXACT, value == 1))
    return atom(name, choices)


def _cast_from(name: str, value: Value) -> Atom:
    """`value = name`, and `name IN (value)`: the value is cast to the type of the attribute."""
    choices = list(text_is(name, to_string(value)).choices)
    for convert in (to_integer, to_boolean):
        try:
            choices.append(Alternative(EXACT, convert(value)))
        except CastFailed:
            continue
    return atom(name, choices)


def _surely_read(node: Node) -> set[str]:
    """The attributes that are read whenever the node is evaluated to its end: each must be there."""
    match node:
        case Attribute():
            return {node.name}
        case Chain() if node.is_logic:
            names = _surely_read(node.first)
            for operator, operand in node.rest:
                if operator != "XOR":
                    break
                names |= _surely_read(operand)
            return names
        case In():
            return _surely_read(node.operand) | _surely_read(node.items[0])
        case _:
            return set().union(*map(_surely_read, children(node)))
