"""JSONPath (RFC 9535), whole: parsed by jsonpath-rfc9535, evaluated here, where every step is counted.

The library's own evaluator visits without limit ($..*..*..*..* never ends) and its search() and match() backtrack.
Here a budget of steps ends both, and RE2 takes time linear in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Final

from jsonpath_rfc9535 import JSONPathEnvironment
from jsonpath_rfc9535 import filter_expressions as parsed
from jsonpath_rfc9535 import selectors as parsed_selectors
from jsonpath_rfc9535.exceptions import JSONPathError
from jsonpath_rfc9535.query import JSONPathQuery
from jsonpath_rfc9535.segments import JSONPathRecursiveDescentSegment

from rules.engine.i_regexp import RegexError, compile_regex
from rules.engine.transform_error import TooManySteps

MAX_DESCENTS = 2
MAX_NESTING = 32
# A character matched costs a hundredth of a step, a pattern from an event as much as looking at 100 values.
_CHARACTERS, _PATTERN = 100, 100


class QueryError(ValueError):
    """A query that is not understood; `at` is the offset in its text."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


class Steps:
    """What one event may still cost, in values looked at. Not to be shared by threads."""

    __slots__ = ("left", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = self.left = limit

    def take(self, count: int) -> None:
        """Raises TooManySteps when there are no `count` steps left."""
        self.left -= count
        if self.left < 0:
            raise TooManySteps(f"this takes more than {self.limit:,} steps, the most that one event may cost")


class Nothing(Enum):
    """The type of NOTHING, the result of a query without nodes where a value is wanted (RFC 9535 §2.4.1)."""

    NOTHING = "Nothing"


NOTHING: Final = Nothing.NOTHING

Select = Callable[[Any, Any, Steps, list[Any]], None]  # (value, root, steps, where to put what is found)
Test = Callable[[Any, Any, Steps], bool]  # (current value, root, steps)
Value = Callable[[Any, Any, Steps], Any]
Segment = tuple[bool, tuple[Select, ...]]  # (descends, selectors)


class Query:
    """A compiled query. `names` are its look-ups when it leads to one place at most (a singular query), else None."""

    __slots__ = ("names", "segments")

    def __init__(self, segments: tuple[Segment, ...], names: tuple[str | int, ...] | None) -> None:
        self.segments = segments
        self.names = names

    def find(self, root: Any, steps: Steps) -> list[Any]:
        """The values of all nodes of the JSON value `root`, in order. Raises TooManySteps."""
        if self.names is not None:
            steps.take(len(self.names))
            found = look_up(root, self.names)
            return [] if found is NOTHING else [found]
        return walk([root], root, self.segments, steps)


def look_up(value: Any, names: tuple[str | int, ...]) -> Any:
    """What is in `value` under these names and indexes; NOTHING when nothing is."""
    for name in names:
        if isinstance(name, str):
            if not isinstance(value, dict) or name not in value:
                return NOTHING
        elif not isinstance(value, list) or not -len(value) <= name < len(value):
            return NOTHING
        value = value[name]
    return value


def walk(found: list[Any], root: Any, segments: tuple[Segment, ...], steps: Steps) -> list[Any]:
    """The values that these segments lead to from each of `found`."""
    for descends, selectors in segments:
        out: list[Any] = []
        for start in found:
            for value in _descendants(start, steps) if descends else (start,):
                steps.take(len(selectors))
                for select in selectors:
                    select(value, root, steps, out)
        found = out
    return found


def _descendants(start: Any, steps: Steps) -> Iterator[Any]:
    """The value and all objects and lists below it, each before what is in it (RFC 9535 §2.5.2.2)."""
    todo = [start]
    while todo:
        value = todo.pop()
        yield value
        if isinstance(value, dict | list):
            steps.take(len(value))
            inner = value.values() if isinstance(value, dict) else value
            todo.extend([one for one in inner if isinstance(one, dict | list)][::-1])


def name_selector(name: str) -> Select:
    """['name']"""

    def select(value: Any, root: Any, steps: Steps, out: list[Any]) -> None:
        if isinstance(value, dict) and name in value:
            out.append(value[name])

    return select


def index_selector(index: int) -> Select:
    """[0], [-1]"""

    def select(value: Any, root: Any, steps: Steps, out: list[Any]) -> None:
        if isinstance(value, list) and -len(value) <= index < len(value):
            out.append(value[index])

    return select


def every(value: Any, root: Any, steps: Steps, out: list[Any]) -> None:
    """[*]"""
    if isinstance(value, dict | list):
        steps.take(len(value))
        out.extend(value.values() if isinstance(value, dict) else value)


def _slice_selector(part: slice) -> Select:
    def select(value: Any, root: Any, steps: Steps, out: list[Any]) -> None:
        if isinstance(value, list) and part.step != 0:
            steps.take(len(range(*part.indices(len(value)))))
            out.extend(value[part])

    return select


class Filtering:
    """[?…], a selector that tests the values."""

    __slots__ = ("test",)

    def __init__(self, test: Test) -> None:
        self.test = test

    def __call__(self, value: Any, root: Any, steps: Steps, out: list[Any]) -> None:
        test = self.test
        if isinstance(value, dict | list):
            for one in value.values() if isinstance(value, dict) else value:
                steps.take(1)
                if test(one, root, steps):
                    out.append(one)


_environment = JSONPathEnvironment()


def compile_query(text: str) -> Query:
    """The query of JSONPath `text`. Raises QueryError, with the place, when it is none or could never be bounded."""
    try:
        query = _query(_environment.compile(text), 0)
    except JSONPathError as error:
        at = error.token.index if error.token else 0
        raise QueryError(str(error.args[0]) if error.args else "this is no JSONPath", at) from None
    except RecursionError:
        raise QueryError("this path is nested too deep", 0) from None
    descents = sum(descends for descends, _ in query.segments)
    if descents > MAX_DESCENTS:
        raise QueryError(
            f"the path descends by .. {descents} times: at most {MAX_DESCENTS} can be followed in time", 0
        )
    return query


def _query(query: JSONPathQuery, level: int) -> Query:
    if level > MAX_NESTING:
        raise QueryError(f"filters are nested more than {MAX_NESTING} levels deep", 0)
    segments = tuple(
        (
            isinstance(segment, JSONPathRecursiveDescentSegment),
            tuple(_select(selector, level) for selector in segment.selectors),
        )
        for segment in query.segments
    )
    if not query.singular_query():
        return Query(segments, None)
    return Query(segments, tuple(_name(segment.selectors[0]) for segment in query.segments))


def _name(selector: object) -> str | int:
    if isinstance(selector, parsed_selectors.NameSelector):
        return selector.name
    assert isinstance(selector, parsed_selectors.IndexSelector)
    return selector.index


def _select(selector: object, level: int) -> Select:
    match selector:
        case parsed_selectors.NameSelector():
            return name_selector(selector.name)
        case parsed_selectors.IndexSelector():
            return index_selector(selector.index)
        case parsed_selectors.SliceSelector():
            return _slice_selector(selector.slice)
        case parsed_selectors.FilterSelector():
            return Filtering(_test(selector.expression.expression, level + 1))
    assert isinstance(selector, parsed_selectors.WildcardSelector)
    return every


def _test(expression: object, level: int) -> Test:
    """A filter's condition (RFC 9535 §2.3.5)."""
    if level > MAX_NESTING:
        raise QueryError(f"conditions are nested more than {MAX_NESTING} levels deep", 0)
    match expression:
        case parsed.LogicalExpression():
            return _logical(expression, level)
        case parsed.PrefixExpression():
            negated = _test(expression.right, level + 1)
            return lambda current, root, steps: not negated(current, root, steps)
        case parsed.ComparisonExpression():
            return _comparison(expression, level)
        case parsed.FunctionExtension():
            return _matching(expression, level)
    nodes = _nodes(expression, level)
    return lambda current, root, steps: bool(nodes(current, root, steps))


def _logical(expression: parsed.LogicalExpression, level: int) -> Test:
    operator = expression.operator
    # a && b && c is parsed one inside the other; a chain is no nesting.
    chain: list[object] = []
    todo: list[object] = [expression]
    while todo:
        one = todo.pop()
        if isinstance(one, parsed.LogicalExpression) and one.operator == operator:
            todo += [one.right, one.left]
        else:
            chain.append(one)
    tests = [_test(one, level + 1) for one in chain]
    if operator == "&&":
        return lambda current, root, steps: all(test(current, root, steps) for test in tests)
    return lambda current, root, steps: any(test(current, root, steps) for test in tests)


def _nodes(expression: object, level: int) -> Callable[[Any, Any, Steps], list[Any]]:
    assert isinstance(expression, parsed.FilterQuery)
    query = _query(expression.query, level)

    def nodes(current: Any, root: Any, steps: Steps) -> list[Any]:
        steps.take(1)
        start = root if from_root else current
        if query.names is not None:
            return query.find(start, steps)
        return walk([start], root, query.segments, steps)

    from_root = isinstance(expression, parsed.RootFilterQuery)
    return nodes


def _value(expression: object, level: int) -> Value:
    match expression:
        case parsed.FilterExpressionLiteral():
            literal = expression.value
            return lambda current, root, steps: literal
        case parsed.FunctionExtension():
            return _function(expression, level)
    nodes = _nodes(expression, level)

    def value(current: Any, root: Any, steps: Steps) -> Any:
        found = nodes(current, root, steps)
        return found[0] if found else NOTHING

    return value


def _function(call: parsed.FunctionExtension, level: int) -> Value:
    """length(), count() and value() (RFC 9535 §2.4.4, 2.4.5, 2.4.8)."""
    if call.name == "length":
        value = _value(call.args[0], level + 1)

        def length(current: Any, root: Any, steps: Steps) -> Any:
            found = value(current, root, steps)
            return len(found) if isinstance(found, str | list | dict) else NOTHING

        return length
    nodes = _nodes(call.args[0], level + 1)
    if call.name == "count":
        return lambda current, root, steps: len(nodes(current, root, steps))

    def single(current: Any, root: Any, steps: Steps) -> Any:
        found = nodes(current, root, steps)
        return found[0] if len(found) == 1 else NOTHING

    return single


def _matching(call: parsed.FunctionExtension, level: int) -> Test:
    """match() and search() with I-Regexps (RFC 9535 §2.4.6, 2.4.7; RFC 9485)."""
    text, pattern = (_value(argument, level + 1) for argument in call.args)
    whole = call.name == "match"
    fixed = None
    if isinstance(call.args[1], parsed.StringLiteral):
        try:
            fixed = compile_regex(call.args[1].value)
        except RegexError as error:
            raise QueryError(str(error), call.args[1].token.index) from None

    def test(current: Any, root: Any, steps: Steps) -> bool:
        subject = text(current, root, steps)
        regex = fixed
        if not isinstance(subject, str):
            return False
        steps.take(len(subject) // _CHARACTERS)
        if regex is None:
            written = pattern(current, root, steps)
            if not isinstance(written, str):
                return False
            steps.take(_PATTERN)
            try:
                regex = compile_regex(written)
            except RegexError:
                return False
        return bool(regex.fullmatch(subject) if whole else regex.search(subject))

    return test


def _comparison(comparison: parsed.ComparisonExpression, level: int) -> Test:
    left, right = _value(comparison.left, level + 1), _value(comparison.right, level + 1)
    compare = _COMPARISONS[comparison.operator]
    return lambda current, root, steps: compare(
        left(current, root, steps), right(current, root, steps), steps
    )


def _equal(left: Any, right: Any, steps: Steps) -> bool:
    """By value (RFC 9535 §2.3.5.2.2): 1 is 1.0, and true is not 1."""
    todo = [(left, right)]
    while todo:
        one, other = todo.pop()
        steps.take(1)
        if isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            todo.extend(zip(one, other, strict=True))
        elif isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            todo.extend((one[name], other[name]) for name in one)
        elif isinstance(one, bool) is not isinstance(other, bool) or one != other:
            return False
    return True


def _less(left: Any, right: Any, steps: Steps) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    return isinstance(left, int | float) and isinstance(right, int | float) and left < right


_COMPARISONS: dict[str, Callable[[Any, Any, Steps], bool]] = {
    "==": _equal,
    "!=": lambda left, right, steps: not _equal(left, right, steps),
    "<": _less,
    ">": lambda left, right, steps: _less(right, left, steps),
    "<=": lambda left, right, steps: _less(left, right, steps) or _equal(left, right, steps),
    ">=": lambda left, right, steps: _less(right, left, steps) or _equal(left, right, steps),
}
