"""Fields that hold several values: tags, further examples, paths of personal data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.schemas.limits import SCHEMA_BYTES

TAGS, TAG = 20, 40
EXAMPLES, EXAMPLE_NAME = 20, 80
PATHS, PATH = 500, 255


def tags_in(text: str) -> list[str]:
    """The tags of a comma list, each once, without space around them."""
    found: dict[str, str] = {}
    for tag in text.split(","):
        if tag := " ".join(tag.split()):
            found.setdefault(tag.casefold(), tag)
    return list(found.values())


class TagsField(forms.CharField):
    """A comma list; cleans to a list of texts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=TAGS * (TAG + 2), required=False, **kwargs)

    def clean(self, value: Any) -> Any:
        tags = tags_in(super().clean(value))
        if len(tags) > TAGS:
            raise forms.ValidationError(_("At most %(most)s tags."), params={"most": TAGS})
        for tag in tags:
            if len(tag) > TAG:
                raise forms.ValidationError(
                    _("“%(tag)s…” is too long for a tag. At most %(most)s characters."),
                    params={"tag": tag[:20], "most": TAG},
                )
        return tags


class _Several(forms.Widget):
    """Reads every value that was posted under the name; the page's template writes it."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False


class _Examples(_Several):
    """`name` holds the data of each, `name`_name what it is called; a dictionary may hold rows as a draft has them."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, str]]:
        texts = super().value_from_datadict(data, files, name)
        if texts and isinstance(texts[0], Mapping):
            return rows_in(texts)
        called = super().value_from_datadict(data, files, f"{name}_name")
        called = [*called, *[""] * (len(texts) - len(called))]
        return [{"name": str(one), "data": str(text)} for one, text in zip(called, texts, strict=False)]


def rows_in(value: Any) -> list[dict[str, str]]:
    """What of `value`, as a draft holds it, are examples: {"name", "data"}; also a list of JSON texts."""
    rows = []
    for one in value if isinstance(value, list | tuple) else []:
        if isinstance(one, Mapping):
            rows.append({"name": str(one.get("name", "")), "data": str(one.get("data", ""))})
        elif isinstance(one, str):
            rows.append({"name": "", "data": one})
    return rows[:EXAMPLES]


class ExamplesField(forms.Field):
    """Further examples; cleans to the rows that hold something, `[{"name", "data"}]`."""

    widget = _Examples

    def clean(self, value: Any) -> list[dict[str, str]]:
        rows = [row for row in value or [] if row["data"].strip()]
        if len(rows) > EXAMPLES:
            raise forms.ValidationError(_("At most %(most)s further examples."), params={"most": EXAMPLES})
        for row in rows:
            if len(row["name"]) > EXAMPLE_NAME:
                raise forms.ValidationError(
                    _("The name of an example has at most %(most)s characters."),
                    params={"most": EXAMPLE_NAME},
                )
            if len(row["data"].encode()) > SCHEMA_BYTES:
                raise forms.ValidationError(_("An example has at most 256 KiB."))
        return [{"name": row["name"].strip(), "data": row["data"]} for row in rows]


class PathsField(forms.Field):
    """Paths of data, such as customer.email; cleans to a list of texts, each once."""

    widget = _Several

    def clean(self, value: Any) -> list[str]:
        paths = list(dict.fromkeys(str(path).strip() for path in value or [] if str(path).strip()))
        if len(paths) > PATHS or any(len(path) > PATH for path in paths):
            raise forms.ValidationError(
                _("At most %(most)s fields can be marked, each with a path of at most %(long)s characters."),
                params={"most": PATHS, "long": PATH},
            )
        return paths
