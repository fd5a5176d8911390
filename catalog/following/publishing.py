"""Changes as CloudEvents: what is said of one on the bus "system"."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import override

from catalog.changes import KINDS
from catalog.following.telling import told
from catalog.models import Change, SchemaVersion
from catalog.schemas.difference import difference
from catalog.schemas.text import NotJson, parse
from catalog.schemas.validator import Validator, compile_schema
from catalog.system import DETAIL, LANGUAGE, SOURCE, event_type_name

# Sentences about a new version that are kept.
SENTENCES = 20


def summarise(change: Change) -> None:
    """Adds to the news of a new version how its schema differs from the version before.

    Not when the version is saved: comparing takes as long as the schemas are large, and the log would wait for it.
    """
    if change.kind != "version.registered" or "changes" in change.detail:
        return
    number = change.detail.get("version")
    pair = SchemaVersion.objects.filter(event_type__name=change.type_name, number__lte=number or 0)
    texts = list(pair.order_by("-number").values_list("schema", flat=True)[:2])
    try:
        found = difference(parse(texts[1]), parse(texts[0])) if len(texts) == 2 else []
    except NotJson:
        found = []
    said = [one for one in found if not one.is_annotation] or found
    # Plain strings, which the validator asks for: a sentence is one that carries the parts it is made of.
    change.detail = change.detail | {"changes": [str.__str__(one.message) for one in said[:SENTENCES]]}
    Change.objects.filter(pk=change.pk).update(detail=change.detail)


def event_of(change: Change) -> bytes:
    """The CloudEvent (structured JSON). Its id is the change's key: published again it is the same event."""
    with override(LANGUAGE):
        one = told([change])[0]
        title = one.title
    subject = {"type": change.type_name, "source": change.source, "bus": change.bus}[
        KINDS[change.kind].subject
    ]
    data: dict[str, Any] = {
        "kind": change.kind,
        "title": title,
        "link": settings.PUBLIC_URL + one.path,
        "at": change.at,
        KINDS[change.kind].subject: subject,
    }
    data |= {name: value for name, value in (("team", change.team), ("by", change.by)) if value}
    # What is not described, or is not as described, is left out: the news must not be refused for it.
    data["detail"] = {name: value for name, value in change.detail.items() if _is_described(name, value)}
    event = {
        "specversion": "1.0",
        "id": str(change.key),
        "source": SOURCE,
        "type": event_type_name(change.kind),
        "subject": subject,
        "time": change.at,
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(event, cls=DjangoJSONEncoder, ensure_ascii=False).encode()


def _is_described(name: str, value: Any) -> bool:
    return name in DETAIL and _described(name).is_valid(value)


@cache
def _described(name: str) -> Validator:
    return compile_schema(json.dumps(DETAIL[name]))
