"""Ready-to-paste programs that publish one event of a type: curl, Python, JavaScript."""

from __future__ import annotations

import json
import pprint
import shlex
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from catalog.models import Bus, EventType, Source
from catalog.schemas.fields import fields_of, sample_of
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


@dataclass(frozen=True)
class Snippets:
    """One event to publish: at `url`, of `type` from `source`, with `data`; `token` says whether one is needed."""

    url: str
    type: str
    source: str
    data: Any
    token: bool

    @classmethod
    def of(
        cls, request: HttpRequest, event_type: EventType | None, source: Source | None, bus: Bus | None = None
    ) -> Snippets:
        """For `event_type` as sent by `source`, to the address this page was asked at and the source's bus, else `bus`."""
        if source is None and event_type is not None:
            source = event_type.sources.offered().select_related("bus").first()
        bus = source.bus if source else bus or Bus.objects.offered().first()
        return cls(
            request.build_absolute_uri(f"/v1/buses/{bus.name if bus else 'main'}/events"),
            event_type.name if event_type else "com.example.hello",
            source.uri if source else "/my/source",
            example_of(event_type) if event_type else {"text": "Hello"},
            not (bus and bus.open_publishing),
        )

    def curl(self) -> str:
        """A curl line for a POSIX shell, structured mode."""
        event = {
            "specversion": "1.0",
            "id": "ID",
            "type": self.type,
            "source": self.source,
            "data": self.data,
        }
        # The id is new with every run: a repeated id is a duplicate and changes nothing.
        body = shlex.quote(json.dumps(event, indent=2, ensure_ascii=False)).replace(
            '"ID"', "\"'$(uuidgen)'\"", 1
        )
        token = '  -H "Authorization: Bearer $SIGNALBOX_TOKEN" \\\n' if self.token else ""
        return (
            f"curl -i {shlex.quote(self.url)} \\\n{token}  -H 'content-type: application/cloudevents+json' \\\n"
            f"  -d {body}"
        )

    def python(self) -> str:
        """With the CloudEvents SDK (pip install cloudevents) and the standard library."""
        token = (
            '\nheaders["authorization"] = f"Bearer {os.environ[\'SIGNALBOX_TOKEN\']}"' if self.token else ""
        )
        imports = "import os\nimport urllib.request" if self.token else "import urllib.request"
        return (
            f"{imports}\n\nfrom cloudevents.core.bindings.http import to_structured_event\n"
            "from cloudevents.core.v1.event import CloudEvent\n\n"
            f'attributes = {{"type": {self.type!r}, "source": {self.source!r}}}\n'
            f"message = to_structured_event(CloudEvent(attributes, {_python(self.data)}))\n"
            f"headers = dict(message.headers){token}\n"
            f"request = urllib.request.Request({self.url!r}, message.body, headers)\n"
            "print(urllib.request.urlopen(request).read().decode())"
        )

    def javascript(self) -> str:
        """With the CloudEvents SDK (npm install cloudevents) and fetch."""
        token = "\nheaders.authorization = `Bearer ${process.env.SIGNALBOX_TOKEN}`;" if self.token else ""
        attributes = json.dumps({"type": self.type, "source": self.source}, ensure_ascii=False)[1:-1]
        return (
            'import { CloudEvent, HTTP } from "cloudevents";\n\n'
            f"const data = {json.dumps(self.data, indent=2, ensure_ascii=False)};\n"
            f"const {{ headers, body }} = HTTP.structured(new CloudEvent({{ {attributes}, data }}));{token}\n"
            f'const answer = await fetch({json.dumps(self.url)}, {{ method: "POST", headers, body }});\n'
            "console.log(answer.status, await answer.text());"
        )


def _python(value: Any) -> str:
    return pprint.pformat(value, indent=1, width=90, sort_dicts=False)
