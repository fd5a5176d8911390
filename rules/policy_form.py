"""The form of a target's delivery policy: its name, order, retries, what answers mean, breaker, rate and batches."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cached_property
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from rules import classes
from rules.models import POLICY_FIELDS, Rule, Target
from rules.retries import PRESET_FIELDS, PRESETS, RETRY_FIELDS, Retries, preset_of
from rules.retry_words import Tries, in_words

OWN = "own"
# They may be emptied; every other field that is empty, or not in the form, keeps what the target has.
MAY_BE_EMPTY = ("classes", "rate_limit")
WAYS = ("order", "after_dead_letter", "retry_kind", "jitter")


class ClassesField(forms.CharField):
    """What answers mean, as lines "404: retry"; a map in Python."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return classes.as_text(value) if isinstance(value, Mapping) else value

    def to_python(self, value: Any) -> Any:
        try:
            return classes.from_text(super().to_python(value) or "")
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != data)


class PlainNumber(forms.NumberInput):
    """86400, not 86400.0."""

    def format_value(self, value: Any) -> Any:
        return super().format_value(int(value) if isinstance(value, float) and value.is_integer() else value)


class PolicyForm(forms.ModelForm):
    """A target's name, order and retries. Its rule is set by the view.

    `preset`: a policy of retries with a name, whose values then stand for those of its fields. `suggested`: the name of
    a target that is given none; without it a name is required.
    """

    preset = forms.ChoiceField(label=_("Tries"), required=False, widget=forms.Select({"class": "select"}))
    breaker = forms.TypedChoiceField(
        label=_("When it does not answer"),
        help_text=_(
            "Left alone, it gets one probe at a time. Nothing is discarded meanwhile, and no try is counted."
        ),
        choices=[("True", _("leave it alone and probe")), ("False", _("keep sending"))],
        coerce=lambda value: value == "True",
        empty_value=None,
        widget=forms.Select({"class": "select"}),
    )
    classes = ClassesField(
        label=_("What its answers mean"),
        help_text=_(
            "One line each: a status, a class (4xx) or none for no answer, then retry, reject or stop, as in 404: retry. "
            "Else: 408, 425, 429, 5xx and no answer retry; 401, 403, 404 stop the target, 410 disables it; "
            "other answers reject the event."
        ),
        strip=True,
        widget=forms.Textarea({"class": "input mono", "rows": 2, "spellcheck": "false"}),
    )

    class Meta:
        model = Target
        fields = ("name", *POLICY_FIELDS)
        widgets = {
            "name": forms.TextInput({"class": "input", "autocomplete": "off"}),
            **{name: forms.Select({"class": "select"}) for name in WAYS},
            **{
                name: PlainNumber({"class": "input", "step": "any"})
                for name in POLICY_FIELDS
                if name not in (*WAYS, "breaker", "classes")
            },
        }
        help_texts = {
            "after_dead_letter": _(
                "Going on gives up the order of that subject: the dead letter comes late, and marked, once it is redriven."
            ),
            "delay_step": _("A factor where waits grow by a factor, seconds where they grow by seconds."),
            "max_age": _(
                "After the first try; 86,400 is a day. Time at rest (paused, stopped, breaker open) does not count."
            ),
            "longest_asked": _("How far Retry-After is followed, 86,400 at most. 0: not at all."),
            "max_in_flight": _("Deliveries on the way at the same time."),
            "rate_limit": _("Over all workers. Empty: no limit but the one that the target grants itself."),
            "breaker_failures": _("In a row, of at least two events."),
            "batch_count": _("For targets that take batches."),
            "batch_bytes": _("A batch that would grow larger goes out before."),
            "batch_wait": _("For more events to travel with."),
        }

    def __init__(self, *args: Any, rule: Rule | None = None, suggested: str = "", **kwargs: Any) -> None:
        kwargs["prefix"] = "target"
        super().__init__(*args, **kwargs)
        self.rule, self.suggested = rule, suggested
        self.fields["name"].required = not suggested
        self.fields["name"].widget.attrs["placeholder"] = suggested
        self.fields["name"].label = _("Name of the target")
        presets = self.fields["preset"]
        assert isinstance(presets, forms.ChoiceField)
        presets.choices = [*((one.name, one.label) for one in PRESETS), (OWN, _("own values"))]
        stored = {name: getattr(self.instance, name) for name in RETRY_FIELDS}
        presets.initial = preset_of(stored) or OWN
        # Left out of a form that shows no policy: then what the model says holds.
        for name in ("preset", *POLICY_FIELDS):
            self.fields[name].required = False
            self.fields[name].says_optional = name == "rate_limit"  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = next((one for one in PRESETS if one.name == cleaned.get("preset")), None)
        if chosen is not None:
            for name in PRESET_FIELDS:
                self.errors.pop(name, None)
                cleaned[name] = getattr(chosen.retries, name)
        for name in POLICY_FIELDS:
            sent = name in MAY_BE_EMPTY and self.add_prefix(name) in self.data
            if not sent and name not in self.errors and cleaned.get(name) in (None, "", {}):
                cleaned[name] = getattr(self.instance, name)
        self._check_pairs(cleaned)
        if "name" in cleaned and not cleaned["name"]:
            cleaned["name"] = self.suggested
        wanted = cleaned.get("name")
        if self.rule is not None and self.rule.pk and wanted:
            others = Target.objects.filter(rule=self.rule, name=wanted).exclude(pk=self.instance.pk)
            if others.exists():
                self.add_error("name", _("This rule has a target of this name already. Choose another."))
        return cleaned

    def _check_pairs(self, cleaned: Mapping[str, Any]) -> None:
        for first, longest, sentence in (
            ("first_delay", "longest_delay", _("The longest wait must not be shorter than the first.")),
            (
                "breaker_probe",
                "breaker_longest_probe",
                _("The longest time between probes must not be shorter than the first."),
            ),
        ):
            least, most = cleaned.get(first), cleaned.get(longest)
            if least is not None and most is not None and most < least:
                self.add_error(longest, sentence)
        if cleaned.get("retry_kind") == "exponential" and (cleaned.get("delay_step") or 1) < 1:
            self.add_error("delay_step", _("A factor below 1 would make the waits shorter and shorter."))

    @classmethod
    def of_editor(cls, data: QueryDict, target: Target | None) -> PolicyForm:
        """The form as the editor sends it while it is written, of a saved target or of a new one."""
        return cls(data, instance=target or Target(), suggested="-")

    @property
    def most_tries(self) -> int | None:
        """How many attempts an event gets at most; None where the form says nothing that can be."""
        return self.retries.max_attempts if self.retries is not None else None

    @cached_property
    def retries(self) -> Retries | None:
        """The retries that the form says, a preset's where one is chosen; None where they cannot be."""
        if not self.is_bound:
            return Retries(**{name: getattr(self.instance, name) for name in RETRY_FIELDS})
        # Apart from this form, whose errors are shown only once it is sent to be saved.
        form = PolicyForm(self.data, instance=copy(self.instance), suggested="-")
        form.full_clean()
        if any(name in form.errors for name in RETRY_FIELDS):
            return None
        return Retries(**{name: form.cleaned_data[name] for name in RETRY_FIELDS})

    @property
    def tries(self) -> Tries | None:
        """The same in words."""
        return in_words(self.retries) if self.retries is not None else None

    def validate_constraints(self) -> None:
        """The one constraint is checked by `clean`, which puts the sentence at the name."""
