"""How alternatives are written: plain JSON values, and objects that name an operator.

A new operator is one function and one entry in OPERATORS, with a kind in alternative.py, a phrase in phrases.py and
a probe in probes.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any

from rules.engine.addresses import address_of, network_of
from rules.engine.alternative import (
    ADDRESS,
    ALL,
    BUT,
    CASELESS,
    CASELESS_CONTAINS,
    CASELESS_PREFIX,
    CASELESS_SUFFIX,
    CONSTANT,
    CONTAINS,
    EXISTS,
    NETWORK,
    NOT_THERE,
    NUMBER,
    PREFIX,
    RANGE,
    SUFFIX,
    TEXT,
    WILDCARD,
    Alternative,
    KindAndKey,
    show,
    type_name,
)
from rules.engine.located_json import pointer_step
from rules.engine.ranges import COMPARISONS, is_number, range_of
from rules.engine.wildcard import parts_of


class NotUnderstood(ValueError):
    """What was written is no alternative; the message says what would be right, `step` where below it."""

    def __init__(self, message: str, step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.step = step

    def below(self, step: str) -> NotUnderstood:
        """The same, seen from one level above."""
        return NotUnderstood(self.message, step + self.step)


def check_text(text: str) -> None:
    """Raises NotUnderstood when `text` is not Unicode text (half of a surrogate pair)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotUnderstood(r"half of a surrogate pair (\ud800 to \udfff) is not a character") from None


def _scalar(wanted: Any) -> KindAndKey:
    if wanted is None or isinstance(wanted, bool):
        return CONSTANT, wanted
    if isinstance(wanted, str):
        check_text(wanted)
        return TEXT, wanted
    if isinstance(wanted, int | float):
        if not is_number(wanted):
            raise NotUnderstood("the number is too large: at most 1.797e308 is understood")
        return NUMBER, wanted
    raise NotUnderstood(
        f"an alternative is a string, a number, true, false, null or an operator object, not {type_name(wanted)}"
    )


def _exact(wanted: Any) -> KindAndKey:
    kind, key = _scalar(wanted)
    address = address_of(wanted) if kind == TEXT else None
    return (kind, key) if address is None else (ADDRESS, address)


def _string(wanted: Any, operator: str, example: str) -> str:
    if not isinstance(wanted, str):
        raise NotUnderstood(f"`{operator}` takes one string, as in {example}, not {type_name(wanted)}")
    check_text(wanted)
    return wanted


IGNORING_CASE = "equals-ignore-case"


def _text_operator(name: str, kind: str, caseless: str, example: str) -> Callable[[Any], KindAndKey]:
    """prefix, suffix and contains: of a string, or of one that ignores case."""

    def read(wanted: Any) -> KindAndKey:
        if not isinstance(wanted, dict):
            return kind, _string(wanted, name, f'{{"{name}": "{example}"}}')
        if set(wanted) != {IGNORING_CASE}:
            raise NotUnderstood(
                f"`{name}` takes one string, not an object; to ignore case write "
                f'{{"{name}": {{"{IGNORING_CASE}": "{example}"}}}}'
            )
        try:
            return caseless, _caseless(wanted[IGNORING_CASE])[1]
        except NotUnderstood as error:
            raise error.below(pointer_step(IGNORING_CASE)) from None

    return read


def _caseless(wanted: Any) -> KindAndKey:
    return CASELESS, _string(wanted, IGNORING_CASE, f'{{"{IGNORING_CASE}": "yes"}}').casefold()


def _exactly(wanted: Any) -> KindAndKey:
    return TEXT, _string(wanted, "exactly", '{"exactly": "10.0.0.1"}')


def _wildcard(wanted: Any) -> KindAndKey:
    try:
        parts = parts_of(_string(wanted, "wildcard", '{"wildcard": "order-*.json"}'))
    except NotUnderstood:
        raise
    except ValueError as error:
        raise NotUnderstood(f"not a wildcard: {error}") from None
    first, last = parts[0], parts[-1]
    # What other kinds say as well is found faster there, and twice the same is seen to be the same.
    if len(parts) == 1:
        return TEXT, first
    if len(parts) == 2 and not last:
        return PREFIX, first
    if len(parts) == 2 and not first:
        return SUFFIX, last
    if len(parts) == 3 and not first and not last:
        return CONTAINS, parts[1]
    return WILDCARD, parts


# A JSON number.
_NUMBER = re.compile(r"\s*-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?\s*", re.ASCII)


def _numeric(wanted: Any) -> KindAndKey:
    example = '["=", 5], ["!=", 5] or [">=", 0, "<", 10]'
    if not isinstance(wanted, list):
        raise NotUnderstood(f"`numeric` takes a list, as in {example}, not {type_name(wanted)}")
    if not wanted or len(wanted) % 2:
        raise NotUnderstood(f"`numeric` takes comparisons and numbers in turn, as in {example}")
    comparisons = list(zip(wanted[::2], wanted[1::2], strict=True))
    for index, (comparison, number) in enumerate(comparisons):
        if not isinstance(comparison, str) or comparison not in COMPARISONS:
            known = ", ".join(f"`{one}`" for one in COMPARISONS)
            raise NotUnderstood(f"{show(comparison)} is no comparison; there are {known}", f"/{2 * index}")
        if isinstance(number, str) and _NUMBER.fullmatch(number):
            raise NotUnderstood(
                f"{show(number)} is a string: write the number without quotes, as in "
                f'["{comparison}", {number.strip()}]',
                f"/{2 * index + 1}",
            )
        if not is_number(number):
            raise NotUnderstood(
                f"after `{comparison}` stands a number of at most 1.797e308, not {show(number)}",
                f"/{2 * index + 1}",
            )
    result = range_of(comparisons)
    single = result.single
    return (RANGE, result) if single is None else (NUMBER, single)


