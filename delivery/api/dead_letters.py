"""Dead letters: list, group, show, redrive, discard; and what was asked for them."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.asking import Members
from catalog.api.describing import DRY, PAGED, described, place
from catalog.api.operation import PAGING, Operation, is_dry, page_limit, parameters
from catalog.api.owners import page
from catalog.api.problem import Invalid, Missing, Place
from catalog.api.shown import moment as time
from catalog.personal import hidden_from, shown_to
from delivery.api import shapes
from delivery.api.choosing import FILTERS, MOST, NAMES, chosen_by, cursor_of, filter_of
from delivery.deadletters import asking, listing
from delivery.deadletters import chosen as choosing
from delivery.deadletters.causes import cause_id
from delivery.deadletters.chosen import Chosen, Letter
from delivery.models import LetterJob
from delivery.pages.kept_request import kept_request
from delivery.pages.outgoing import Outgoing, delivery_id, outgoing
from delivery.pages.veil import answer_hidden, groups_for, letters_for, searched_by
from delivery.tracking.read import moment, rows
from delivery.tracking.words import State
from rules.models import Target

TAG = "Dead letters"
READS, WRITES = "rules.view_target", "rules.change_target"


class DeadLetters(Operation):
    """All dead letters."""

    needs = READS

    @described(
        "listDeadLetters",
        "List dead letters",
        "Events that targets finally did not take, the newest event first. A page may hold fewer than `limit` while "
        "`next` leads on: at most 10,000 are looked at for one answer.",
        tag=TAG,
        takes=[*FILTERS, *PAGED],
        answers={200: (shapes.PAGE, "A page of dead letters.")},
        answer=page(shapes.A_LETTER),
        refuses=[422],
        person=True,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """A page of dead letters."""
        asked = parameters(request, *NAMES, *PAGING)
        limit = page_limit(asked)
        found, place_after = choosing.page(
            searched_by(request.user, filter_of(asked)), cursor_of(asked.get("cursor")), limit
        )
        following = None
        if place_after is not None:
            given = request.query_params.copy()
            given["cursor"] = "-".join(map(str, place_after))
            following = f"{request.path}?{given.urlencode()}"
        return Response({"items": _shown(found, request.user), "next": following})


class Groups(Operation):
    """Dead letters by target and cause."""

    needs = READS

    @described(
        "groupDeadLetters",
        "Group dead letters by cause",
        "The newest 10,000 dead letters of those chosen, by target and cause, the largest group first; at most 200 groups.",
        tag=TAG,
        takes=FILTERS,
        answers={200: (shapes.GROUPS, "The groups.")},
        answer={
            "items": [
                {
                    "target": 7, "target_name": "Billing", "cause": "5f2a90c1d3e4", "status": 422, "size": 32,
                    "words": "It answers 422: invoice_ref is longer than … characters.",
                    "example": "It answers 422: invoice_ref is longer than 20 characters.",
                    "first_tried_at": "2026-03-01T09:30:00.000Z", "last_tried_at": "2026-03-01T09:40:00.000Z",
                }
            ]
        },
        refuses=[422],
        person=True,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The groups."""
        groups = groups_for(
            request.user,
            listing.groups(searched_by(request.user, filter_of(parameters(request, *NAMES))))[:200],
        )
        names = _names(group.target for group in groups)
        items = [
            {
                "target": group.target,
                "target_name": names.get(group.target, ""),
                "cause": group.id,
                "words": group.cause if group.shown is None else group.shown,
                "example": group.said,
                "status": group.status,
                "size": group.size,
                "first_tried_at": time(group.since),
                "last_tried_at": time(group.latest),
            }
            for group in groups
        ]
        return Response({"items": items})


