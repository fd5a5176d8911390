"""The filter of dead letters as a form, whose query string can be shared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.forms.console import ConsoleFields
from delivery.deadletters.chosen import Chosen
from delivery.tracking.read import now
from rules.models import Rule, Target

WITHIN = {"15m": 15 * 60, "1h": 3600, "24h": 86_400, "7d": 7 * 86_400}
NAMES = ("target", "rule", "status", "type", "subject", "q", "within", "group", "view")


class DeadLetterFilter(ConsoleFields, forms.Form):
    """What the page, the dialogs and the requests of dead letters have in their query. Nothing is required."""

    target = forms.ModelChoiceField(Target.objects.order_by("name"), required=False, label=_("Target"))
    rule = forms.ModelChoiceField(Rule.objects.order_by("name"), required=False, label=_("Rule"))
    status = forms.IntegerField(required=False, min_value=100, max_value=999, label=_("Status"))
    type = forms.CharField(required=False, max_length=255, label=_("Event type"))
    subject = forms.CharField(required=False, max_length=255, label=_("Subject"))
    q = forms.CharField(required=False, max_length=200, label=_("Text in the reason"))
    within = forms.ChoiceField(
        required=False,
        label=_("First tried"),
        choices=[
            ("", _("any time")),
            ("15m", _("in the last 15 minutes")),
            ("1h", _("in the last hour")),
            ("24h", _("in the last day")),
            ("7d", _("in the last 7 days")),
        ],
    )
    group = forms.RegexField(r"^[0-9a-f]{12}$", required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, empty in (("target", _("Every target")), ("rule", _("Every rule"))):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.empty_label = str(empty)

    def chosen(self) -> Chosen:
        """The dead letters that are meant; a field that is wrong chooses none, rather than all."""
        if not self.is_valid():
            return Chosen(letters=())
        asked = self.cleaned_data
        since = WITHIN.get(asked["within"])
        return Chosen(
            target=asked["target"].pk if asked["target"] else None,
            rule=asked["rule"].pk if asked["rule"] else None,
            cause=asked["group"],
            status=asked["status"],
            type=asked["type"],
            subject=asked["subject"],
            text=asked["q"],
            since=now() - since * 1_000_000 if since else None,
        )


def query_of(values: Mapping[str, Any]) -> dict[str, str]:
    """The part of a query that is the filter, what is empty left out."""
    return {name: str(values[name]) for name in NAMES if values.get(name)}
