"""Which event types a filter could take: what it says of the type, wherever it says it, and of nothing else.

Never too few. Too many only where a filter asks of other attributes or of data what no event can have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rules.engine.alternative import TEXT
from rules.engine.branches import IndexedBranch, IndexedRule
from rules.engine.event import Event
from rules.engine.filter import Compiled, WrittenRule, compile_filter, requirements_of
from rules.engine.matcher import Matcher, matcher_of
from rules.engine.pattern_error import PatternError
from rules.engine.pattern_reader import Known
from rules.engine.requirement import Requirement, Residual

_TYPE = "type"
_PATHS = (_TYPE,)


def types_taken(written: WrittenRule) -> list[str] | None:
    """The types that a filter could take, as far as it names them; None when it tells them in another way or takes any.

    Names in the order they are written; [] for a filter that can take no event. Raises PatternError.
    """
    known = Known()
    compiled = compile_filter(written, known)
    named: dict[str, None] = {}
    for asked in _asked_of_type(compiled, known):
        exact = next((one for one in asked if one.exact is not None), None)
        if exact is None:
            return None
        # A type is a string: what else equality asks for cannot be met.
        named.update((str(one.key), None) for one in exact.alternatives if one.kind == TEXT)
    matcher = matcher_of({0: _indexed(0, compiled, known)})
    return [name for name in named if matcher.match(Event({_TYPE: name}, None))]


def compile_types(rules: Iterable[tuple[int, WrittenRule]]) -> Matcher:
    """A matcher that says of an event with a type alone which rules could take an event of that type.

    A rule whose filter is not valid takes nothing, and is left out.
    """
    known = Known()
    indexed: dict[int, IndexedRule] = {}
    for rule_id, written in rules:
        try:
            indexed[rule_id] = _indexed(rule_id, compile_filter(written, known), known)
        except PatternError:
            continue
    return matcher_of(indexed)


def _indexed(rule_id: int, compiled: Compiled, known: Known) -> IndexedRule:
    residual = tuple(_of_type(part.could_hold) for part in compiled.parts)
    distinct = dict.fromkeys(_asked_of_type(compiled, known))
    return tuple(IndexedBranch(rule_id, asked, _PATHS * len(asked), residual, False) for asked in distinct)


def _asked_of_type(compiled: Compiled, known: Known) -> list[tuple[Requirement, ...]]:
    """What each way to meet the filter asks of the type."""
    extra = requirements_of(compiled, known)
    return [
        tuple(dict.fromkeys(one for one in (*branch.requirements, *more) if one.path == _TYPE))
        for branch in compiled.branches
        for more in extra
    ]


def _of_type(could_hold: Callable[..., bool]) -> Residual:
    return lambda event: could_hold({_TYPE: event.attributes[_TYPE]})
