"""Forms to register an event type, to edit it, and to register its next version.

The fields by name, as they are posted and as Draft.content holds them: texts as typed unless said otherwise.

    name, summary, docs (Markdown), tags ("orders, billing"), notes (what changed)
    domain, team        ids, or "" with new_domain, new_team: the name of one to make
    sources             list of ids of Source; new_source: the URI of one to make, on the console's form alone
    schema, example     JSON texts
    examples            list of {"name": text, "data": JSON text}: further ones, never the first
    personal            list of paths of data: "customer.email", "lines[].name"
    validation          reject, warn, off
    compatibility       forward, backward, full, each also with _transitive; none
    policy              evolution, strict
    accept_cautions     true or false
    override            a version's only: the reason to save it in spite of its verdict

A draft of a type may lack any of them and may hold values that are not valid: the form says so when it is opened. A
draft of the next version (Draft.event_type is set) holds schema, example, examples, notes, personal and override.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db import transaction
from django.db.models import Q
from django.urls import resolve
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from catalog import changes
from catalog.forms.console import ConsoleFields
from catalog.forms.lists import TagsField, rows_in
from catalog.forms.owners import DomainFields
from catalog.forms.schemas import SchemaFields
from catalog.models import TYPE_NAME, EventType, SchemaVersion, Source
from catalog.ownership import owns
from catalog.registering import Judgement, judge, save_version
from catalog.schemas.text import in_lines

ABOUT = ("summary", "docs", "tags", "domain", "new_domain", "team", "new_team", "sources")
PROMISES = ("validation", "compatibility", "policy", "accept_cautions")
VERSION = ("schema", "example", "examples", "personal", "notes")
OVERRIDE = 500


def name_problem(name: str) -> str | None:
    """Why `name` cannot be a new event type's, None when it can."""
    try:
        TYPE_NAME(name)
    except forms.ValidationError as error:
        return str(error.messages[0])
    if changes.is_own(name):
        return _t("Signalbox tells its own news by this name. Choose another.")
    if "//" in name or not _has_a_page(name):
        return _t("This name is an address of the console itself. Choose another.")
    if EventType.objects.filter(name__iexact=name).exists():
        return _t("This name is taken. Open the type and register its next version, or choose another name.")
    return None


def _has_a_page(name: str) -> bool:
    """Whether the type's addresses lead to it; `new`, or a name that ends in /publish or /versions, lead elsewhere."""
    places = {f"/events/{name}/": "event-type", f"/api/v1/event-types/{name}": "api-event-type"}
    found = [(resolve(address), page) for address, page in places.items()]
    return all(one.url_name == page and one.kwargs == {"name": name} for one, page in found)


def initial_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """A draft's content as a form's initial values; what has another kind than the field is left out."""
    found: dict[str, Any] = {}
    texts = (
        "name",
        "summary",
        "docs",
        "new_domain",
        "new_team",
        "new_source",
        "schema",
        "example",
        "notes",
        "override",
        *PROMISES[:3],
    )
    for name in texts:
        if isinstance(value := content.get(name), str) and value:
            found[name] = value
    for name in ("domain", "team"):
        if str(value := content.get(name) or "").isdigit():
            found[name] = int(str(value))
    tags = content.get("tags")
    found["tags"] = ", ".join(map(str, tags)) if isinstance(tags, list) else str(tags or "")
    sources = content.get("sources")
    found["sources"] = (
        [int(one) for one in sources if str(one).isdigit()] if isinstance(sources, list) else []
    )
    found["examples"] = rows_in(content.get("examples"))
    personal = content.get("personal")
    found["personal"] = [str(path) for path in personal] if isinstance(personal, list) else []
    found["accept_cautions"] = content.get("accept_cautions") in (True, "on", "true", "True")
    return found


