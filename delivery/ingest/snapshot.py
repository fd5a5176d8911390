"""What ingest knows of the catalog and the rules, in memory, at one pair of versions.

A snapshot never changes; a newer one replaces it. The log compares versions under its lock, so a snapshot that is
behind costs one more round and can store nothing wrong.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import Any

from catalog.models import Bus, EventType, SchemaVersion, Stamp, Token
from catalog.schemas.validator import Validator, compile_schema
from catalog.stamps import CATALOG, RULES
from delivery.log.entry import Versions
from rules.engine import Event, Matcher, PatternError, compile
from rules.filtering import filter_of
from rules.models import Rule, RuleRevision

logger = logging.getLogger(__name__)


class BusFacts:
    """A bus: its row id, its name and whether it takes events without a token."""

    __slots__ = ("id", "name", "open")

    def __init__(self, row_id: int, name: str, open_publishing: bool) -> None:
        self.id, self.name, self.open = row_id, name, open_publishing


class TypeFacts:
    """An event type: the check of its newest schema, compiled when the first event of it comes."""

    __slots__ = ("_text", "_validator", "number", "refuse", "version_id")

    def __init__(self, version_id: int, number: int, text: str, refuse: bool) -> None:
        self.version_id, self.number, self.refuse = version_id, number, refuse
        self._text: str | None = text
        self._validator: Validator | None = None

    @property
    def validator(self) -> Validator:
        """The compiled schema."""
        if self._validator is None:
            assert self._text is not None
            self._validator, self._text = compile_schema(self._text), None
        return self._validator


class Routing:
    """The enabled rules of one bus, compiled together, and the targets of each."""

    __slots__ = ("matcher", "targets")

    def __init__(self, matcher: Matcher, targets: dict[int, tuple[int, ...]]) -> None:
        self.matcher, self.targets = matcher, targets

    def targets_of(self, event: Event) -> tuple[int, ...]:
        """The ids of all targets whose rule takes `event`."""
        found = self.matcher.match(event)
        if len(found) == 1:
            return self.targets.get(found[0], ())
        return tuple(target for rule in found for target in self.targets.get(rule, ()))


class Snapshot:
    """Buses by name, tokens by public id, event types by name, routing by bus id, all at `versions`."""

    __slots__ = ("buses", "routing", "tokens", "types", "versions")

    def __init__(
        self,
        versions: Versions,
        buses: dict[str, BusFacts],
        tokens: dict[str, tuple[bytes, int | None]],
        types: dict[str, TypeFacts],
        routing: dict[int, Routing],
    ) -> None:
        self.versions, self.buses, self.tokens = versions, buses, tokens
        self.types, self.routing = types, routing


EMPTY = Snapshot(Versions(-1, -1), {}, {}, {}, {})


class Directory:
    """Keeps the newest snapshot. `refresh` reads the database, so call it off the event loop."""

    def __init__(self) -> None:
        self.current = EMPTY
        self._lock = threading.Lock()

    def refresh(self, wanted: Versions | None = None) -> Snapshot:
        """The snapshot at the database's versions, or the current one when it is at `wanted` already."""
        with self._lock:
            before = self.current
            if wanted is not None and before.versions == wanted:
                return before
            # In no transaction, which on SQLite would queue for the write lock. The stamps are read first, so what
            # changes meanwhile is newer than the versions say, and the log sends it back to be read again.
            found = dict(Stamp.objects.values_list("name", "version"))
            versions = Versions(found.get(CATALOG, 0), found.get(RULES, 0))
            if before.versions == versions:
                return before
            buses, tokens, types = before.buses, before.tokens, before.types
            if before.versions.catalog != versions.catalog:
                buses, tokens, types = _buses(), _tokens(), _types(before.types)
            routing = before.routing
            if before.versions.rules != versions.rules:
                routing = _all_rules() if before is EMPTY else _changed_rules(before)
            self.current = Snapshot(versions, buses, tokens, types, routing)
            return self.current


def _buses() -> dict[str, BusFacts]:
    return {
        name: BusFacts(pk, name, opened)
        for pk, name, opened in Bus.objects.values_list("id", "name", "open_publishing")
    }


