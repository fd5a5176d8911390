"""The tree of an expression. Every node knows its place in the text: text[start:end], which equality leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rules.engine.cesql.functions import FunctionTable
from rules.engine.cesql.like import LikePattern
from rules.engine.cesql.values import Type, Value, type_of

LOGIC = frozenset({"AND", "OR", "XOR"})


@dataclass(frozen=True, slots=True)
class Literal:
    value: Value
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str  # lower case
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Exists:
    name: str  # lower case
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """NOT x; also `x NOT LIKE …` and `x NOT IN …`, whose place is then that of the whole."""

    operand: Node
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Negate:
    operand: Node
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Like:
    operand: Node
    pattern: LikePattern
    pattern_start: int = field(compare=False)
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class In:
    operand: Node
    items: tuple[Node, ...]
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: str  # = != < <= > >=
    left: Node
    right: Node
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one precedence, side by side: `a AND b OR c`, `1 + 2 - 3`, evaluated from left to right (§3.6).

    A list and not a tree, so that a chain of thousands of terms is not thousands of levels deep.
    """

    first: Node
    rest: tuple[tuple[str, Node], ...]
    start: int = field(compare=False)
    end: int = field(compare=False)

    @property
    def is_logic(self) -> bool:
        """AND, OR, XOR; otherwise arithmetic."""
        return self.rest[0][0] in LOGIC

    @property
    def operands(self) -> tuple[Node, ...]:
        return (self.first, *(operand for _, operand in self.rest))


@dataclass(frozen=True, slots=True)
class Call:
    name: str  # upper case
    arguments: tuple[Node, ...]
    start: int = field(compare=False)
    end: int = field(compare=False)


Node = Literal | Attribute | Exists | Not | Negate | Like | In | Comparison | Chain | Call


def children(node: Node) -> tuple[Node, ...]:
    """The sub-expressions of a node, from left to right."""
    match node:
        case Not() | Negate() | Like():
            return (node.operand,)
        case In():
            return (node.operand, *node.items)
        case Comparison():
            return (node.left, node.right)
        case Chain():
            return node.operands
        case Call():
            return node.arguments
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything inside, from left to right, outer before inner."""
    yield node
    for child in children(node):
        yield from walk(child)


def return_type(node: Node, functions: FunctionTable) -> Type | None:
    """The type of a node's value; None for attributes, whose type only an event tells."""
    match node:
        case Literal():
            return type_of(node.value)
        case Attribute():
            return None
        case Negate():
            return Type.INTEGER
        case Chain():
            return Type.BOOLEAN if node.is_logic else Type.INTEGER
        case Call():
            function = functions.find(node.name, len(node.arguments))
            return Type.BOOLEAN if function is None else function.returns
        case _:
            return Type.BOOLEAN


def reading(node: Node, text: str) -> str:
    """The expression with every operation in parentheses, as it is understood."""
    match node:
        case Literal() | Attribute() | Exists():
            return text[node.start : node.end]
        case Not():
            return f"(NOT {reading(node.operand, text)})"
        case Negate():
            return f"(- {reading(node.operand, text)})"
        case Like():
            return f"({reading(node.operand, text)} LIKE {text[node.pattern_start : node.end]})"
        case In():
            items = ", ".join(reading(item, text) for item in node.items)
            return f"({reading(node.operand, text)} IN ({items}))"
        case Comparison():
            return f"({reading(node.left, text)} {node.operator} {reading(node.right, text)})"
        case Chain():
            read = reading(node.first, text)
            for operator, operand in node.rest:
                read = f"({read} {operator} {reading(operand, text)})"
            return read
        case Call():
            return f"{node.name}({', '.join(reading(argument, text) for argument in node.arguments)})"
