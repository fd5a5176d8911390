"""Keeps the search index: one SearchEntry and the FieldUses of each event type, written in the saver's transaction.

SQLite finds three letters and more through an FTS5 table with its trigram tokenizer, PostgreSQL through a trigram
index on the entries. Without either (an SQLite built without FTS5, a database that may not make the extension) the
entries are read through: right, and at 10,000 types some 40 ms slower.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from django.db.models.expressions import RawSQL

from catalog.models import Domain, EventType, FieldUse, SchemaVersion, SearchEntry, Source, Team
from catalog.schemas.fields import Field, fields_of, rows_of
from catalog.schemas.text import NotJson, parse

FTS = "catalog_searchtext"
# A trigram index holds pieces of three characters.
SHORTEST = 3
TEXT = 40_000
VALUES = 200
AT_ONCE = 500


def index(event_types: Iterable[int]) -> None:
    """Writes anew what can be found of the event types with these ids; of those that are gone nothing stays."""
    wanted = sorted(set(event_types))
    for at in range(0, len(wanted), AT_ONCE):
        _index(wanted[at : at + AT_ONCE])


def index_all() -> int:
    """Writes the whole index anew and returns how many event types it holds."""
    known = list(EventType.objects.order_by("pk").values_list("pk", flat=True))
    with transaction.atomic():
        if has_fts():
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {FTS}")
        index(known)
    return len(known)


def holding(word: str) -> Any:
    """The ids of the event types whose entry holds `word` (any case), for `pk__in`."""
    folded = word.casefold()
    if len(folded) >= SHORTEST and has_fts():
        phrase = '"' + folded.replace('"', '""') + '"'
        return RawSQL(f"SELECT rowid FROM {FTS} WHERE {FTS} MATCH %s", [phrase])
    escaped = folded.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return RawSQL(
        "SELECT event_type_id FROM catalog_searchentry WHERE text LIKE %s ESCAPE '\\'", [f"%{escaped}%"]
    )


def has_fts() -> bool:
    """Whether this database has the FTS5 table; only SQLite ever has."""
    if connection.vendor != "sqlite":
        return False
    database = str(connection.settings_dict["NAME"])
    if database not in _with_fts and FTS in connection.introspection.table_names():
        _with_fts.add(database)
    return database in _with_fts


# Names of databases that were seen to have it: a migration may still make it in the others.
_with_fts: set[str] = set()


def _index(pks: Sequence[int]) -> None:
    types = list(
        EventType.objects.filter(pk__in=pks)
        .select_related("team", "domain", "default_version")
        .prefetch_related("sources")
    )
    newest: dict[int, SchemaVersion] = {}
    for one in SchemaVersion.objects.filter(event_type__in=types).order_by("number"):
        newest[one.event_type_id] = one
    entries: list[SearchEntry] = []
    uses: list[FieldUse] = []
    for event_type in types:
        version: SchemaVersion | None = event_type.default_version or newest.get(event_type.pk)
        rows = _rows(version)
        lines = "\n".join(_lines(event_type, version, rows))[:TEXT]
        entries.append(SearchEntry(event_type=event_type, text=lines))
        uses += [
            FieldUse(
                event_type=event_type,
                path=_path(row)[:500],
                name=_last(row).casefold()[:255],
                kind=row.words[:60],
            )
            for row in rows
        ]
    with transaction.atomic():
        SearchEntry.objects.bulk_create(
            entries, update_conflicts=True, unique_fields=["event_type"], update_fields=["text"]
        )
        FieldUse.objects.filter(event_type__in=pks).delete()
        FieldUse.objects.bulk_create(uses, batch_size=AT_ONCE)
        if has_fts():
            with connection.cursor() as cursor:
                marks = ",".join(["%s"] * len(pks))
                cursor.execute(f"DELETE FROM {FTS} WHERE rowid IN ({marks})", list(pks))
                cursor.executemany(
                    f"INSERT INTO {FTS} (rowid, text) VALUES (%s, %s)",
                    [(entry.pk, entry.text) for entry in entries],
                )


def _rows(version: SchemaVersion | None) -> list[Field]:
    if version is None:
        return []
    try:
        return [row for row in rows_of(fields_of(parse(version.schema))) if row.path]
    except NotJson:
        return []


def _lines(event_type: EventType, version: SchemaVersion | None, rows: list[Field]) -> Iterator[str]:
    def line(kind: str, *parts: Any) -> str:
        return f"{kind}\t" + " ".join(" ".join(str(part).split()) for part in parts if part).casefold()

    yield line("n", event_type.name, *event_type.tags)
    yield line("s", event_type.summary)
    yield line("o", event_type.team.name, event_type.domain.name)
    for source in event_type.sources.all():
        yield line("o", source.name, source.uri)
    for row in rows:
        path = _path(row)
        # People write lines.sku for what the schema calls lines[].sku.
        plain = path.replace("[]", "")
        yield line("f", path, "" if plain == path else plain, row.words, row.meaning, *row.choices[:20])
    if version is not None:
        texts = [version.example, *(str(one.get("data", "")) for one in version.examples)]
        for value in _values(texts):
            yield line("v", value)
    if event_type.docs:
        yield line("d", event_type.docs)


def _values(texts: Iterable[str]) -> list[str]:
    """The different values of these JSON texts, as people would type them; at most VALUES."""
    found: dict[str, None] = {}
    todo: list[Any] = []
    for text in texts:
        try:
            todo.append(json.loads(text)) if text else None
        except ValueError:
            continue
    while todo and len(found) < VALUES:
        value = todo.pop(0)
        if isinstance(value, dict):
            todo.extend(value.values())
        elif isinstance(value, list):
            todo.extend(value)
        elif isinstance(value, str) and value:
            found[value[:200]] = None
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[json.dumps(value)] = None
    return list(found)


def _path(row: Field) -> str:
    path = "data"
    for part in row.path:
        path += part if part == "[]" else f".{part}"
    return path


def _last(row: Field) -> str:
    return next((part for part in reversed(row.path) if part != "[]"), "data")


def _migrated(sender: Any, **kwargs: Any) -> None:
    """An installation from before the index gets it with the migration that makes its tables."""
    if not SearchEntry.objects.exists() and EventType.objects.exists():
        index_all()


def _changed_type(sender: Any, instance: EventType, **kwargs: Any) -> None:
    if not kwargs.get("raw"):
        index([instance.pk])


def _gone_type(sender: Any, instance: EventType, **kwargs: Any) -> None:
    if has_fts() and instance.pk:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {FTS} WHERE rowid = %s", [instance.pk])


def _changed_version(sender: Any, instance: SchemaVersion, **kwargs: Any) -> None:
    if not kwargs.get("raw"):
        index([instance.event_type_id])


def _changed_sources(
    sender: Any, instance: Any, action: str, reverse: bool, pk_set: set[int] | None, **kwargs: Any
) -> None:
    if action in {"post_add", "post_remove", "post_clear"}:
        index((pk_set or ()) if reverse else [instance.pk])


def _changed_owner(sender: type[models.Model], instance: Any, created: bool = False, **kwargs: Any) -> None:
    if not created and not kwargs.get("raw"):
        index(instance.event_types.values_list("pk", flat=True))


def connect() -> None:
    """Keeps the index with every change of what it speaks of."""
    models.signals.post_migrate.connect(
        _migrated, sender=apps.get_app_config("catalog"), dispatch_uid="index"
    )
    models.signals.post_save.connect(_changed_type, sender=EventType, dispatch_uid="index-type")
    models.signals.pre_delete.connect(_gone_type, sender=EventType, dispatch_uid="index-type-gone")
    models.signals.post_save.connect(_changed_version, sender=SchemaVersion, dispatch_uid="index-version")
    models.signals.m2m_changed.connect(
        _changed_sources, sender=EventType.sources.through, dispatch_uid="index-sources"
    )
    for owner in (Team, Domain, Source):
        models.signals.post_save.connect(_changed_owner, sender=owner, dispatch_uid=f"index-{owner.__name__}")