def _tokens() -> dict[str, tuple[bytes, int | None]]:
    rows = Token.objects.filter(revoked_at=None).values_list("public_id", "digest", "bus_id")
    return {public_id: (bytes(digest), bus) for public_id, digest, bus in rows}


def _types(before: dict[str, TypeFacts]) -> dict[str, TypeFacts]:
    """The event types that have a schema. Unchanged ones keep their compiled check: there may be 10,000."""
    newest: dict[int, tuple[int, int]] = {}
    for pk, event_type, number in SchemaVersion.objects.order_by("number").values_list(
        "id", "event_type_id", "number"
    ):
        newest[event_type] = (pk, number)
    types: dict[str, TypeFacts] = {}
    changed: dict[int, tuple[str, int, bool]] = {}
    for event_type, name, validation in EventType.objects.values_list("id", "name", "validation"):
        if event_type not in newest:
            continue
        pk, number = newest[event_type]
        refuse = validation == EventType.Validation.REJECT
        known = before.get(name)
        if known is not None and known.version_id == pk and known.refuse == refuse:
            types[name] = known
        else:
            changed[pk] = (name, number, refuse)
    # In parts that fit any database's limit of variables.
    wanted = list(changed)
    for at in range(0, len(wanted), 500):
        texts = SchemaVersion.objects.filter(pk__in=wanted[at : at + 500]).values_list("id", "schema")
        for pk, text in texts:
            name, number, refuse = changed[pk]
            types[name] = TypeFacts(pk, number, text, refuse)
    return types


def _all_rules() -> dict[int, Routing]:
    rules: dict[int, list[tuple[int, Any]]] = {}
    targets: dict[int, dict[int, tuple[int, ...]]] = {}
    for rule in Rule.objects.filter(enabled=True).prefetch_related("targets"):
        rules.setdefault(rule.bus_id, []).append((rule.pk, filter_of(rule)))
        targets.setdefault(rule.bus_id, {})[rule.pk] = tuple(
            sorted(target.pk for target in rule.targets.all())
        )
    return {bus: Routing(_compiled(found), targets[bus]) for bus, found in rules.items()}


def _changed_rules(before: Snapshot) -> dict[int, Routing]:
    """Only what changed since `before`: with 10,000 rules, compiling all of them would take a second."""
    changed: dict[int, RuleRevision] = {}
    for revision in RuleRevision.objects.filter(rules_version__gt=before.versions.rules).order_by("id"):
        changed[revision.rule_id] = revision
    routing = dict(before.routing)
    for bus in {revision.bus_id for revision in changed.values()}:
        mine = {pk: revision for pk, revision in changed.items() if revision.bus_id == bus}
        old = routing.get(bus) or Routing(_compiled(()), {})
        live = [(pk, filter_of(r)) for pk, r in mine.items() if r.enabled and r.pattern is not None]
        targets = {pk: ids for pk, ids in old.targets.items() if pk not in mine}
        targets.update({pk: tuple(sorted(mine[pk].target_ids)) for pk, _ in live})
        gone = [pk for pk in mine if pk in old.targets]
        routing[bus] = Routing(_with_changes(old.matcher, live, gone), targets)
    return routing


def _with_changes(matcher: Matcher, added: list[tuple[int, Any]], removed: list[int]) -> Matcher:
    try:
        return matcher.with_changes(added=added, removed=removed)
    except PatternError:
        # One by one. What is removed goes first and once, or each rule would take out the ones before it again.
        matcher = matcher.with_changes(added=[], removed=[*removed, *(rule_id for rule_id, _ in added)])
        for rule in added:
            matcher = _one_more(matcher, rule)
        return matcher


def _one_more(matcher: Matcher, rule: tuple[int, Any]) -> Matcher:
    try:
        return matcher.with_changes(added=[rule], removed=[])
    except PatternError as error:
        logger.error("Rule %s does not compile and takes no events: %s", rule[0], error)
        return matcher


def _compiled(rules: Iterable[tuple[int, Any]]) -> Matcher:
    """One matcher for all; a rule that does not compile is reported and harms no other."""
    rules = list(rules)
    try:
        return compile(rules)
    except PatternError:
        return _with_changes(compile([]), rules, [])
