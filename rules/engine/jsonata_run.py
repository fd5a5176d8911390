"""JSONata, evaluated by jsonata-python one counted step at a time.

The library bounds its time by the clock and its depth, but not what a single step makes ($pad("a", 2e9)), nor its
regular expressions. Here a budget of steps ends all of it: every node of the expression that is evaluated, every
value that a function is given, every entry of a list that comes out. RE2 matches in linear time.
"""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Iterator
from typing import Any

import re2  # type: ignore[import-untyped]

# The library raises the recursion limit of the whole process when it is imported.
_limit = sys.getrecursionlimit()
from jsonata import jexception, jsonata, parser, utils  # type: ignore[import-untyped]  # noqa: E402

sys.setrecursionlimit(_limit)

from rules.engine import jsonata_cost as cost  # noqa: E402
from rules.engine.json_path_query import Steps  # noqa: E402
from rules.engine.transform_error import TooManySteps, TransformError  # noqa: E402

MAX_STEPS = 600_000
# Of the thousand Python frames there are, a node takes up to 4, a call up to 16.
MAX_DEPTH, CALL = 180, 4
NODE, TUPLE, MATCH = 10, 10, 30  # steps for a node of the expression, a tuple of @ or #, a match

_LOOKS_INTO = frozenset(["path", "name", "wildcard", "descendant"])
_WALKS = frozenset(["wildcard", "descendant"])

Frame = jsonata.Jsonata.Frame
JException = jexception.JException
Symbol = parser.Parser.Symbol


class _Function(jsonata.Jsonata.JFunction):  # type: ignore[misc]
    """A function of the library that is charged for what it is given and what it gives."""

    def __init__(self, inner: Any) -> None:
        super().__init__(None, None)
        self.inner = inner
        self.signature = inner.signature
        self.function_name = inner.function_name

    def call(self, input: Any, args: Any) -> Any:
        run: Run = jsonata.Jsonata.CURRENT.jsonata
        arguments = list(args)
        cost.charge(self.function_name, arguments, run.steps)
        result = run.special(self.function_name, arguments, lambda: self.inner.call(input, args))
        run.weigh(result)
        return result

    def get_number_of_args(self) -> int:
        return int(self.inner.get_number_of_args())


class _Transformer(jsonata.Jsonata.Transformer):  # type: ignore[misc]
    """value ~> | pattern | update, delete |: the library's copy of the value goes by way of text, which costs digits."""

    def call(self, input: Any, args: Any) -> Any:
        result = cost.clone(args[0])
        for match in self._each(self._expr.pattern, result):
            if not isinstance(match, dict):
                continue
            update = self._jsonata.eval(self._expr.update, match, self._environment)
            if update is not None:
                if not isinstance(update, dict):
                    raise JException("T2011", self._expr.update.position, update)
                match.update(update)
            for name in self._each(self._expr.delete, match):
                if not isinstance(name, str):
                    raise JException("T2012", self._expr.delete.position, name)
                match.pop(name, None)
        return result

    def _each(self, expression: Any, value: Any) -> list[Any]:
        if expression is None:
            return []
        found = self._jsonata.eval(expression, value, self._environment)
        if found is None:
            return []
        # A copy: what is matched may be the list that an update changes.
        return list(found) if isinstance(found, list) else [found]


class _Regex:
    """A regular expression that is charged for each match; the names are those the library looks for."""

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled

    def finditer(self, text: str) -> Iterator[Any]:
        steps: Steps = jsonata.Jsonata.CURRENT.jsonata.steps
        for match in self.compiled.finditer(text):
            steps.take(MATCH)
            yield match

    def search(self, text: str) -> Any:
        return next(self.finditer(text), None)

    def split(self, text: str, maxsplit: int = 0) -> list[str]:
        parts, at = [], 0
        for match in self.finditer(text):
            if match.end() > match.start():
                parts.append(text[at : match.start()])
                at = match.end()
        return [*parts, text[at:]]

    def sub(self, replacement: Any, text: str, count: int = 0) -> str:
        return cost.replace(text, self, replacement, count or None, lambda function, args: function(*args))


