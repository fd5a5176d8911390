"""What ingest knows of the catalog and the rules, in memory, at one pair of versions.

A snapshot never changes; a newer one replaces it. The log compares versions under its lock, so a snapshot that is
behind costs one more round and can store nothing wrong.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from catalog.models import Bus, Stamp, Token
from catalog.near_names import Names
from catalog.stamps import CATALOG, RULES
from delivery.ingest.notices import Notice, notice_of
from delivery.ingest.registered import TypeFacts, VersionFacts, read_types
from delivery.log.entry import Versions
from rules.engine import Event, Matcher, PatternError, compile
from rules.filtering import filter_of
from rules.models import Rule, RuleRevision

logger = logging.getLogger(__name__)


class BusFacts(NamedTuple):
    """A bus: its row id, its name, whether it takes events without a token, of unregistered types, or none any more."""

    id: int
    name: str
    open: bool
    takes_unregistered: bool = True
    retired_at: datetime | None = None


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

    __slots__ = ("_names", "_notices", "buses", "routing", "tokens", "types", "versions")

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
        self._names: Names | None = None
        self._notices: dict[tuple[str, int], Notice | None] = {}

    def notice(self, facts: TypeFacts, version: VersionFacts | None) -> Notice | None:
        """What the publisher of an event of the type, checked against `version`, is told; None in most cases."""
        if facts.farewell is None and (version is None or version.number not in facts.superseded):
            return None
        key = (facts.name, version.id if version is not None else 0)
        if key not in self._notices:
            self._notices[key] = notice_of(facts, version)
        return self._notices[key]

    @property
    def names(self) -> Names:
        """The names of the registered types, to find those that are nearly what somebody wrote."""
        if self._names is None:
            self._names = Names(self.types)
        return self._names


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
                buses, tokens, types = _buses(), _tokens(), read_types(before.types)
            routing = before.routing
            if before.versions.rules != versions.rules:
                routing = _all_rules() if before is EMPTY else _changed_rules(before)
            self.current = Snapshot(versions, buses, tokens, types, routing)
            return self.current


def _buses() -> dict[str, BusFacts]:
    rows = Bus.objects.values_list("id", "name", "open_publishing", "unregistered", "retired_at")
    return {
        name: BusFacts(pk, name, opened, unregistered != Bus.Unregistered.REJECT, retired_at)
        for pk, name, opened, unregistered, retired_at in rows
    }


def _tokens() -> dict[str, tuple[bytes, int | None]]:
    rows = Token.objects.filter(revoked_at=None).values_list("public_id", "digest", "bus_id")
    return {public_id: (bytes(digest), bus) for public_id, digest, bus in rows}


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
