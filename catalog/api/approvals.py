"""Approvals of personal data: who asked for it, and the owner's answer."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import approvals
from catalog.api import filling, shapes, shown
from catalog.api.access import bus_of, check_owner
from catalog.api.asking import Members
from catalog.api.describing import IF_MATCH, IF_NONE_MATCH, PAGED, described, place, query
from catalog.api.operation import PAGING, READS, Operation, check_unchanged, listed, parameters, shows
from catalog.api.owners import page
from catalog.api.problem import Invalid, Missing, Place
from catalog.exports.reading import readable
from catalog.models import Approval, Team, Token
from catalog.ownership import owned_teams

TAG = "Approvals"
STATES = Approval.State.values
ANSWERS = (Approval.State.GRANTED.value, Approval.State.REFUSED.value)
PK = place("id", "Its number.", whole=True)
APPROVAL = {
    "id": 7,
    "event_type": "order.placed",
    "owner": "checkout",
    "team": "billing",
    "reason": "The invoice has the customer's address on it.",
    "state": "asked",
    "answer": "",
    "asked_by": "lena",
    "asked_at": "2026-03-01T09:30:00.000Z",
    "decided_by": None,
    "decided_at": None,
}
GRANTED = APPROVAL | {
    "state": "granted",
    "answer": "For invoices alone.",
    "decided_by": "mara",
    "decided_at": "2026-03-02T08:00:00.000Z",
}


def rows(request: Request) -> QuerySet[Approval]:
    """What whoever asks decides about, and what their teams asked for; of a token its team's."""
    listed = Approval.objects.select_related("event_type__team", "team", "asked_by", "decided_by")
    if isinstance(request.auth, Token):
        team = request.auth.team_id
        ours = listed.filter(Q(event_type__team=team) | Q(team=team))
        return ours.filter(event_type__in=readable(bus_of(request)))
    mine = Team.objects.filter(members=request.user.pk)
    decides = owned_teams(request.user, approvals.DECIDES)
    return listed.filter(Q(event_type__team__in=decides) | Q(team__in=mine))


class Approvals(Operation):
    """All approvals."""

    needs = READS

    @described(
        "listApprovals",
        "List approvals of personal data",
        "Wishes to receive the personal fields of an event type, the newest first: those of types that you decide "
        "about, and those of your teams. A token sees its team's.",
        tag=TAG,
        takes=[
            query("state", "What became of them.", choices=STATES),
            query("event_type", "The name of an event type."),
            query("team", "The slug of the team that asked."),
            *PAGED,
        ],
        answers={200: (shapes.page_of("Approval"), "A page of approvals.")},
        answer=page(APPROVAL),
        refuses=[422],
    )
    def get(self, request: Request) -> Response:
        """A page of approvals."""
        said = parameters(request, "state", "event_type", "team", *PAGING)
        if "state" in said and said["state"] not in STATES:
            raise Invalid(Place(_("state is one of %(choices)s.") % {"choices": ", ".join(STATES)}, ""))
        found = rows(request)
        for name, field in (("state", "state"), ("event_type", "event_type__name"), ("team", "team__slug")):
            if name in said:
                found = found.filter(**{field: said[name]})
        return listed(request, found, lambda some: [shown.approval(one) for one in some], "-id")


class OneApproval(Operation):
    """One approval."""

    needs = {"GET": READS, "PUT": approvals.DECIDES}

    @staticmethod
    def one(request: Request, pk: int) -> Approval:
        """The approval of that number. Raises Missing."""
        found = rows(request).filter(pk=pk).first() if pk < 2**63 else None
        if found is None:
            raise Missing(_("There is no approval %(id)s that you may see.") % {"id": str(pk)[:20]})
        return found

    @described(
        "getApproval",
        "Show an approval",
        "Who asked, what for, and what the owner answered.",
        tag=TAG,
        takes=[PK, IF_NONE_MATCH],
        answers={200: (shapes.ref("Approval"), "The approval.")},
        answer=APPROVAL,
        refuses=[404],
    )
    def get(self, request: Request, pk: int) -> Response:
        """An approval."""
        parameters(request)
        return shows(request, shown.approval(self.one(request, pk)))

    @described(
        "decideApproval",
        "Grant or refuse personal data",
        "For owners of the event type. `refused` takes back what was granted, too, and pauses the targets that would "
        "receive it; it needs an answer, so that they know what to do.",
        tag=TAG,
        takes=[PK, IF_MATCH],
        asks={
            "type": "object",
            "properties": {
                "state": shapes.one_of(ANSWERS),
                "answer": shapes.text("What the team is told.", maxLength=approvals.LONGEST),
            },
            "required": ["state"],
            "additionalProperties": False,
        },
        example={"state": "granted", "answer": "For invoices alone."},
        answers={200: (shapes.ref("Approval"), "The approval as it is now.")},
        answer=GRANTED,
        refuses=[404, 412],
    )
    def put(self, request: Request, pk: int) -> Response:
        """Answers a wish."""
        parameters(request)
        asked = Members(request, ("state", "answer"))
        found = self.one(request, pk)
        check_owner(request, found.event_type.team, approvals.DECIDES)
        check_unchanged(request, shown.approval(found))
        state, answer = _state(asked), asked.text("answer").strip()
        if len(answer) > approvals.LONGEST:
            asked.wrong("/answer", _("This is a text of at most %(most)s.") % {"most": approvals.LONGEST})
        if not answer and state == Approval.State.REFUSED:
            asked.wrong("/answer", _("Say why not, so that they know what to do."))
        asked.check()
        approvals.decide(found, state == Approval.State.GRANTED, answer, request.user)
        return shows(request, shown.approval(self.one(request, pk)))


def _state(asked: Members) -> str:
    """The answer that was given. Raises Invalid."""
    if "state" not in asked:
        raise filling.refused(_("This is one of %(choices)s.") % {"choices": ", ".join(ANSWERS)}, "/state")
    return asked.choice("state", ANSWERS, "")
