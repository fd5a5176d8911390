"""Forms to register an event type, to edit it, and to register its next version."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from catalog import changes
from catalog.forms.console import CodeArea, ConsoleFields
from catalog.forms.owners import DomainFields
from catalog.models import TYPE_NAME, EventType, SchemaVersion, Source
from catalog.schemas.authoring import check_example, check_schema
from catalog.schemas.limits import SCHEMA_BYTES
from catalog.schemas.text import Mistake

# Pages below an event type's own; a name that ends like one could not be opened.
TAKEN_ENDINGS = ("/publish", "/edit", "/delete", "/versions/new")
TAKEN = frozenset({"new", "new/check"})


def name_problem(name: str) -> str | None:
    """Why `name` cannot be a new event type's, None when it can."""
    try:
        TYPE_NAME(name)
    except forms.ValidationError as error:
        return str(error.messages[0])
    if changes.is_own(name):
        return _t("Signalbox tells its own news by this name. Choose another.")
    if name in TAKEN or name.endswith(TAKEN_ENDINGS) or "//" in name:
        return _t("This name is an address of the console itself. Choose another.")
    if EventType.objects.filter(name__iexact=name).exists():
        return _t("This name is taken. Open the type and register its next version, or choose another name.")
    return None


class SchemaFields(ConsoleFields, forms.Form):
    """`schema` and `example`, checked against each other, with the line of each mistake."""

    schema = forms.CharField(
        label=_("JSON Schema"),
        max_length=SCHEMA_BYTES,
        widget=CodeArea({"rows": 14}),
        help_text=_(
            "Of the event's data. Draft 4 to 2020-12; 2020-12 when $schema says nothing. At most 256 KiB."
        ),
        error_messages={"required": _("Write a JSON Schema. {} accepts every value.")},
    )
    example = forms.CharField(
        label=_("Example"),
        required=False,
        max_length=SCHEMA_BYTES,
        widget=CodeArea({"rows": 8}),
        help_text=_("Data that fits the schema. It fills the form for test events and the curl line."),
    )
    notes = forms.CharField(label=_("What changed"), required=False, max_length=255)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        schema, example = data.get("schema"), data.get("example")
        if schema and not self._refuse("schema", check_schema(schema)) and example:
            self._refuse("example", check_example(schema, example))
        return data

    def _refuse(self, name: str, mistakes: list[Mistake]) -> bool:
        for mistake in mistakes:
            place = f"{mistake.pointer}: " if mistake.pointer else ""
            line = _t("Line %(line)s: ") % {"line": mistake.line} if mistake.line else ""
            self.add_problem(name, f"{line}{place}{mistake.message}", mistake.line)
        return bool(mistakes)

    def save_version(self, event_type: EventType, user: Any) -> SchemaVersion:
        """Saves the next version of `event_type`. Raises IntegrityError when somebody else just saved that number."""
        last = event_type.versions.aggregate(Max("number"))["number__max"] or 0
        return SchemaVersion.objects.create(
            event_type=event_type,
            number=last + 1,
            schema=self.cleaned_data["schema"],
            example=self.cleaned_data["example"],
            notes=self.cleaned_data["notes"],
            created_by=user,
        )


class AboutFields(ConsoleFields, DomainFields):
    """What an event type says about itself, apart from its schema."""

    summary = forms.CharField(
        label=_("In one sentence"),
        max_length=255,
        help_text=_("This is what people read on the shelf: what happened, and what the event carries."),
    )
    docs = forms.CharField(
        label=_("Documentation"), required=False, widget=forms.Textarea({"rows": 3}), max_length=20_000
    )
    sources = forms.ModelMultipleChoiceField(
        Source.objects.all(), label=_("Emitted by"), required=False, widget=forms.SelectMultiple({"size": 4})
    )
    validation = forms.ChoiceField(
        label=_("Events that do not fit"),
        choices=EventType.Validation.choices,
        initial=EventType.Validation.REJECT,
        widget=forms.RadioSelect,
    )

    def save_about(self, event_type: EventType) -> EventType:
        """Saves `event_type` with what the form says, and a new team or domain if one was named."""
        event_type.team, event_type.domain = self.owner(), self.shelf()
        for name in ("summary", "docs", "validation"):
            setattr(event_type, name, self.cleaned_data[name])
        event_type.save()
        event_type.sources.set(self.cleaned_data["sources"])
        return event_type


class RegisterForm(SchemaFields, AboutFields):
    """Everything of a new event type, with its first version."""

    name = forms.CharField(
        label=_("Name"),
        max_length=255,
        help_text=_("What happened, in the past tense, from the general to the special: shop.order.placed."),
        widget=forms.TextInput({"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("name", "domain", "summary", "docs", "team", "sources", "schema", "example", "validation")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if problem := name_problem(name):
            raise forms.ValidationError(problem)
        return name

    @transaction.atomic
    def save(self) -> EventType:
        """The saved event type, at version 1."""
        event_type = self.save_about(EventType(name=self.cleaned_data["name"], created_by=self.user))
        self.save_version(event_type, self.user)
        return event_type


class EditForm(AboutFields):
    """Everything of an event type but its name and its versions, which never change."""

    def __init__(self, *args: Any, event_type: EventType, **kwargs: Any) -> None:
        self.event_type = event_type
        initial = {name: getattr(event_type, name) for name in ("summary", "docs", "validation")}
        initial |= {
            "domain": event_type.domain_id,
            "team": event_type.team_id,
            "sources": event_type.sources.all(),
        }
        super().__init__(*args, initial=initial, **kwargs)

    @transaction.atomic
    def save(self) -> EventType:
        """The saved event type."""
        told = ("summary", "docs", "validation", "team", "domain")
        before = changes.values_of(self.event_type, told)
        before["sources"] = set(self.event_type.sources.values_list("pk", flat=True))
        saved = self.save_about(self.event_type)
        after = changes.values_of(saved, told)
        after["sources"] = {source.pk for source in self.cleaned_data["sources"]}
        if fields := changes.fields_changed(before, after):
            changes.record("type.changed", event_type=saved, by=self.user, detail={"fields": fields})
        return saved


class VersionForm(SchemaFields):
    """The next version of an event type."""

    def __init__(self, *args: Any, event_type: EventType, **kwargs: Any) -> None:
        self.event_type, self.last = event_type, event_type.latest
        if self.last:
            kwargs["initial"] = {"schema": self.last.schema, "example": self.last.example}
        super().__init__(*args, **kwargs)

    def clean_schema(self) -> str:
        schema: str = self.cleaned_data["schema"]
        if self.last and schema.strip() == self.last.schema.strip():
            raise forms.ValidationError(
                _("This is the schema of version %(number)s, unchanged."), params={"number": self.last.number}
            )
        return schema

    @transaction.atomic
    def save(self, user: Any) -> SchemaVersion:
        """The saved version."""
        return self.save_version(self.event_type, user)
