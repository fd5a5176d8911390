"""What every form of the console has: our look, and the code area."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _


class CodeArea(forms.Textarea):
    """A textarea for JSON or templates, coloured by <code-area>. `fields` completes `${…}`: path, type, sample."""

    def __init__(
        self, attrs: dict[str, Any] | None = None, fields: list[dict[str, str]] | None = None
    ) -> None:
        super().__init__({"rows": 8, "spellcheck": "false", "autocapitalize": "off", **(attrs or {})})
        self.fields = fields or []
        self.problems: list[dict[str, Any]] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> CodeArea:
        copied = super().__deepcopy__(memo)
        copied.fields, copied.problems = list(self.fields), []
        return copied

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        area = super().render(name, value, attrs, renderer)
        extra = SafeString("")
        if self.fields:
            extra += format_html(' data-fields="{}"', json.dumps(self.fields))
        if self.problems:
            extra += format_html(' data-problems="{}"', json.dumps(self.problems))
        return format_html('<code-area data-label="{}"{}>{}</code-area>', _("Fields"), extra, area)


class ConsoleFields:
    """Mix into a form, before the form class: gives each widget our classes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.dress()

    def dress(self) -> None:
        """Gives the widgets their classes; call it again after adding fields."""
        for field in self.fields.values():  # type: ignore[attr-defined]
            widget = field.widget
            if isinstance(
                widget, forms.CheckboxInput | forms.RadioSelect | forms.CheckboxSelectMultiple | CodeArea
            ):
                continue
            own = "select" if isinstance(widget, forms.Select) else "input"
            classes = widget.attrs.get("class", "").split()
            widget.attrs["class"] = " ".join([own, *(name for name in classes if name != own)])

    def add_problem(self, name: str, message: Any, line: int | None = None) -> None:
        """An error on field `name`; on a code area, `line` (from 1) is underlined too."""
        self.add_error(name, message)  # type: ignore[attr-defined]
        widget = self.fields[name].widget  # type: ignore[attr-defined]
        if line is not None and isinstance(widget, CodeArea):
            widget.problems.append({"line": line, "message": str(message)})
