"""The event types of a document, registered in one go."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from catalog import comparing, importing
from catalog.command_line.ending import NotAsked
from catalog.forms.several import SeveralForm
from catalog.models import Domain, Draft, EventType, Team
from catalog.pasted import read


class Report(NamedTuple):
    """What became of each candidate (catalog.importing's rows), and the mistakes of the document itself."""

    rows: list[dict[str, Any]]
    mistakes: list[dict[str, Any]]


def imported(
    text: str, title: str, *, user: str, team: str, domain: str, before: str, as_drafts: bool
) -> Report:
    """Registers what `text` describes, or keeps drafts of it. Raises NotAsked."""
    person = get_user_model().objects.filter(username=user, is_active=True).first()
    if person is None:
        raise NotAsked(_("There is no person “%(name)s” who may sign in.") % {"name": user})
    if not person.has_perm("catalog.add_eventtype"):
        raise NotAsked(_("“%(name)s” may not register event types.") % {"name": user})
    document = read(text)
    if not document.candidates:
        return Report([], [comparing.mistake(one) for one in document.mistakes] or [{"detail": _nothing()}])
    form = SeveralForm(
        {
            "team": _row(Team, team),
            "domain": _row(Domain, domain),
            "before": before,
            "tags": "",
            "validation": EventType.Validation.REJECT,
        },
        user=person,
    )
    if not form.is_valid():
        raise NotAsked(" ".join(str(one) for errors in form.errors.values() for one in errors))
    run = importing.start(
        person, text, range(len(document.candidates)), form.shared(), as_drafts, document.title or title
    )
    try:
        while not importing.is_done(run):
            done = len(run.content["report"])
            importing.step(run, person)
            if len(run.content["report"]) == done:
                raise NotAsked(_("Somebody deleted the import while it ran. What it registered stays."))
        return Report(run.content["report"], [comparing.mistake(one) for one in document.mistakes])
    finally:
        # What it registered stays; its report is told here and on no page.
        Draft.objects.filter(pk=run.pk).delete()


def _nothing() -> str:
    return _("Nothing in it describes an event type.")


def _row(model: Any, slug: str) -> int:
    found = model.objects.filter(slug=slug).values_list("pk", flat=True).first()
    if found is None:
        kind = model._meta.verbose_name
        raise NotAsked(_("There is no %(kind)s “%(slug)s”.") % {"kind": kind, "slug": slug})
    return int(found)
