"""Media types (RFC 2046, RFC 9110 §8.3.1) as `datacontenttype` and the Content-Type header carry them."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

_TOKEN = r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]++"
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_MEDIA_TYPE = re.compile(
    rf"(?P<type>[A-Za-z0-9]{_TOKEN}|[A-Za-z0-9])/(?P<subtype>[A-Za-z0-9]{_TOKEN}|[A-Za-z0-9])"
    rf"(?P<parameters>(?:[ \t]*+;[ \t]*+(?:{_TOKEN}=(?:{_TOKEN}|{_QUOTED}))?+)*+)[ \t]*+",
    re.ASCII,
)
_PARAMETER = re.compile(rf";[ \t]*+(?P<name>{_TOKEN})=(?P<value>{_TOKEN}|{_QUOTED})")

# Charsets in which a text payload may be written. A fixed list: a codec looked up by a name from outside
# would be imported and cached for ever, and some of Python's codecs are no charsets at all.
TEXT_CHARSETS = frozenset(
    ["utf-8", "us-ascii", "utf-16", "utf-16be", "utf-16le", "utf-32", "utf-32be", "utf-32le"]
    + [f"iso-8859-{part}" for part in (*range(1, 12), *range(13, 17))]
    + [f"windows-{page}" for page in range(1250, 1259)]
    + ["gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc-jp", "iso-2022-jp", "euc-kr", "koi8-r", "koi8-u"]
)
_ALIASES = {"utf8": "utf-8", "ascii": "us-ascii", "latin1": "iso-8859-1", "cp1252": "windows-1252"}


class MediaType(msgspec.Struct, frozen=True):
    """`essence` is type/subtype in lower case; `charset` is in lower case, `utf-8` when none is given."""

    essence: str
    is_json: bool
    is_text: bool
    charset: str


@lru_cache(maxsize=512)
def parse(text: str) -> MediaType | None:
    """The media type, or None when the text is none. JSON is `*/json` and `*/*+json` (JSON format §3.1.1)."""
    found = _MEDIA_TYPE.fullmatch(text)
    if found is None:
        return None
    kind, subtype = found["type"].lower(), found["subtype"].lower()
    charset = "utf-8"
    for parameter in _PARAMETER.finditer(found["parameters"]):
        if parameter["name"].lower() == "charset":
            charset = parameter["value"].strip('"').lower()
            break
    return MediaType(
        essence=f"{kind}/{subtype}",
        is_json=subtype == "json" or subtype.endswith("+json"),
        is_text=kind == "text",
        charset=_ALIASES.get(charset, charset),
    )