def _cidr(wanted: Any) -> KindAndKey:
    try:
        network = network_of(_string(wanted, "cidr", '{"cidr": "10.0.0.0/24"}'))
    except NotUnderstood:
        raise
    except ValueError as error:
        raise NotUnderstood(f'{error}; a block is written as in "10.0.0.0/24" or "2001:db8::/32"') from None
    if network.shift == 0:
        return ADDRESS, (network.version, network.number)
    return NETWORK, network


def _exists(wanted: Any) -> KindAndKey:
    if wanted is True:
        return EXISTS, None
    if wanted is False:
        return NOT_THERE, None
    raise NotUnderstood("`exists` takes true or false")


_TEXT_OPERATORS: dict[str, Callable[[Any], KindAndKey]] = {
    "prefix": _text_operator("prefix", PREFIX, CASELESS_PREFIX, "com.example."),
    "suffix": _text_operator("suffix", SUFFIX, CASELESS_SUFFIX, ".png"),
    "contains": _text_operator("contains", CONTAINS, CASELESS_CONTAINS, "error"),
    IGNORING_CASE: _caseless,
    "wildcard": _wildcard,
}
_EXCLUDABLE: dict[str, Callable[[Any], KindAndKey]] = {**_TEXT_OPERATORS, "cidr": _cidr, "numeric": _numeric}


def _anything_but(wanted: Any) -> KindAndKey:
    if isinstance(wanted, dict):
        return BUT, frozenset(_excluded_by_operator(wanted))
    if not isinstance(wanted, list):
        return BUT, frozenset([_scalar(wanted)])
    excluded = set()
    for index, one in enumerate(wanted):
        try:
            excluded.add(_scalar(one))
        except NotUnderstood as error:
            message = f"`anything-but` lists strings, numbers, true, false and null, not {type_name(one)}"
            raise NotUnderstood(
                message if isinstance(one, dict | list) else error.message, f"/{index}"
            ) from None
    return (BUT, frozenset(excluded)) if excluded else (EXISTS, None)


def _excluded_by_operator(wanted: dict[Any, Any]) -> list[KindAndKey]:
    known = ", ".join(f"`{name}`" for name in _EXCLUDABLE)
    if len(wanted) != 1:
        raise NotUnderstood(f"an object in `anything-but` names one operator: one of {known}")
    [(name, operand)] = wanted.items()
    read = _EXCLUDABLE.get(name)
    if read is None:
        raise NotUnderstood(f"`anything-but` excludes values or one of {known}, not {show(name)}")
    step = pointer_step(name)
    listed = isinstance(operand, list) and name != "numeric"
    if listed and not operand:
        raise NotUnderstood(f"an empty list of `{name}` excludes nothing: name what is not wanted", step)
    excluded = []
    for index, one in enumerate(operand if listed else [operand]):
        here = f"{step}/{index}" if listed else step
        try:
            kind, key = read(one)
        except NotUnderstood as error:
            raise error.below(here) from None
        if key == "" and name in ("prefix", "suffix", "contains"):
            raise NotUnderstood(f'every string has the {name} "": nothing but strings would be left', here)
        excluded.append((kind, key))
    return excluded


OPERATORS: dict[str, Callable[[Any], KindAndKey]] = {
    **_EXCLUDABLE,
    "exactly": _exactly,
    "anything-but": _anything_but,
    "exists": _exists,
}

UNDERSTOOD = "understood are: exact values, " + ", ".join(f"`{name}`" for name in OPERATORS)


def parse_alternative(written: Any) -> Alternative:
    """The alternative of one entry of a field's list. Raises NotUnderstood, saying what would be right."""
    if not isinstance(written, dict):
        return Alternative(*_exact(written), "exact", written)
    if not written:
        raise NotUnderstood(f'an operator object names an operator, as in {{"prefix": "a"}}; {UNDERSTOOD}')
    if len(written) == 1:
        [(name, wanted)] = written.items()
        return Alternative(*_operator(name, wanted), name, wanted)
    places = [_operator(name, wanted) for name, wanted in written.items()]
    for name in written:
        if name == "exists":
            raise NotUnderstood(
                "`exists` stands alone: any other operator asks for a value already", "/exists"
            )
    return Alternative(ALL, frozenset(places), "all of", written)


def _operator(name: Any, wanted: Any) -> KindAndKey:
    read: Callable[[Any], tuple[str, Hashable]] | None = OPERATORS.get(name)
    if read is None:
        raise NotUnderstood(f"`{name}` is not understood here; {UNDERSTOOD}")
    try:
        return read(wanted)
    except NotUnderstood as error:
        raise error.below(pointer_step(name)) from None
