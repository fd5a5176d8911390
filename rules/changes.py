"""What changed between two revisions of a rule or of a target: in words, and as lines of JSON. Pure, but for gettext."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rules import registry, secrets
from rules.conditions import NotRows, Row, from_pattern
from rules.method_words import word
from rules.models import RuleRevision, Target, TargetRevision, whole_policy

AROUND = 3  # lines that did not change, shown around those that did


class DiffLine(NamedTuple):
    """A line of JSON: `sign` is "+", "-", " ", or "…" where lines that did not change are left out."""

    sign: str
    text: str


def of_rule(before: RuleRevision | None, after: RuleRevision, names: Mapping[int, str]) -> list[str]:
    """What `after` changed, a sentence each; empty when nothing did. `names`: of targets, by id."""
    if after.pattern is None:
        return [_("The rule was deleted.")]
    if before is None or before.pattern is None:
        words = [_("The rule was made as a draft.") if after.draft else _("The rule was made.")]
        return words + list(_targets([], after.target_ids, names))
    return [
        *of_filter(before, after),
        *_listening(before, after),
        *_targets(before.target_ids, after.target_ids, names),
    ]


def of_filter(before: RuleRevision, after: RuleRevision) -> list[str]:
    """What `after` changed of what going back to a revision brings back: its names and its filter."""
    return [
        *_text(_("The name"), before.name, after.name),
        *_text(_("The description"), before.description, after.description),
        *_pattern(before.pattern or {}, after.pattern or {}),
        *_text(_("The CESQL expression"), before.sql, after.sql),
        *([_("The list of filters was changed.")] if (before.filters or []) != (after.filters or []) else []),
    ]


def deliver_differently(one: TargetRevision, other: TargetRevision) -> bool:
    """Whether two revisions of a target differ in what they say; a setting left out says what its default says."""
    return _delivers(one) != _delivers(other)


def _delivers(one: TargetRevision) -> tuple[Any, ...]:
    defaults = {
        name: schema["default"] for name, schema in _properties(one.connector).items() if "default" in schema
    }
    config = {
        name: value for name, value in (defaults | one.config).items() if value not in (None, "", {}, [])
    }
    policy = whole_policy(one.policy)
    return (one.name, one.connector, config, one.transform or {"kind": "complete"}, one.contract, policy)


def _text(what: str, before: str, after: str) -> Iterator[str]:
    if before == after:
        return
    if not before:
        yield _("%(what)s was added: %(after)s") % {"what": what, "after": _cut(after)}
    elif not after:
        yield _("%(what)s was taken out: %(before)s") % {"what": what, "before": _cut(before)}
    else:
        values = {"what": what, "before": _cut(before), "after": _cut(after)}
        yield _("%(what)s became “%(after)s”; it was “%(before)s”.") % values


def _cut(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"


def _listening(before: RuleRevision, after: RuleRevision) -> Iterator[str]:
    if before.enabled == after.enabled:
        return
    if not after.enabled:
        yield _("It was switched off.")
    elif before.draft:
        yield _("It started to listen.")
    else:
        yield _("It was switched on again.")


def _pattern(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if before == after:
        return
    try:
        (old_types, old_rows), (types, rows) = from_pattern(before), from_pattern(after)
    except NotRows:
        yield _("The pattern was changed.")
        return
    added = [name for name in types if name not in old_types]
    gone = [name for name in old_types if name not in types]
    if added:
        yield _("It listens to %(types)s too.") % {"types": ", ".join(added)}
    if gone:
        yield _("It no longer listens to %(types)s.") % {"types": ", ".join(gone)}
    plain = [row for row in rows if not row.place]
    old_plain = [row for row in old_rows if not row.place]
    yield from _rows(old_plain, plain)
    if _grouped(rows) != _grouped(old_rows):
        yield _("“Any of these” was changed.")


def _rows(before: list[Row], after: list[Row]) -> Iterator[str]:
    old = {row.path: row for row in before}
    new = {row.path: row for row in after}
    for path, row in new.items():
        if path not in old:
            yield _("Condition added: %(row)s") % {"row": in_words(row)}
        elif old[path] != row:
            words = {"row": in_words(row), "old": in_words(old[path])}
            yield _("Condition changed: %(row)s; it was: %(old)s") % words
    for path, row in old.items():
        if path not in new:
            yield _("Condition taken out: %(row)s") % {"row": in_words(row)}


def in_words(row: Row) -> str:
    """A condition as a line: data.total number ≥ 500."""
    return " ".join(filter(None, (row.path, word(row.method), row.values)))


def _grouped(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.place]


def _targets(before: list[int], after: list[int], names: Mapping[int, str]) -> Iterator[str]:
    for target in after:
        if target not in before:
            yield _("Target added: %(name)s") % {"name": names.get(target, f"#{target}")}
    for target in before:
        if target not in after:
            yield _("Target taken away: %(name)s") % {"name": names.get(target, f"#{target}")}


def of_target(before: TargetRevision | None, after: TargetRevision) -> list[str]:
    """What `after` changed, a sentence each, secrets unsaid; empty when nothing did."""
    if before is None:
        return [_("The target was made.")]
    words = list(_text(_("The name"), before.name, after.name))
    if before.connector != after.connector:
        names = {"new": registry.label_of(after.connector), "old": registry.label_of(before.connector)}
        words.append(_("It delivers by %(new)s; it was %(old)s.") % names)
    else:
        words += _config(after.connector, before.config, after.config)
    words += _transform(before.transform, after.transform)
    if before.contract != after.contract:
        words.append(_("The contract was changed.") if after.contract else _("The contract was taken out."))
    words += _policy(before.policy, after.policy)
    return words


def _policy(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    olds, news = whole_policy(before), whole_policy(after)
    for name in sorted({*before, *after}):
        # A policy that was recorded before there was such a setting says what its default says.
        old, new = before.get(name, olds.get(name)), after.get(name, news.get(name))
        if old == new:
            continue
        field = Target._meta.get_field(name)
        label = field.verbose_name  # type: ignore[union-attr]
        if name == "classes":
            yield _("Policy, %(what)s: changed.") % {"what": label}
            continue
        named = dict(field.flatchoices) if field.choices else {}  # type: ignore[union-attr]
        said = {"what": label, "new": _policy_value(new, named), "old": _policy_value(old, named)}
        yield _("Policy, %(what)s: %(new)s; it was %(old)s.") % said


def _policy_value(value: Any, named: Mapping[Any, Any]) -> str:
    if value is None:
        return _("none")
    if isinstance(value, bool):
        return _("on") if value else _("off")
    return str(named.get(value, f"{value:g}" if isinstance(value, float) else value))


def _config(connector: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    properties = _properties(connector)
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        schema = properties.get(name, {})
        label = schema.get("title") or name
        if not schema or secrets.is_secret(schema):
            yield _("%(what)s: changed, not shown.") % {"what": label}
        else:
            yield from _text(label, _setting(old, schema), _setting(new, schema))


def _setting(value: Any, schema: Mapping[str, Any]) -> str:
    """A setting that is no secret, as text; user and password in a URL are secrets."""
    text = "" if value is None else str(value)
    return secrets.masked_url(text) if secrets.is_url(schema) else text


def _transform(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if before == after:
        return
    if before.get("kind") != after.get("kind"):
        kinds = {"new": after.get("kind", "complete"), "old": before.get("kind", "complete")}
        yield _("It sends as “%(new)s”; it was “%(old)s”.") % kinds
        return
    signs = [line.sign for line in _diff(before, after)]
    plus, minus = signs.count("+"), signs.count("-")
    added = ngettext("%(n)s line added", "%(n)s lines added", plus) % {"n": plus}
    gone = ngettext("%(n)s taken out", "%(n)s taken out", minus) % {"n": minus}
    yield _("What is sent was changed: %(added)s, %(gone)s.") % {"added": added, "gone": gone}


def rule_lines(before: RuleRevision | None, after: RuleRevision) -> list[DiffLine]:
    """The JSON of both, line by line."""
    return _diff(_rule_value(before), _rule_value(after))


def target_lines(before: TargetRevision | None, after: TargetRevision) -> list[DiffLine]:
    """The JSON of both, line by line, with secrets hidden."""
    return _diff(_target_value(before), _target_value(after))


def _rule_value(one: RuleRevision | None) -> dict[str, Any] | None:
    if one is None:
        return None
    value: dict[str, Any] = {"name": one.name, "listening": one.enabled, "pattern": one.pattern}
    for name in ("description", "sql", "filters"):
        if found := getattr(one, name):
            value[name] = found
    return value | {"targets": one.target_ids}


def _target_value(one: TargetRevision | None) -> dict[str, Any] | None:
    if one is None:
        return None
    value = {"name": one.name, "connector": one.connector, "config": hide(one.connector, one.config)}
    value |= {"transform": one.transform, "policy": one.policy}
    return value | ({"contract": one.contract} if one.contract else {})


def hide(connector: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """A config with every secret as dots; all values so when the connector or the setting is not known here."""
    found = registry.connector(connector)
    shown = secrets.masked(found.schema, config) if found is not None else {}
    return {name: shown.get(name, secrets.MASK) for name in config}


def _properties(connector: str) -> Mapping[str, Any]:
    found = registry.connector(connector)
    properties: Mapping[str, Any] = found.schema.get("properties", {}) if found else {}
    return properties


def _diff(before: Any, after: Any) -> list[DiffLine]:
    old, new = _dumped(before), _dumped(after)
    lines: list[DiffLine] = []
    shown_to = 0
    for group in SequenceMatcher(None, old, new, False).get_grouped_opcodes(AROUND):
        if group[0][1] > shown_to:
            lines.append(DiffLine("…", ""))
        for kind, old_from, old_to, new_from, new_to in group:
            if kind == "equal":
                lines += [DiffLine(" ", text) for text in old[old_from:old_to]]
            else:
                lines += [DiffLine("-", text) for text in old[old_from:old_to]]
                lines += [DiffLine("+", text) for text in new[new_from:new_to]]
            shown_to = old_to
    if lines and shown_to < len(old):
        lines.append(DiffLine("…", ""))
    return lines


def _dumped(value: Any) -> list[str]:
    """JSON in lines; a text of several lines (a template) is shown as it was written."""
    if value is None:
        return []
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\\n", "\n").splitlines()