class OneLetter(Operation):
    """One dead letter."""

    needs = READS

    @described(
        "getDeadLetter",
        "Show a dead letter",
        "What was sent, kept as it was, and what came back, with the event; what would be sent now, and what of it changed.",
        tag=TAG,
        takes=[place("target", "The target's id.", whole=True), place("seq", "The event's number.", whole=True)],
        answers={200: (shapes.WHOLE, "The dead letter.")},
        answer=shapes.A_LETTER
        | {
            "event": {"specversion": "1.0", "id": "e-1", "source": "/shop", "type": "order.placed"},
            "sent": {"line": "POST https://billing.example/hook", "headers": [["webhook-id", "msg_7_b68"]], "body": "{}", "problem": ""},
            "now": {"line": "POST https://billing.example/v2", "headers": [["webhook-id", "msg_7_b68"]], "body": "{}", "problem": ""},
            "changed": ["Address"],
            "answer": '{"error": "too long"}',
            "waiting_behind": 2,
        },
        refuses=[404],
        person=True,
    )  # fmt: skip
    def get(self, request: Request, target: int, seq: int) -> Response:
        """The dead letter."""
        letters = (
            list(choosing.newest(Chosen(letters=((target, seq),)))) if seq < 2**63 and target < 2**63 else []
        )
        at = Target.objects.filter(pk=target).first() if letters else None
        if not letters or at is None:
            raise Missing(_("There is no such dead letter: it was redriven or discarded, or never was."))
        raw, answer, key = rows(
            "SELECT raw, coalesce(response, ''), key FROM runner_exception WHERE target = %s AND seq = %s",
            [target, seq],
        )[0]
        event = shown_to(request.user, letters[0].type, bytes(raw)).text
        hidden = letters[0].type in hidden_from(request.user, [letters[0].type])
        kept = kept_request(target, seq, event.encode(), at, hidden=hidden)
        now = outgoing(at.connector, at.config, at.transform, event.encode(), delivery_id(target, seq))
        behind = rows(
            "SELECT count(*) FROM runner_exception WHERE target = %s AND key = %s AND seq > %s AND state = %s",
            [target, key, seq, int(State.WAITING)],
        )[0][0]
        return Response(
            _shown(letters, request.user)[0]
            | {
                "event": json.loads(event),
                "sent": _request(kept.sent) if kept is not None else None,
                "now": _request(now),
                "changed": [one.name for one in kept.changed] if kept is not None else [],
                "answer": answer and answer_hidden() if hidden else answer,
                "waiting_behind": int(behind),
            }
        )


