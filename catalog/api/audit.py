"""The audit log: who changed what and when."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import shapes
from catalog.api.describing import PAGED, described, query
from catalog.api.members import TAG
from catalog.api.operation import PAGING, Operation, listed, parameters
from catalog.api.owners import page
from catalog.api.problem import Invalid, Place
from catalog.audit.kinds import KINDS
from catalog.audit.reading import NAMES, RANGES, exported, wanted
from catalog.models import AuditRecord

RECORD = {
    "id": 4711,
    "at": "2026-11-27T08:00:00.000Z",
    "by": "mara",
    "via": "console",
    "address": "192.0.2.7",
    "action": "changed",
    "kind": "target",
    "key": "3",
    "name": "Billing",
    "before": {"config.url": "https://billing.example/v1", "config.token": "••••"},
    "after": {"config.url": "https://billing.example/v2", "config.token": "••••"},
    "note": "",
}


class Audit(Operation):
    """All audit records."""

    needs = "catalog.view_auditrecord"

    @described(
        "listAuditRecords",
        "Read the audit log",
        "Who changed what and when, the newest first: what was made, changed, deleted, switched, paused, sent again and "
        "discarded through the console and this API, and who signed in or failed to. Secrets are dots. Records never "
        "change.",
        tag=TAG,
        takes=[
            query("by", "The sign-in name of who did it."),
            query("kind", "A kind of object.", choices=tuple(KINDS)),
            query("key", "The object: its name, slug or number."),
            query("action", "What was done.", choices=AuditRecord.Action.values),
            query("range", "Back from now.", choices=tuple(RANGES)),
            query("from", "A time (RFC 3339) or a day: what was done then or later."),
            query("to", "A time, before which it was done, or the last day."),
            *PAGED,
        ],
        answers={200: (shapes.page_of("AuditRecord"), "A page of records.")},
        answer=page(RECORD),
        refuses=[422],
    )
    def get(self, request: Request) -> Response:
        """A page of audit records."""
        asked = wanted(parameters(request, *NAMES, *PAGING))
        if asked.problems:
            raise Invalid(*(Place(f"{name}: {why}", "") for name, why in asked.problems.items()))
        return listed(request, asked.rows(), lambda some: [exported(one) for one in some], "-id")
