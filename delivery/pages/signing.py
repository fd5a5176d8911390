"""A target's signing keys: made here, shown once, replaced with an overlap, ended, taken out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from catalog import stamps
from catalog.access import needs
from delivery.connectors.http import signing
from rules import registry, revisions
from rules.models import Target
from rules.personal import NotApproved

OVERLAPS = (
    (1, gettext_lazy("1 hour")),
    (24, gettext_lazy("1 day")),
    (7 * 24, gettext_lazy("7 days")),
    (30 * 24, gettext_lazy("30 days")),
)


class NewKeyForm(forms.Form):
    """What kind of key to make, and how long the ones before it sign along."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=(
            ("hmac", gettext_lazy("HMAC-SHA256: one key for both")),
            ("ed25519", gettext_lazy("Ed25519: a public key for the receiver")),
        ),
        widget=forms.Select(attrs={"class": "select"}),
    )
    overlap = forms.TypedChoiceField(
        label=gettext_lazy("The keys before it"),
        coerce=int,
        choices=(
            (0, gettext_lazy("sign along until you end them")),
            *(
                (hours, gettext_lazy("sign along for %(time)s more") % {"time": text})
                for hours, text in OVERLAPS
            ),
        ),
        widget=forms.Select(attrs={"class": "select"}),
        help_text=gettext_lazy("As long as the receivers need to go over to the new key."),
    )


class Line(NamedTuple):
    """A key as it may be shown. `state`: signs, ends (at a time to come), ended."""

    name: str
    kind: str
    shown: str
    until: datetime | None
    state: str


@needs("rules.change_target")
def signing_keys(request: HttpRequest, pk: int) -> HttpResponse:
    """The keys, and a form that makes one; the new one is in this one answer and nowhere else."""
    found = _target(pk)
    form = NewKeyForm(request.POST or None)
    made = ""
    if request.method == "POST" and form.is_valid():
        made = signing.generate(form.cleaned_data["kind"])
        problem = _add(found, made, form.cleaned_data["overlap"], request.user)
        if problem:
            form.add_error(None, problem)
            made = ""
    key = signing.key_of(made) if made else None
    context = {
        "target": found,
        "form": NewKeyForm() if made else form,
        "lines": _lines(found),
        "made": made,
        "public": key.shown if key is not None and key.kind == "ed25519" else "",
    }
    response = render(request, "delivery/signing.html", context, status=422 if form.errors else 200)
    response["Cache-Control"] = "no-store"
    return response


@needs("rules.change_target")
@require_POST
def end_key(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Takes a key out: from the next delivery on it does not sign any more."""
    found = _target(pk)

    def take_out(keys: dict[str, str], until: dict[str, str]) -> None:
        if name not in keys:
            raise Http404
        keys.pop(name)
        until.pop(name, None)

    if problem := _change(found, take_out, request.user):
        messages.error(request, problem)
    else:
        messages.success(request, _("The key %(name)s signs no more.") % {"name": name})
    return redirect("signing-keys", pk)


def _target(pk: int) -> Target:
    found = get_object_or_404(Target.objects.select_related("rule"), pk=pk)
    if found.connector != "http":
        raise Http404
    return found


def _add(target: Target, text: str, overlap: int, by: Any) -> str:
    """Adds a key; what is wrong, in a sentence, when it cannot be."""

    def add(keys: dict[str, str], until: dict[str, str]) -> None:
        now = timezone.now()
        if overlap:
            ends = now + timedelta(hours=overlap)
            for name in keys:
                known = until.get(name)
                if known is None or signing.time_of(known) > ends.timestamp():
                    until[name] = _written(ends)
        # What ended long ago is in the revisions.
        for name, ended in list(until.items()):
            if signing.time_of(ended) < now.timestamp():
                keys.pop(name, None)
                until.pop(name)
        keys[_free(keys, now)] = text

    return _change(target, add, by)


def _change(target: Target, change: Any, by: Any) -> str:
    """Changes the keys of the target as it is saved now, as a new revision; what is wrong, in a sentence."""
    try:
        with transaction.atomic():
            stamps.hold_log()
            target.refresh_from_db()
            keys, until = (
                dict(target.config.get("signing_keys", {})),
                dict(target.config.get("signing_until", {})),
            )
            change(keys, until)
            config = {**target.config, "signing_keys": keys, "signing_until": until}
            for name in ("signing_keys", "signing_until"):
                if not config[name]:
                    del config[name]
            connector = registry.connector(target.connector)
            if connector is not None and (problems := connector.check(config)):
                return " ".join(problems.values())
            target.config = config
            revisions.save_target(target, by)
    except NotApproved as error:
        return str(error)
    return ""


def _lines(target: Target) -> list[Line]:
    keys, until = target.config.get("signing_keys", {}), target.config.get("signing_until", {})
    now, lines = timezone.now(), []
    for name, text in keys.items():
        try:
            key = signing.key_of(text, until.get(name, ""))
        except signing.InvalidKey:
            lines.append(Line(name, "?", "", None, "ended"))
            continue
        ends = datetime.fromtimestamp(key.until, UTC) if key.until is not None else None
        state = "signs" if ends is None else "ends" if ends > now else "ended"
        kind = "HMAC-SHA256" if key.kind == "hmac" else "Ed25519"
        lines.append(Line(name, kind, key.shown, ends, state))
    return lines


def _free(keys: dict[str, str], now: datetime) -> str:
    """A name for a new key: the day, with a number when there is one of that day."""
    name = day = now.strftime("%Y-%m-%d")
    number = 2
    while name in keys:
        name, number = f"{day}-{number}", number + 1
    return name


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