class Redrive(Operation):
    """POST dead-letters:redrive."""

    needs = WRITES

    @described(
        "redriveDeadLetters",
        "Send dead letters again",
        "Chosen by `filter` or named in `letters`, each key in its order, with the target's settings of now and the same "
        "webhook-id. Up to 500 are asked for before it answers; more are a job. 422 when earlier dead letters of the same "
        "keys are left out, unless `out_of_order` says that this is meant.",
        tag=TAG,
        takes=[DRY],
        asks=shapes.REDRIVE,
        example={"filter": {"target": 7, "cause": "5f2a90c1d3e4"}},
        answers={200: (shapes.ASKED, "What was asked; with dry_run, what would be.")},
        answer=shapes.A_JOB,
        person=True,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Asks for a redrive."""
        dry = is_dry(request)
        asked = Members(request, ("filter", "letters", "out_of_order"))
        chosen, free = searched_by(request.user, chosen_by(asked)), asked.flag("out_of_order")
        asked.check()
        left = _earlier_left(chosen)
        if left and not free and not dry:
            asked.wrong(
                "",
                _(
                    "%(n)s earlier dead letters of the same keys are not among these. Name them too, or say out_of_order."
                )
                % {"n": left},
            )
            asked.check()
        return _asked(LetterJob.Kind.REDRIVE, chosen, request, dry=dry, left=left)


class Discard(Operation):
    """POST dead-letters:discard."""

    needs = WRITES

    @described(
        "discardDeadLetters",
        "Drop dead letters for good",
        "Chosen as for redriving. The events stay on their bus; events that wait behind go on. For ten seconds it can be "
        "undone.",
        tag=TAG,
        takes=[DRY],
        asks=shapes.DISCARD,
        example={"letters": [{"target": 7, "seq": 2920}], "reason": "A test order."},
        answers={200: (shapes.ASKED, "What was asked; with dry_run, what would be.")},
        answer=shapes.A_JOB | {"kind": "discard", "reason": "A test order.", "total": 1, "done": 1},
        person=True,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Asks for a discard."""
        dry = is_dry(request)
        asked = Members(request, ("filter", "letters", "reason"))
        chosen, reason = searched_by(request.user, chosen_by(asked)), asked.text("reason").strip()
        if not reason:
            asked.wrong("/reason" if "reason" in asked else "", _("Say why they are discarded: `reason`."))
        asked.check()
        return _asked(LetterJob.Kind.DISCARD, chosen, request, reason, dry, _earlier_left(chosen))


class OneJob(Operation):
    """What was asked for dead letters."""

    needs = READS

    @described(
        "getDeadLetterJob",
        "Show what was asked for dead letters",
        "Its progress, and who asked why.",
        tag=TAG,
        takes=[place("id", "Its id.", whole=True)],
        answers={200: (shapes.JOB, "The job.")},
        answer=shapes.A_JOB,
        refuses=[404],
        person=True,
    )
    def get(self, request: Request, pk: int) -> Response:
        """The job."""
        return Response(_job(_found(pk)))


class Undo(Operation):
    """POST dead-letter-jobs/{id}:undo."""

    needs = WRITES

    @described(
        "undoDeadLetterJob",
        "Stop a job, or take a discard back",
        "A job stops where it got. A discard can be taken back within ten seconds.",
        tag=TAG,
        takes=[place("id", "Its id.", whole=True)],
        answers={200: (shapes.JOB, "The job, as it is now.")},
        answer=shapes.A_JOB | {"ended": "cancelled", "done": 0},
        refuses=[404],
        person=True,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Stops it."""
        job = _found(pk)
        asking.undo(job)
        job.refresh_from_db()
        return Response(_job(job))


def _asked(
    kind: str, chosen: Chosen, request: Request, reason: str = "", dry: bool = False, left: int = 0
) -> Response:
    if dry:
        total, exact = choosing.count(chosen)
        return Response({"dry_run": True, "total": total, "exact": exact, "earlier_left": left})
    try:
        job = asking.ask(kind, chosen, request.user, reason)
    except asking.NothingChosen:
        raise Invalid(
            Place(_("No dead letter is chosen: it was redriven or discarded meanwhile."), "")
        ) from None
    return Response(_job(job))


def _earlier_left(chosen: Chosen) -> int:
    return choosing.earlier_left(choosing.in_order(chosen, (0, 0), MOST)[0])


def _names(targets: Any) -> dict[int, str]:
    return dict(Target.objects.filter(pk__in=set(targets)).values_list("pk", "name"))


def _request(one: Outgoing) -> dict[str, Any]:
    return {
        "line": one.line,
        "headers": [list(pair) for pair in one.headers],
        "body": one.body,
        "problem": one.problem,
    }


def _shown(letters: list[Letter], user: Any) -> list[dict[str, Any]]:
    names = _names(letter.target for letter in letters)
    said = [one.reason for one in letters_for(user, letters)]
    return [
        {
            "target": one.target,
            "target_name": names.get(one.target, ""),
            "seq": one.seq,
            "type": one.type,
            "source": one.source,
            "subject": one.subject or None,
            "event_id": one.event_id,
            "reason": reason,
            "cause": cause_id(one.cause),
            "status": one.status,
            "attempts": one.attempts,
            "redriven": one.redriven,
            "first_tried_at": time(one.since),
        }
        for one, reason in zip(letters, said, strict=True)
    ]


def _found(pk: int) -> LetterJob:
    found = LetterJob.objects.filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise Missing(_("Nothing with the number %(id)s was asked for.") % {"id": str(pk)[:20]})
    return found


def _job(job: LetterJob) -> dict[str, Any]:
    return {
        "id": job.pk,
        "kind": str(job.kind),
        "reason": job.reason,
        "by": job.by_name,
        "asked_at": time(moment(job.asked_at)),
        "starts_at": time(moment(job.starts_at)),
        "total": job.total,
        "exact": job.exact,
        "done": job.done,
        "ended_at": time(moment(job.ended_at)) if job.ended_at is not None else None,
        "ended": str(job.ended) or None,
    }
