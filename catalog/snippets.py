"""Ready-to-paste programs that publish one event of a type: curl, Python, JavaScript."""

from __future__ import annotations

import json
import pprint
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from catalog.facts import RecentEvent, facts
from catalog.models import Bus, EventType, Observation, Source
from catalog.schemas.fields import fields_of, rows_of, sample_of
from catalog.schemas.text import NotJson, parse


def example_of(event_type: EventType) -> Any:
    """Data that shows what the type carries: its newest version's example, else one made from its schema."""
    newest = event_type.latest
    if newest is None:
        return {"text": "Hello"}
    for text in (newest.example, newest.schema):
        try:
            value = parse(text)
        except NotJson:
            continue
        return value if text is newest.example else sample_of(fields_of(value))
    return {}


# What documentation calls the field that a subject repeats; a plain "subject" is as often the line of a mail.
_IS_SUBJECT = re.compile(r"\bevents?['’]s? subject\b|\bsubject of (the|this|its) event\b", re.IGNORECASE)


def subject_for(event_type: EventType, data: Any, recent: RecentEvent | None) -> str:
    """The subject that an event with `data` would have; "" when nothing tells.

    Where the last real event has its subject in its data, `data` has it at the same place; without a real event, at the
    field whose description says so.
    """
    if recent is not None:
        try:
            real = parse(recent.raw.decode(errors="replace")).get("data") if recent.subject else None
        except (NotJson, AttributeError):
            return ""
        paths = [path for path, value in _leaves(real) if str(value) == recent.subject]
    else:
        newest = event_type.latest
        try:
            fields = rows_of(fields_of(parse(newest.schema))) if newest else []
        except NotJson:
            fields = []
        paths = [field.path for field in fields if _IS_SUBJECT.search(field.meaning)]
    ours = dict(_leaves(data))
    return next((str(ours[path]) for path in paths if ours.get(path) not in (None, "")), "")


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Path and value of what an object holds outside of lists: in a list no one entry is what an event is about."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif not isinstance(value, list | bool | None):
        yield path, value


def _emitter_of(event_type: EventType) -> str:
    """The source that sent most events of the type on a day, "" when none was looked at."""
    seen = Observation.objects.filter(type_name=event_type.name).exclude(source="")
    return seen.order_by("-events").values_list("source", flat=True).first() or ""


@dataclass(frozen=True)
class Snippets:
    """One event to publish: at `url`, of `type` from `source` about `subject` ("" for none), with `data`.

    `token` says whether one is needed.
    """

    url: str
    type: str
    source: str
    data: Any
    token: bool
    subject: str = ""

    @classmethod
    def of(
        cls, request: HttpRequest, event_type: EventType | None, source: Source | None, bus: Bus | None = None
    ) -> Snippets:
        """For `event_type` as sent by `source`, to the address this page was asked at and the source's bus, else `bus`.

        Without a registered source, as sent by whoever was seen to send the type.
        """
        if source is None and event_type is not None:
            source = event_type.sources.offered().select_related("bus").first()
        bus = source.bus if source else bus or Bus.objects.offered().first()
        data = example_of(event_type) if event_type else {"text": "Hello"}
        recent = facts().recent(event_type.name, 1) if event_type else []
        emitter = _emitter_of(event_type) if event_type and source is None else ""
        return cls(
            request.build_absolute_uri(f"/v1/buses/{bus.name if bus else 'main'}/events"),
            event_type.name if event_type else "com.example.hello",
            source.uri if source else emitter or "/my/source",
            data,
            not (bus and bus.open_publishing),
            subject_for(event_type, data, recent[0] if recent else None) if event_type else "",
        )

    @property
    def _about(self) -> dict[str, str]:
        return {"subject": self.subject} if self.subject else {}

    def curl(self) -> str:
        """A curl line for a POSIX shell, structured mode."""
        event = {
            "specversion": "1.0",
            "id": "ID",
            "type": self.type,
            "source": self.source,
            **self._about,
            "data": self.data,
        }
        # The id is new with every run: a repeated id is a duplicate and changes nothing. `date` is everywhere; where it
        # knows no nanoseconds it writes a letter, and the id is new every second.
        body = shlex.quote(json.dumps(event, indent=2, ensure_ascii=False)).replace(
            '"ID"', "\"'$(date +%s%N)'\"", 1
        )
        token = '  -H "Authorization: Bearer $SIGNALBOX_TOKEN" \\\n' if self.token else ""
        return (
            f"curl -i {shlex.quote(self.url)} \\\n{token}  -H 'content-type: application/cloudevents+json' \\\n"
            f"  -d {body}"
        )

    def python(self) -> str:
        """With the CloudEvents SDK and the standard library."""
        token = (
            '\nheaders["authorization"] = f"Bearer {os.environ[\'SIGNALBOX_TOKEN\']}"' if self.token else ""
        )
        imports = "import os\nimport urllib.request" if self.token else "import urllib.request"
        attributes = {"type": self.type, "source": self.source, **self._about}
        return (
            f"# pip install 'cloudevents>=2'\n{imports}\n\nfrom cloudevents.core.bindings.http import to_structured_event\n"
            "from cloudevents.core.v1.event import CloudEvent\n\n"
            f"attributes = {_python(attributes)}\n"
            f"message = to_structured_event(CloudEvent(attributes, {_python(self.data)}))\n"
            f"headers = dict(message.headers){token}\n"
            f"request = urllib.request.Request({self.url!r}, message.body, headers)\n"
            "print(urllib.request.urlopen(request).read().decode())"
        )

    def javascript(self) -> str:
        """With the CloudEvents SDK and fetch."""
        token = "\nheaders.authorization = `Bearer ${process.env.SIGNALBOX_TOKEN}`;" if self.token else ""
        attributes = json.dumps(
            {"type": self.type, "source": self.source, **self._about}, ensure_ascii=False
        )[1:-1]
        return (
            "// npm install cloudevents, in a file that ends in .mjs\n"
            'import { CloudEvent, HTTP } from "cloudevents";\n\n'
            f"const data = {json.dumps(self.data, indent=2, ensure_ascii=False)};\n"
            f"const {{ headers, body }} = HTTP.structured(new CloudEvent({{ {attributes}, data }}));{token}\n"
            f'const answer = await fetch({json.dumps(self.url)}, {{ method: "POST", headers, body }});\n'
            "console.log(answer.status, await answer.text());"
        )


def _python(value: Any) -> str:
    return pprint.pformat(value, indent=1, width=90, sort_dicts=False)
