"""What the catalog asks of the log (catalog.facts.Facts), answered from the log and its rollups."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence, Set
from datetime import datetime

from django.utils.translation import gettext as _

from catalog.changes import RESERVED
from catalog.facts import (
    BUSY_MINUTES,
    BusRule,
    Listener,
    Published,
    PublishRefused,
    Pulse,
    RecentEvent,
    SourceFacts,
    Totals,
    TypeFacts,
)
from delivery.cloudevents import Refused
from delivery.ingest import pipeline
from delivery.log.interface import open_log
from delivery.log.writer import Unavailable
from delivery.tracking import events, rates, sources, status, versions, waiting
from delivery.tracking.read import MINUTE, moment, now, rows
from rules.engine import Event, Matcher
from rules.listening import listening
from rules.models import Rule, Target

LISTENERS_SHOWN = 100


class LogFacts:
    """The facts of this installation's log; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[Matcher | None, dict[str, tuple[int, ...]]] = (None, {})

    def types(self, names: Iterable[str]) -> dict[str, TypeFacts]:
        """Rates, listeners and last arrival of each of `names`."""
        names = list(names)
        if not names:
            return {}
        received = rates.received_by_type(names, now())
        last = _last_seen(names)
        rules_of = self.rules_by_name(names)
        return {
            name: TypeFacts(
                minutes=received[name].minutes,
                day=received[name].day,
                invalid_day=received[name].invalid_day,
                listeners=len(rules_of[name]),
                last_seen=moment(last[name]) if name in last else None,
            )
            for name in names
        }

    def recent(self, type_name: str, limit: int) -> list[RecentEvent]:
        """The newest events of a type, newest first."""
        return [
            RecentEvent(
                event.seq, event.ce_id, event.type, event.source, event.subject, event.received, event.raw
            )
            for event in events.latest(None, [type_name], limit)
        ]

    def listeners(self, type_name: str) -> list[Listener]:
        """Targets of the rules that could take an event of this type, wherever their filter says so."""
        ids = self.rules_by_name([type_name])[type_name]
        targets = list(
            Target.objects.filter(rule_id__in=ids[:1000])
            .select_related("rule__team")
            .order_by("name")[:LISTENERS_SHOWN]
        )
        owes = waiting.of_targets([target.pk for target in targets])
        return [
            Listener(
                target.rule_id,
                target.rule.name,
                target.pk,
                target.name,
                *status.of_target(target, owes[target.pk]),
                target.rule.team.name,
            )
            for target in targets
        ]

    def listened(self, names: Iterable[str], teams: Collection[int] | None = None) -> set[str]:
        """Those of `names` that an enabled rule takes, or one of the rules of `teams`."""
        names = names if isinstance(names, Set) else set(names)
        rules_of = self._rules_of(names)
        if teams is None:
            return {name for name in names if rules_of[name]}
        ours = set(Rule.objects.filter(team__in=list(teams), enabled=True).values_list("pk", flat=True))
        return {name for name in names if not ours.isdisjoint(rules_of[name])}

    def busy(self) -> dict[str, float]:
        """Events per minute of each type with any in the last minutes; the running minute counts as far as it has come."""
        at = now()
        first = rates.minute_of(at) - BUSY_MINUTES
        passed = BUSY_MINUTES + (at % MINUTE) / MINUTE
        sql = "SELECT type, sum(events) FROM rollup_received WHERE minute >= %s GROUP BY type"
        return {name: int(count) / passed for name, count in rows(sql, [first])}

    def heard(self) -> set[str]:
        """Registered types with an event in the last 24 hours: one look into the rollups' key for each bus and type."""
        sql = (
            "SELECT t.name FROM catalog_eventtype t WHERE EXISTS (SELECT 1 FROM rollup_received WHERE "
            f"{rates.OF_BUSES} AND type = t.name AND minute >= %s)"
        )
        return {name for (name,) in rows(sql, [rates.minute_of(now()) - 24 * 60])}

    def has_event(self, text: str) -> bool:
        """As the finder of events reads it."""
        return bool(events.find(text, 1))

    def totals(self, own: bool = False) -> Totals:
        """Events received in the last 24 hours and in the last minute."""
        at, log = now(), open_log()
        head = log.head()
        day, minute = (head - log.seek(at - span * MINUTE) for span in (24 * 60, 1))
        if not own:
            day -= sum(rates.received_on(bus, rates.minute_of(at) - 24 * 60) for bus in RESERVED)
            minute -= sum(rates.received_on(bus, rates.minute_of(at)) for bus in RESERVED)
        return Totals(max(day, 0), max(minute, 0))

    def versions(self, type_name: str) -> dict[int, int]:
        """Events of a type in the last 24 hours by version number."""
        return versions.last_day(type_name, now())

    def versions_by_day(self, type_name: str, days: int = 30) -> dict[int, list[int]]:
        """Events of a type per day by version number."""
        return versions.by_day(type_name, now(), days)

    def hourly(self, names: Iterable[str], hours: int = 24) -> dict[str, list[int]]:
        """Events per hour of each of `names`."""
        return rates.received_by_hour(list(names), now(), hours)

    def first_seen(self, source_uri: str) -> datetime | None:
        """When the first event of a source was received."""
        return sources.first_seen(source_uri)

    def per_source(self, source_uri: str) -> SourceFacts:
        """How much a source sends, and of which types."""
        return sources.of_source(source_uri, now())

    def pulses(self, source_uris: Iterable[str]) -> dict[str, Pulse]:
        """How busy each of several sources is."""
        return sources.pulses(list(source_uris), now())

    def rules_on(self, bus: str) -> list[BusRule]:
        """The rules that listen on a bus."""
        listening = Rule.objects.filter(bus__name=bus, enabled=True).order_by("name")
        return [BusRule(*row) for row in listening.values_list("pk", "name", "team__name")]

    def rules_by_name(self, names: Iterable[str]) -> dict[str, tuple[int, ...]]:
        """Per name the enabled rules that may take it."""
        names = list(names)
        rules_of = self._rules_of(set(names))
        return {name: rules_of[name] for name in names}

    def _rules_of(self, names: Set[str]) -> dict[str, tuple[int, ...]]:
        """Of `names`, and maybe others; remembered until a rule changes, for there may be 10,000 names."""
        matcher = listening()
        with self._lock:
            if self._known[0] is not matcher:
                self._known = (matcher, {})
            known = self._known[1]
        for name in names - known.keys():
            known[name] = tuple(matcher.match(Event({"type": name}, None)))
        return known

    def publish(self, bus: str, body: bytes) -> Published:
        """Publishes one event in CloudEvents JSON format through the ingest; raises PublishRefused with the reason."""
        if bus in RESERVED:
            raise PublishRefused(_("Signalbox alone publishes on the bus %(bus)s.") % {"bus": bus})
        try:
            published = pipeline.publish(bus, body)
        except Refused as refused:
            raise PublishRefused(
                refused.reason, f"/{refused.attribute}" if refused.attribute else None
            ) from refused
        except pipeline.Denied as denied:
            raise PublishRefused(denied.reason) from denied
        except Unavailable as error:
            raise PublishRefused(str(error)) from error
        except KeyError:
            raise PublishRefused(_("There is no bus called %(bus)s.") % {"bus": bus}) from None
        return Published(published.id, published.accepted.seq)


# The one of this process: it remembers which rules take which types.
log_facts = LogFacts()


def _last_seen(names: Sequence[str]) -> dict[str, int]:
    """When the newest event of each type was received, to the minute: the rollups answer without touching the log."""
    # One search in the rollup's key for each bus and type: all minutes of a type are thousands.
    newest = "SELECT max(r.minute) FROM rollup_received r WHERE r.bus = b.id AND r.type = t.name"
    minutes: dict[str, int] = {}
    for at in range(0, len(names), 200):
        part = names[at : at + 200]
        named = " UNION ALL ".join(["SELECT %s AS name"] * len(part))
        for name, minute in rows(
            f"SELECT t.name, ({newest}) FROM catalog_bus b CROSS JOIN ({named}) AS t", part
        ):
            if minute is not None:
                minutes[name] = max(int(minute), minutes.get(name, 0))
    # The running minute is too coarse for "12 seconds ago": those few are looked up in the log.
    running = [name for name, minute in minutes.items() if minute >= now() // MINUTE - 1]
    return {name: minute * MINUTE for name, minute in minutes.items()} | events.newest(running)
