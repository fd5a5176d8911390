"""Reading what a target's transform says: its members, what to do about missing values, the type of what is sent."""

from __future__ import annotations

import re
from typing import Any, Literal

from rules.engine.transform_error import TransformError

MAX_OUTPUT_BYTES = 1024 * 1024
JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain; charset=utf-8"

Missing = Literal["error", "null", "omit"]
_MISSING: tuple[Missing, ...] = ("error", "null", "omit")

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# RFC 9110 §8.3.1; no line break can get into a header by it.
_MEDIA_TYPE = re.compile(
    rf'(?P<type>{_TOKEN}/{_TOKEN})(?P<rest>(?:[ \t]*;[ \t]*{_TOKEN}=(?:{_TOKEN}|"[ !#-\[\]-~]*"))*)'
)
_CHARSET = re.compile(r';[ \t]*charset="?([^";]*)', re.IGNORECASE)


def refuse_other_members(spec: dict[str, Any], *known: str) -> None:
    """Raises TransformError for a member that is not `kind` or one of `known`."""
    for name in spec:
        if name != "kind" and name not in known:
            raise TransformError(
                f"“{name}” has no meaning in a transform of kind “{spec['kind']}”: remove it"
            )


def missing_of(spec: dict[str, Any], omittable: bool = True) -> Missing:
    """What the spec wants done when a value is not in the event; "null" when it says nothing.

    omittable: whether there is something around a value that it can be left out of.
    """
    written = spec.get("missing", "null")
    for missing in _MISSING:
        if written == missing:
            if missing == "omit" and not omittable:
                raise TransformError(
                    "“missing” cannot be “omit” here: the value is all that is sent. Write “null” or “error”"
                )
            return missing
    raise TransformError("“missing” is “error”, “null” or “omit”")


def content_type_of(spec: dict[str, Any]) -> str | None:
    """The media type in the spec, with charset=utf-8 for text; None when it names none."""
    written = spec.get("content_type")
    if written is None:
        return None
    found = _MEDIA_TYPE.fullmatch(written) if isinstance(written, str) and len(written) <= 200 else None
    if found is None:
        raise TransformError("“content_type” is a media type, as in “text/plain” or “application/json”")
    charset = _CHARSET.search(found["rest"])
    if charset is not None:
        if charset[1].lower() not in ("utf-8", "utf8"):
            raise TransformError(
                f"“content_type” names the charset {charset[1]}, but all text is sent as UTF-8"
            )
    elif found["type"].lower().startswith("text/"):
        return f"{written}; charset=utf-8"
    return str(written)


def is_json_type(content_type: str) -> bool:
    """Whether that media type is JSON (RFC 6839 §3.1)."""
    return content_type.partition(";")[0].strip().lower().endswith(("/json", "+json"))


def within_size(body: bytes) -> bytes:
    """`body` itself. Raises TransformError above 1 MiB."""
    if len(body) > MAX_OUTPUT_BYTES:
        raise TransformError(f"the output is larger than {MAX_OUTPUT_BYTES:,} bytes, the most that is sent")
    return body
