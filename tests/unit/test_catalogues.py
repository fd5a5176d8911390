"""The console's catalogues are complete, and are compiled where there is no GNU gettext."""

from __future__ import annotations

import gettext
import multiprocessing
from pathlib import Path

import polib
import pytest

from catalog.languages import compiling, gathering
from tests.vectors import REPOSITORY

FOLDER = REPOSITORY / "config" / "locale"
CATALOGUES = compiling.catalogues(FOLDER)


def text(entry: str) -> polib.POFile:
    return polib.pofile(f'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n{entry}')


@pytest.mark.service("gettext")
@pytest.mark.parametrize("path", CATALOGUES, ids=[path.parent.parent.name for path in CATALOGUES])
def test_a_catalogue_has_every_message_and_no_other(path: Path) -> None:
    wanted = gathering.gathered(REPOSITORY)
    assert len(wanted) > 2000
    lacking = gathering.lacking(polib.pofile(str(path)), wanted)
    assert lacking == [], "manage.py messages --write puts new messages in (docs/translating.md)"


def test_every_language_but_english_has_a_catalogue() -> None:
    from django.conf import settings
    from django.utils.translation import to_locale

    there = {path.parent.parent.name for path in CATALOGUES}
    assert {to_locale(code) for code, _ in settings.LANGUAGES} == there | {"en"}


WANTED = text('msgid "%(n)s <b>event</b>"\nmsgid_plural "%(n)s <b>events</b>"\nmsgstr[0] ""\n')


@pytest.mark.parametrize(
    ("entry", "trouble"),
    [
        ('msgid "%(n)s <b>event</b>"\nmsgid_plural "%(n)s <b>events</b>"\nmsgstr[0] "<b>事件</b> %(n)s"', ""),
        ('msgid "%(n)s <b>event</b>"\nmsgid_plural "%(n)s <b>events</b>"\nmsgstr[0] ""', "not translated"),
        (
            'msgid "%(n)s <b>event</b>"\nmsgid_plural "%(n)s <b>events</b>"\nmsgstr[0] "<b>事件</b>"',
            "other placeholders",
        ),
        (
            'msgid "%(n)s <b>event</b>"\nmsgid_plural "%(n)s <b>events</b>"\nmsgstr[0] "%(n)s 事件"',
            "other markup",
        ),
        (
            'msgid "%(n)s <b>event</b>"\nmsgid_plural "%(n)s <b>events</b>"\nmsgstr[0] "<b>事</b>\\n%(n)s"',
            "other line breaks",
        ),
        (
            '#, fuzzy\nmsgid "%(n)s <b>event</b>"\nmsgid_plural "%(n)s <b>events</b>"\nmsgstr[0] "<b>a</b> %(n)s"',
            "marked as unsure",
        ),
        ('msgid "other"\nmsgstr "别的"', "missing"),
    ],
)
def test_what_is_wrong_with_a_translation_is_found(entry: str, trouble: str) -> None:
    found = gathering.lacking(text(entry), WANTED)
    assert [line.partition(":")[0] for line in found][:1] == ([trouble] if trouble else [])


def test_new_messages_are_put_in_empty_and_what_nobody_says_is_taken_out() -> None:
    written = text('msgid "kept"\nmsgstr "留"\n\nmsgid "gone"\nmsgstr "去"')
    found = gathering.merged(written, text('msgid "new"\nmsgstr ""\n\nmsgid "kept"\nmsgstr ""'))
    assert [(entry.msgid, entry.msgstr) for entry in found] == [("new", ""), ("kept", "留")]


def _compile(target: str) -> str:
    return str(compiling.compiled(FOLDER, Path(target)))


def test_catalogues_are_compiled_once_also_when_many_start_together(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        folders = set(pool.map(_compile, [str(tmp_path)] * 4))
    (folder,) = map(Path, folders)
    (ready,) = folder.rglob("*.mo")
    assert [path.name for path in ready.parent.iterdir()] == ["django.mo"]
    before = ready.stat().st_mtime_ns
    assert compiling.compiled(FOLDER, tmp_path) == folder
    assert ready.stat().st_mtime_ns == before
    found = gettext.translation("django", folder, ["zh_Hans"])
    assert found.gettext("Dead letters") == "死信"
    assert found.ngettext("%(n)s event", "%(n)s events", 1) == found.ngettext(
        "%(n)s event", "%(n)s events", 7
    )


def test_another_catalogue_is_compiled_beside_the_former_one(tmp_path: Path) -> None:
    source = tmp_path / "written"
    path = gathering.path_of(source, "zh_Hans")
    gathering.write(path, text('msgid "a"\nmsgstr "甲"'))
    first = compiling.compiled(source, tmp_path)
    gathering.write(path, text('msgid "a"\nmsgstr "乙"'))
    second = compiling.compiled(source, tmp_path)
    assert first != second
    assert gettext.translation("django", first, ["zh_Hans"]).gettext("a") == "甲"
    assert gettext.translation("django", second, ["zh_Hans"]).gettext("a") == "乙"


@pytest.mark.service("gettext")
def test_a_message_is_not_used_alone_where_its_plural_asks_for_a_number(tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "words.py").write_text(
        '_("per minute")\nngettext("per minute", "per %(n)s minutes", n)\n'
    )
    with pytest.raises(RuntimeError, match="“per minute” is said with a plural"):
        gathering.gathered(tmp_path)