def regex_engine(pattern: str, flags: Any) -> Any:
    """Compiles /pattern/flags with RE2. Raises TransformError for what RE2 does not understand."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    prefix = ("i" if flags.case_insensitive else "") + ("m" if flags.multiline else "")
    try:
        return _Regex(re2.compile(f"(?{prefix}){pattern}" if prefix else pattern, options=options))
    except re2.error as error:
        raise TransformError(
            f"/{pattern[:60]}/ is no regular expression that always ends in time: {error}. "
            "Look-around and back-references are not understood"
        ) from None


class Run(jsonata.Jsonata):  # type: ignore[misc]
    """A compiled expression; `run` evaluates it on a copy of itself, so that threads may share it."""

    steps: Steps
    depth: int
    input: Any
    environment: Any

    def run(self, value: Any, limit: int = MAX_STEPS) -> Any:
        """The result for one JSON value, None for null and UNDEFINED for nothing.

        Raises TransformError; JException of the library when the expression does not suit the value.
        """
        run = copy.copy(self)
        run.steps, run.depth = Steps(limit), 0
        run.parser = jsonata.Jsonata.get_parser()
        before = getattr(jsonata.Jsonata.CURRENT, "jsonata", None)
        jsonata.Jsonata.CURRENT.jsonata = run
        try:
            return run._result(value)
        except TransformError:
            raise
        except RecursionError:
            raise TransformError("the expression nests too deep on this event") from None
        except JException:
            if run.steps.left < 0:  # The library turns any error inside `and` and `or` into its own.
                raise _too_many(run.steps) from None
            raise
        finally:
            if before is None:
                del jsonata.Jsonata.CURRENT.jsonata
            else:
                jsonata.Jsonata.CURRENT.jsonata = before

    def _result(self, value: Any) -> Any:
        frame = Frame(_functions)
        frame.bind("$", value)
        self.environment = frame
        result = self.eval(self.ast, value, frame)
        self.steps.take(cost.size(result, self.steps.left))
        return UNDEFINED if result is None else utils.Utils.convert_nulls(result)

    def eval(self, expr: Any, input: Any, environment: Any) -> Any:
        """One node: the library's hook for all that it evaluates."""
        kind = getattr(expr, "type", None)
        self.steps.take(NODE)
        if kind in _LOOKS_INTO and isinstance(input, list):
            self.steps.take(cost.spread(input, self.steps.left))
        if kind in _WALKS:
            self.steps.take(cost.size(input, self.steps.left))
        before = self.input, self.environment
        self._deeper(1)
        try:
            result = self._eval(expr, input, environment)
        finally:
            self.depth -= 1
            self.input, self.environment = before
        self.weigh(result)
        if isinstance(result, list) and getattr(expr, "tuple", None):
            self.steps.take(TUPLE * len(result))
        return result

    def apply(self, proc: Any, args: Any, input: Any, environment: Any) -> Any:
        """A call, and the calls that it ends with."""
        self._deeper(CALL)
        try:
            return super().apply(proc, args, input, environment)
        finally:
            self.depth -= CALL

    def _deeper(self, levels: int) -> None:
        self.depth += levels
        if self.depth > MAX_DEPTH:
            raise TransformError(
                f"the expression nests more than {MAX_DEPTH} levels deep on this event (a call counts {CALL}); "
                "a function that ends with its own call does not nest"
            )

    def weigh(self, result: Any) -> None:
        """Takes the steps that a result costs whoever looks at it next."""
        if isinstance(result, list):
            self.steps.take(cost.spread(result, self.steps.left))
        else:
            self.steps.take(cost.surface(result))

    def special(self, name: str, arguments: list[Any], otherwise: Any) -> Any:
        """The result of a function: of our own where the library's is quadratic or not linear, else of the library's."""
        if name == "distinct":
            return cost.distinct(arguments[0])
        if name == "clone":
            return cost.clone(arguments[0])
        if name == "lowercase" and isinstance(arguments[0], str):
            return arguments[0].lower()
        if name == "replace" and isinstance(arguments[0], str):
            text, pattern, replacement, limit = (*arguments, None)[:4]
            if isinstance(limit, int | float) and limit < 0:
                raise TransformError("$replace takes a limit of 0 or more")
            return cost.replace(
                text, pattern, replacement, limit, lambda function, args: self._called(function, args)
            )
        return otherwise()

    def _called(self, function: Any, args: list[Any]) -> Any:
        if isinstance(function, Symbol):
            return self.apply(function, args, None, self.environment)
        return function.call(None, args)

    def apply_inner(self, proc: Any, args: Any, input: Any, environment: Any) -> Any:
        if not self.is_function_like(proc):
            raise JException("T1006", 0)
        if isinstance(args, list) and callable(getattr(proc, "finditer", None)):
            self.steps.take(sum(cost.size(one, self.steps.left) for one in args))
        return super().apply_inner(proc, args, input, environment)

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> Any:
        self.steps.take(cost.size(lhs, self.steps.left) + cost.size(rhs, self.steps.left))
        return super().evaluate_string_concat(lhs, rhs)

    def evaluate_equality_expression(self, lhs: Any, rhs: Any, op: Any) -> Any:
        self.steps.take(cost.size(lhs, self.steps.left))
        return super().evaluate_equality_expression(lhs, rhs, op)

    def evaluate_includes_expression(self, lhs: Any, rhs: Any) -> Any:
        self.steps.take(cost.size(rhs, self.steps.left))
        return super().evaluate_includes_expression(lhs, rhs)

    def evaluate_group_expression(self, expr: Any, input: Any, environment: Any) -> Any:
        # A group is copied for every entry that joins it.
        if isinstance(input, list):
            self.steps.take(len(input) ** 2 // 1000)
        return super().evaluate_group_expression(expr, input, environment)

    def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: Any) -> Any:
        if op == "%" and utils.Utils.is_numeric(lhs) and utils.Utils.is_numeric(rhs):
            # The library cuts the remainder to a whole number.
            return utils.Utils.convert_number(math.fmod(float(lhs), float(rhs)))
        return super().evaluate_numeric_expression(lhs, rhs, op)

    def evaluate_range_expression(self, lhs: Any, rhs: Any) -> Any:
        lhs, rhs = (int(one) if isinstance(one, float) and one.is_integer() else one for one in (lhs, rhs))
        if type(lhs) is int and type(rhs) is int and lhs <= rhs:
            self.steps.take(rhs - lhs + 1)
            return utils.Utils.JList(range(lhs, rhs + 1))
        return super().evaluate_range_expression(lhs, rhs)

    def evaluate_transform_expression(self, expr: Any, input: Any, environment: Any) -> Any:
        function = jsonata.Jsonata.JFunction(_Transformer(self, expr, environment), "<(oa):o>")
        function.function_name = "transform"
        return _Function(function)


def _too_many(steps: Steps) -> TooManySteps:
    return TooManySteps(f"this takes more than {steps.limit:,} steps, the most that one event may cost")


class _Undefined:
    """The type of UNDEFINED."""

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED = _Undefined()


def _functions_of_the_library() -> Any:
    frame = Frame(None)
    for name, function in jsonata.Jsonata.static_frame.bindings.items():
        if name not in cost.NOT_OFFERED:
            frame.bindings[name] = _Function(function)
    return frame


_functions = _functions_of_the_library()
