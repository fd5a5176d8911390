"""Notices what is saved and deleted while somebody acts, and leaves a record of it in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import signals

from catalog.audit.acting import current
from catalog.audit.differences import difference
from catalog.audit.kinds import WATCHED, Action, Watch
from catalog.audit.recording import write

_BEFORE = "_before_it_was_saved"


def watch(model: type[models.Model], how: Watch) -> None:
    """Leaves a record of every row of `model` that is made, changed or deleted."""
    WATCHED[model] = how
    name = model.__name__
    signals.pre_save.connect(_before_save, sender=model, dispatch_uid=f"audit-before-{name}")
    signals.post_save.connect(_saved, sender=model, dispatch_uid=f"audit-save-{name}")
    if how.deletes:
        signals.pre_delete.connect(_deleted, sender=model, dispatch_uid=f"audit-delete-{name}")


def watch_many(model: type[models.Model], field: str) -> None:
    """Leaves a record of every row that is added to or taken out of the many-to-many `field` of a watched `model`."""
    through = getattr(model, field).through

    def linked(
        instance: models.Model, action: str, reverse: bool, pk_set: Iterable[Any] | None, **kwargs: Any
    ) -> None:
        if current() is None or action not in ("post_add", "post_remove", "pre_clear"):
            return
        related = model._meta.get_field(field).related_model
        if reverse:
            accessor = model._meta.get_field(field).remote_field.get_accessor_name()  # type: ignore[union-attr]
            keys = (
                pk_set
                if pk_set is not None
                else getattr(instance, str(accessor)).values_list("pk", flat=True)
            )
            for holder in model._default_manager.filter(pk__in=list(keys)):
                _linked(holder, field, action, [str(instance)])
        else:
            there = related._default_manager.filter(pk__in=list(pk_set)) if pk_set is not None else getattr(instance, field).all()  # type: ignore[union-attr]  # fmt: skip
            _linked(instance, field, action, sorted(str(one) for one in there))

    signals.m2m_changed.connect(
        linked, sender=through, weak=False, dispatch_uid=f"audit-many-{model.__name__}-{field}"
    )


def changed(old: models.Model | None, new: models.Model | None, only: frozenset[str] | None = None) -> None:
    """Leaves a record of what became of a row; none when nothing did. For changes that no `save` makes."""
    row = new if new is not None else old
    if current() is None or row is None:
        return
    how = WATCHED[type(row)]
    before, after, raw_before, raw_after = difference(how, old, new, only)
    if old is not None and new is not None and not before and not after:
        return
    plain = Action.CREATED if old is None else Action.DELETED if new is None else Action.CHANGED
    action = (how.act(raw_before, raw_after) if new is not None else None) or plain
    write(action, how.kind, how.key(row), how.name(row), before=before, after=after)


def _before_save(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
    if current() is None or kwargs.get("raw"):
        return
    old = None
    if instance.pk is not None and not instance._state.adding:
        old = sender._base_manager.filter(pk=instance.pk).first()
    instance.__dict__[_BEFORE] = old


def _saved(sender: type[models.Model], instance: models.Model, created: bool, **kwargs: Any) -> None:
    if current() is None or kwargs.get("raw"):
        return
    old = instance.__dict__.pop(_BEFORE, None)
    only = kwargs.get("update_fields")
    changed(None if created else old, instance, None if created or only is None else frozenset(only))


def _deleted(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
    changed(instance, None)


def _linked(holder: models.Model, field: str, action: str, names: list[str]) -> None:
    how = WATCHED[type(holder)]
    if names:
        side = {field: names}
        added = action == "post_add"
        write(
            Action.CHANGED,
            how.kind,
            how.key(holder),
            how.name(holder),
            before={} if added else side,
            after=side if added else {},
        )
