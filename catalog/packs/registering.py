"""Registers what a fetched pack describes, in steps of less than a second: an import like one of the console."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from catalog import importing
from catalog.forms.owners import free_slug, new_domain, team_of
from catalog.models import Bus, Domain, Draft, EventType, Source, Team
from catalog.packs.known import Pack
from catalog.pasted import ORIGINS, read
from catalog.schemas.documents import Kind


class PackNotRegistered(Exception):
    """The pack cannot be registered as asked; the text says what to do."""


class Wishes(NamedTuple):
    """Names of the team, domain and bus; None for the only one there is (team, bus) or one of the pack's name (domain)."""

    team: str | None = None
    domain: str | None = None
    bus: str | None = None
    only: tuple[str, ...] = ()


class Registered(NamedTuple):
    """How many event types are registered, draft, waiting (as drafts of an earlier run), unchanged, refused; and why."""

    counts: Counter[str]
    said: list[str]


def register(
    pack: Pack,
    document: Path,
    wishes: Wishes,
    progress: Callable[[int, int], object] = lambda done, all: None,
) -> Registered:
    """Registers the event types of `document`; those that are there already stay as they are.

    Events that do not fit are accepted and counted: the senders add fields before anybody describes them. Each type
    is a transaction of its own, so nothing waits for the whole pack, and what was interrupted is gone on with by
    calling it again. Raises PackNotRegistered, with nothing changed.
    """
    text = document.read_text()
    candidates = read(text).candidates
    take = [
        at
        for at, one in enumerate(candidates)
        if not wishes.only or _is_one_of(_bare(pack, one.name), wishes.only)
    ]
    if not take:
        raise PackNotRegistered(
            _("The pack has no event type called %(names)s.") % {"names": ", ".join(wishes.only)}
        )
    waiting = _waiting(pack.before + candidates[at].name for at in take)
    take = [at for at in take if pack.before + candidates[at].name not in waiting]
    with transaction.atomic():
        source, shared = _owners(pack, wishes)
    shared |= {"before": pack.before, "validation": EventType.Validation.WARN.value, "sources": [source.pk]}
    run = importing.start(None, text, take, shared, False, f"{pack.package} {pack.version}")
    try:
        while not importing.is_done(run):
            importing.step(run, None)
            progress(len(run.content["report"]), len(take))
    finally:
        run.delete()
    report = run.content["report"]
    counts = Counter(row["state"] for row in report)
    if waiting:
        counts["waiting"] = len(waiting)
    said = [f"{row['name']}: {row['why']}" for row in report if row["state"] in ("draft", "refused")]
    return Registered(counts, said)


def _waiting(names: Iterable[str]) -> set[str]:
    """Which of these are drafts that an earlier run kept and nobody has taken."""
    wanted = list(names)
    found = Draft.objects.filter(
        name__in=wanted, created_by=None, event_type=None, origin=ORIGINS[Kind.GITHUB_WEBHOOKS]
    )
    return set(found.values_list("name", flat=True))


def _bare(pack: Pack, name: str) -> str:
    return name.removeprefix(pack.before).removeprefix(f"{pack.name}.")


def _is_one_of(name: str, only: Iterable[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in only)


def _owners(pack: Pack, wishes: Wishes) -> tuple[Source, dict[str, object]]:
    source = Source.objects.filter(uri=pack.source).first()
    team = _team(wishes.team, source)
    name = wishes.domain or pack.title
    domain = Domain.objects.filter(name__iexact=name).first() or new_domain(name, team)
    if source is None:
        title, number = pack.title, 1
        while Source.objects.filter(name__iexact=title).exists():
            number += 1
            title = f"{pack.title} {number}"
        source = Source.objects.create(
            name=title, slug=free_slug(Source, title), uri=pack.source, bus=_bus(wishes.bus), team=team
        )
    return source, {"team": str(team.pk), "domain": str(domain.pk)}


def _team(name: str | None, source: Source | None) -> Team:
    if name is not None:
        found = Team.objects.filter(name__iexact=name).first()
        return found or Team.objects.create(name=name, slug=free_slug(Team, name))
    team = source.team if source is not None else team_of(None)
    if team is None:
        raise PackNotRegistered(
            _("Whose are they? Name a team: --team Platform. A team that does not exist is made.")
        )
    return team


def _bus(name: str | None) -> Bus:
    known = Bus.objects.filter(retired_at=None)
    if name is not None:
        found = known.filter(name=name).first()
        if found is None:
            raise PackNotRegistered(
                _("There is no bus called %(name)s. There are: %(known)s.")
                % {"name": name, "known": ", ".join(known.values_list("name", flat=True)) or "–"}
            )
        return found
    first = known.first()
    if first is None:
        raise PackNotRegistered(_("There is no bus yet. Open the console and make one first."))
    return first