class AboutFields(ConsoleFields, DomainFields):
    """What an event type says about itself and promises, apart from its schema."""

    summary = forms.CharField(
        label=_("In one sentence"),
        max_length=255,
        help_text=_("This is what people read on the shelf: what happened, and what the event carries."),
    )
    docs = forms.CharField(
        label=_("Documentation"),
        required=False,
        widget=forms.Textarea({"rows": 3}),
        max_length=20_000,
        help_text=_("Markdown: # headings, **bold**, lists, `code`, [links](https://…)."),
    )
    tags = TagsField(label=_("Tags"), help_text=_("With commas between them: billing, EU, nightly."))
    sources = forms.ModelMultipleChoiceField(
        Source.objects.offered(),
        label=_("Emitted by"),
        required=False,
        widget=forms.CheckboxSelectMultiple({"class": "pick-some"}),
    )
    validation = forms.ChoiceField(
        label=_("Events that do not fit"),
        choices=EventType.Validation.choices,
        initial=EventType.Validation.REJECT,
        widget=forms.RadioSelect,
    )
    compatibility = forms.ChoiceField(
        label=_("New versions promise"),
        choices=EventType.Compatibility.choices,
        initial=EventType.Compatibility.FORWARD,
        required=False,
        widget=forms.RadioSelect,
    )
    policy = forms.ChoiceField(
        label=_("How it is judged"),
        choices=EventType.Policy.choices,
        initial=EventType.Policy.EVOLUTION,
        required=False,
        widget=forms.RadioSelect,
    )
    accept_cautions = forms.BooleanField(
        label=_("Accept cautions"),
        required=False,
        help_text=_("A new value of an enumeration or a wider range passes, and is shown as a caution."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tags"].widget.attrs |= {"list": "tag-list", "autocomplete": "off"}

    def clean_compatibility(self) -> str:
        return self.cleaned_data["compatibility"] or EventType.Compatibility.FORWARD

    def clean_policy(self) -> str:
        return self.cleaned_data["policy"] or EventType.Policy.EVOLUTION

    def save_about(self, event_type: EventType) -> EventType:
        """Saves `event_type` with what the form says, and a new team or domain if one was named."""
        event_type.team, event_type.domain = self.owner(), self.shelf()
        for name in ("summary", "docs", "tags", *PROMISES):
            setattr(event_type, name, self.cleaned_data[name])
        event_type.save()
        event_type.sources.set(self.cleaned_data["sources"])
        return event_type


class RegisterForm(SchemaFields, AboutFields):
    """Everything of a new event type, with its first version. `origin`: where it was read from, as in SchemaVersion."""

    name = forms.CharField(
        label=_("Name"),
        max_length=255,
        help_text=_("What happened, in the past tense, from the general to the special: shop.order.placed."),
        widget=forms.TextInput({"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("name", *ABOUT, *VERSION, *PROMISES)
    keeps: tuple[str, ...] = ("name", *ABOUT, *VERSION, *PROMISES)

    def __init__(self, *args: Any, origin: str = "", **kwargs: Any) -> None:
        self.origin = origin
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if problem := name_problem(name):
            raise forms.ValidationError(problem)
        return name

    @transaction.atomic
    def save(self) -> EventType:
        """The saved event type, at version 1. Raises IntegrityError when somebody else just registered its name."""
        event_type = EventType(name=self.cleaned_data["name"], created_by=self.user)
        event_type.personal = self.cleaned_data["personal"]
        self.save_about(event_type)
        version = {name: self.cleaned_data[name] for name in ("schema", "example", "examples", "notes")}
        save_version(event_type, self.user, origin=self.origin, **version)
        return event_type


class EditForm(AboutFields):
    """Everything of an event type but its name and its versions, which never change."""

    def __init__(self, *args: Any, event_type: EventType, **kwargs: Any) -> None:
        self.event_type = event_type
        initial = {name: getattr(event_type, name) for name in ("summary", "docs", *PROMISES)}
        initial |= {
            "tags": ", ".join(map(str, event_type.tags)),
            "domain": event_type.domain_id,
            "team": event_type.team_id,
            "sources": event_type.sources.all(),
        }
        super().__init__(*args, initial=initial, **kwargs)
        sources = self.fields["sources"]
        assert isinstance(sources, forms.ModelMultipleChoiceField)
        # One that was retired meanwhile still emitted it, until somebody takes it out.
        offered = Q(pk__in=Source.objects.offered()) | Q(pk__in=event_type.sources.all())
        sources.queryset = Source.objects.filter(offered)
        self.may_promise = owns(self.user, event_type)
        if not self.may_promise:
            # Whoever could loosen the promise, or take the type over, could save a version that breaks it.
            for name in (*PROMISES, "team", "new_team"):
                self.fields[name].disabled = True

    @transaction.atomic
    def save(self) -> EventType:
        """The saved event type."""
        told = ("summary", "docs", "tags", "team", "domain", *PROMISES)
        before = changes.values_of(self.event_type, told)
        before["sources"] = set(self.event_type.sources.values_list("pk", flat=True))
        saved = self.save_about(self.event_type)
        after = changes.values_of(saved, told)
        after["sources"] = {source.pk for source in self.cleaned_data["sources"]}
        if fields := changes.fields_changed(before, after):
            changes.record("type.changed", event_type=saved, by=self.user, detail={"fields": fields})
        return saved


class VersionForm(SchemaFields):
    """The next version of an event type, judged against the versions before it.

    `judgement` is there after is_valid() when the schema and the examples are good and the type has a version.
    """

    override = forms.CharField(
        label=_("Why it is saved all the same"),
        required=False,
        max_length=OVERRIDE,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("Kept with the version, and shown beside it to everybody."),
    )
    keeps = (*VERSION, "override")

    def __init__(self, *args: Any, event_type: EventType, user: Any, origin: str = "", **kwargs: Any) -> None:
        self.event_type, self.user, self.origin = event_type, user, origin
        self.last = event_type.latest
        self.judgement: Judgement | None = None
        self.may_override = owns(user, event_type)
        initial: dict[str, Any] = {"personal": event_type.personal}
        if self.last:
            initial |= {
                "schema": in_lines(self.last.schema),
                "example": in_lines(self.last.example),
                "examples": self.last.examples,
            }
        kwargs["initial"] = initial | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        # It is shown only where the version cannot be saved without.
        self.fields["override"].says_optional = False  # type: ignore[attr-defined]

    def clean_schema(self) -> str:
        schema: str = self.cleaned_data["schema"]
        if self.last and schema.strip() in (self.last.schema.strip(), in_lines(self.last.schema)):
            raise forms.ValidationError(
                _("This is the schema of version %(number)s, unchanged."), params={"number": self.last.number}
            )
        return schema

    def clean_personal(self) -> list[str]:
        """Only an owner takes a mark away; a form that did not show the marks changes none."""
        marked: list[str] = self.cleaned_data["personal"]
        before = [str(path) for path in self.event_type.personal]
        if "personal_shown" not in self.data:
            return before
        return marked if self.may_override else list(dict.fromkeys([*before, *marked]))

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not data.get("schema") or self.errors:
            return data
        texts = [data["example"], *(row["data"] for row in data["examples"])]
        self.judgement = judge(self.event_type, data["schema"], texts)
        if self.judgement is None or self.judgement.accepted:
            data["override"] = ""
        elif not self.may_override:
            self.add_error(
                None, self._refusal(_t("Only its owner may save it all the same: %(team)s, or staff."))
            )
        elif not data.get("override", "").strip():
            self.add_error(None, self._refusal(_t("To save it all the same, say why.")))
        return data

    def _refusal(self, way_out: str) -> str:
        assert self.judgement is not None
        broken = bool(self.judgement.verdict.breaks)
        why = (
            _t("This version breaks what %(type)s promises.")
            if broken
            else _t("It could not be decided whether this version keeps what %(type)s promises.")
        )
        return f"{why} {way_out}" % {"type": self.event_type.name, "team": self.event_type.team.name}

    @transaction.atomic
    def save(self) -> SchemaVersion:
        """The saved version. Raises IntegrityError when somebody else just saved that number."""
        if self.cleaned_data["personal"] != self.event_type.personal:
            self.event_type.personal = self.cleaned_data["personal"]
            self.event_type.save(update_fields=["personal"])
            changes.record(
                "type.changed", event_type=self.event_type, by=self.user, detail={"fields": ["personal"]}
            )
        version = {
            name: self.cleaned_data[name] for name in ("schema", "example", "examples", "notes", "override")
        }
        return save_version(
            self.event_type, self.user, origin=self.origin, judgement=self.judgement, **version
        )
