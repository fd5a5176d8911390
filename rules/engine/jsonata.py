"""JSONata (jsonata.org): expressions for those who need more than a template. `$` is the whole event.

Without the functions whose answer changes from try to try, and without $eval; bounded by jsonata_run.
"""

from __future__ import annotations

from typing import Any

from rules.engine import exact_json
from rules.engine.json_path import Reading
from rules.engine.jsonata_cost import NOT_OFFERED
from rules.engine.jsonata_run import UNDEFINED, JException, Run, Symbol, regex_engine
from rules.engine.partial import Compiled
from rules.engine.slots import Flow, not_writable, text_of
from rules.engine.spec import (
    JSON_TYPE,
    content_type_of,
    is_json_type,
    missing_of,
    refuse_other_members,
    within_size,
)
from rules.engine.transform_error import TransformError

MAX_EXPRESSION = 16 * 1024
# The library's parser recurses; deeper brackets than this are refused before it does.
MAX_BRACKETS = 40


def compile_jsonata(spec: dict[str, Any]) -> Compiled:
    """{"kind": "jsonata", "expression": text, "missing"?: "error" | "null", "content_type"?}"""
    refuse_other_members(spec, "expression", "missing", "content_type")
    text = spec.get("expression")
    if not isinstance(text, str):
        raise TransformError("a transform of kind “jsonata” has its text in “expression”, a string")
    expression = compile_expression(text)
    missing = missing_of(spec, omittable=False)
    content_type = content_type_of(spec) or JSON_TYPE
    write = exact_json.encode if is_json_type(content_type) else text_of

    def body(reading: Reading) -> bytes:
        value = evaluate(expression, reading)
        if value is UNDEFINED:
            if missing == "error":
                raise TransformError("the expression gives nothing for this event, and that is an error here")
            return b"null" if is_json_type(content_type) else b""
        try:
            return within_size(write(value))
        except TransformError:
            raise
        except exact_json.NOT_WRITABLE as error:
            raise not_writable(error, "what the expression gives") from None

    return Compiled(body, content_type, (Flow("$", None),))


def compile_expression(text: str) -> Run:
    """The expression. Raises TransformError with line and column."""
    if len(text) > MAX_EXPRESSION:
        raise TransformError(
            f"the expression has {len(text):,} characters: at most {MAX_EXPRESSION:,} are understood"
        )
    _check_brackets(text)
    try:
        expression = Run(text, regex_engine)
    except JException as error:
        raise _placed(text, error) from None
    except RecursionError:
        raise TransformError("the expression is nested too deep") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, TransformError):
            raise
        raise TransformError(f"this is no JSONata: {error}") from None
    _check_functions(text, expression)
    return expression


def evaluate(expression: Run, reading: Reading) -> Any:
    """The value of an expression for an event; UNDEFINED when it gives nothing. Raises TransformError."""
    try:
        return expression.run(reading.whole)
    except JException as error:
        raise TransformError(f"the expression does not suit this event: {_message(error)}") from None
    except ZeroDivisionError:
        raise TransformError("the expression divides by zero on this event") from None
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, TransformError):
            raise
        raise TransformError(f"the expression does not suit this event: {error}") from None


def _check_brackets(text: str) -> None:
    """Brackets inside texts and comments count too: nobody nests as deep as this."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth > MAX_BRACKETS:
            line, column = _place(text, at)
            raise TransformError(f"brackets are nested more than {MAX_BRACKETS} levels deep", line, column)


def _check_functions(text: str, expression: Run) -> None:
    """Refuses the functions that are not offered, wherever their names stand, and calls of those that nobody made."""
    seen: set[int] = set()
    todo: list[Any] = [expression.ast]
    called: list[Any] = []
    bound: set[Any] = set()
    while todo:
        node = todo.pop()
        if isinstance(node, list | tuple):
            todo.extend(node)
        elif isinstance(node, Symbol) and id(node) not in seen:
            seen.add(id(node))
            name = node.value
            if node.type == "variable" and isinstance(name, str) and name in NOT_OFFERED:
                line, column = _place(text, node.position - len(name) - 1)
                raise TransformError(f"${name} is not offered: {NOT_OFFERED[name]}", line, column)
            if node.type in ("function", "partial") and getattr(node.procedure, "type", None) == "variable":
                called.append(node.procedure)
            elif node.type == "apply" and getattr(node.rhs, "type", None) == "variable":
                called.append(node.rhs)
            elif node.type == "bind":
                bound.add(node.lhs.value)
            elif node.type == "lambda":
                bound.update(argument.value for argument in node.arguments)
            bound.update(name for name in (node.focus, node.index) if isinstance(name, str))
            todo.extend(vars(node).values())
    # In the order in which they are written: the walk is not.
    for procedure in sorted(called, key=lambda one: int(one.position)):
        name = procedure.value
        # An empty name is `$`, and `$$` is called `$`: the event.
        if name not in bound and name not in ("", "$") and expression.environment.lookup(name) is None:
            line, column = _place(text, procedure.position - len(name) - 1)
            raise TransformError(f"there is no function ${name}", line, column)


def _placed(text: str, error: Any) -> TransformError:
    if not isinstance(error.location, int) or not 0 <= error.location <= len(text):
        return TransformError(f"this is no JSONata: {_message(error)}")
    return TransformError(f"this is no JSONata: {_message(error)}", *_place(text, error.location))


def _place(text: str, at: int) -> tuple[int, int]:
    at = max(0, min(at, len(text)))
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _message(error: Any) -> str:
    """The library's message; its JavaScript ancestor's functions are called Objects in it."""
    return str(error).replace(" Object ", " function ")[:300]
