"""The functions of CESQL (§3.5) and INT, BOOL and STRING of the conformance kit; others can be added to a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rules.engine.cesql.errors import ErrorKind
from rules.engine.cesql.values import MAX_INTEGER, MIN_INTEGER, Type, Value

MAX_RESULT = 64 * 1024
"""Characters of a string that CONCAT and CONCAT_WS make, at most."""

# Unicode's White_Space; str.strip() would also take the separators U+001C to U+001F, which are control characters.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


class FunctionFailed(Exception):
    """Raised by a function: `message` ends "NAME(…): …"; value: what it gives in spite of the error."""

    def __init__(self, message: str, value: Value, kind: ErrorKind = ErrorKind.FUNCTION_EVALUATION) -> None:
        super().__init__(message)
        self.message = message
        self.value = value
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Function:
    """A function by name and number of arguments, which are cast to the types of its parameters.

    rest: the type of any further arguments, None when there may be none; apply(*arguments) gives a value of the
    type `returns`, or raises FunctionFailed.
    """

    name: str
    parameters: tuple[Type, ...]
    returns: Type
    apply: Callable[..., Value]
    rest: Type | None = None

    def takes(self, count: int) -> bool:
        fixed = len(self.parameters)
        return count == fixed or (count > fixed and self.rest is not None)

    def types(self, count: int) -> tuple[Type, ...]:
        """The types of `count` arguments."""
        rest = () if self.rest is None else (self.rest,) * (count - len(self.parameters))
        return self.parameters + rest


class FunctionTable:
    """Functions by name. A table never changes: `with_functions` gives another."""

    def __init__(self, functions: tuple[Function, ...]) -> None:
        """Raises ValueError when two functions cannot be told apart by name and number of arguments (§3.5)."""
        self._by_name: dict[str, list[Function]] = {}
        for function in functions:
            name = function.name.upper()
            others = self._by_name.setdefault(name, [])
            for other in others:
                if _overlap(function, other):
                    raise ValueError(f"{name} with {len(function.parameters)} arguments is there already")
            others.append(function)
        self._functions = functions

    def with_functions(self, *functions: Function) -> FunctionTable:
        return FunctionTable((*self._functions, *functions))

    def find(self, name: str, count: int) -> Function | None:
        """The function of a name (upper case) that takes `count` arguments."""
        return next((one for one in self._by_name.get(name, ()) if one.takes(count)), None)

    @property
    def names(self) -> list[str]:
        return sorted(self._by_name)

    def counts(self, name: str) -> list[str]:
        """How many arguments the functions of a name take, for sentences: "2", "3", "1 or more"."""
        return [
            str(len(one.parameters)) + (" or more" if one.rest is not None else "")
            for one in self._by_name.get(name, ())
        ]


def _overlap(one: Function, other: Function) -> bool:
    fewer, more = sorted((one, other), key=lambda function: len(function.parameters))
    return len(fewer.parameters) == len(more.parameters) or fewer.rest is not None


def _joined(delimiter: str, *texts: str) -> str:
    size = sum(map(len, texts)) + len(delimiter) * max(len(texts) - 1, 0)
    if size > MAX_RESULT:
        raise FunctionFailed(f"the result has {size:,} characters, at most {MAX_RESULT:,} are made", "")
    return delimiter.join(texts)


def _left(text: str, count: int) -> str:
    if count < 0:
        raise FunctionFailed(f"the number of characters is {count}, it must be 0 or more", text)
    return text[:count]


def _right(text: str, count: int) -> str:
    if count < 0:
        raise FunctionFailed(f"the number of characters is {count}, it must be 0 or more", text)
    return text[max(len(text) - count, 0) :]


def _substring(text: str, position: int, length: int = MAX_INTEGER) -> str:
    if length < 0:
        raise FunctionFailed(f"the length is {length}, it must be 0 or more", "")
    if position > len(text) or position < -len(text):
        raise FunctionFailed(f"the string has {len(text)} characters, position {position} is outside", "")
    if position == 0:
        return ""
    start = position - 1 if position > 0 else len(text) + position
    return text[start : start + length]


def _absolute(number: int) -> int:
    if number == MIN_INTEGER:
        raise FunctionFailed(f"{-number} is more than an integer can hold", MAX_INTEGER, ErrorKind.MATH)
    return abs(number)


_TEXT, _NUMBER, _TRUTH = Type.STRING, Type.INTEGER, Type.BOOLEAN

BUILT_IN = FunctionTable(
    (
        Function("LENGTH", (_TEXT,), _NUMBER, len),
        Function("CONCAT", (), _TEXT, lambda *texts: _joined("", *texts), rest=_TEXT),
        Function("CONCAT_WS", (_TEXT,), _TEXT, _joined, rest=_TEXT),
        Function("LOWER", (_TEXT,), _TEXT, str.lower),
        Function("UPPER", (_TEXT,), _TEXT, str.upper),
        Function("TRIM", (_TEXT,), _TEXT, lambda text: text.strip(WHITE_SPACE)),
        Function("LEFT", (_TEXT, _NUMBER), _TEXT, _left),
        Function("RIGHT", (_TEXT, _NUMBER), _TEXT, _right),
        Function("SUBSTRING", (_TEXT, _NUMBER), _TEXT, _substring),
        Function("SUBSTRING", (_TEXT, _NUMBER, _NUMBER), _TEXT, _substring),
        Function("ABS", (_NUMBER,), _NUMBER, _absolute),
        Function("INT", (_NUMBER,), _NUMBER, lambda number: number),
        Function("BOOL", (_TRUTH,), _TRUTH, lambda truth: truth),
        Function("STRING", (_TEXT,), _TEXT, lambda text: text),
    )
)
