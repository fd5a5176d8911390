"""What the code and the templates say to people, held against the written catalogues. For `manage.py messages`.

Gathering needs GNU gettext's xgettext; nothing that runs does.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polib
from django.utils.translation.template import templatize

from catalog.languages.compiling import CATALOGUE

ROOMS = ("catalog", "config", "delivery", "rules")
# Beside gettext, ngettext and _, which xgettext knows.
KEYWORDS = (
    "_t", "_lazy", "gettext_lazy", "gettext_noop", "said", "ngettext_lazy:1,2", "pgettext:1c,2", "pgettext_lazy:1c,2",
    "npgettext:1c,2,3",
)  # fmt: skip
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}")
_TWICE = re.compile(r"msgid '(.*)' is used without plural and with plural")
MARKUP = re.compile(r"</?[a-z][^>]*>|`[^`]*`")


class NoGettext(RuntimeError):
    """xgettext is not installed on this machine."""


def gathered(root: Path) -> polib.POFile:
    """Every message in the Python files and templates below `root`, without translations, by file.

    Raises NoGettext, and RuntimeError with what xgettext says when it cannot read a file.
    """
    if shutil.which("xgettext") is None:
        raise NoGettext("GNU gettext is not installed on this machine: apt-get install gettext")
    with tempfile.TemporaryDirectory() as folder:
        names = [*_python(root, Path(folder)), *_templates(root, Path(folder))]
        done = subprocess.run(
            [
                "xgettext", "--language=Python", "--from-code=UTF-8", "--add-location=file", "--no-wrap", "--output=-",
                *(f"--keyword={keyword}" for keyword in KEYWORDS),
                f"--directory={folder}", f"--directory={root}", "--files-from=-",
            ],
            input="\n".join(names), capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    found = polib.pofile(done.stdout, wrapwidth=0)
    for name in _TWICE.findall(done.stderr):
        entry = found.find(name)
        # gettext gives the plural's translation for the message alone, too: nothing would fill its placeholders in.
        if entry and sorted(PLACEHOLDER.findall(name)) != sorted(PLACEHOLDER.findall(entry.msgid_plural)):
            raise RuntimeError(
                f"“{name}” is said with a plural that has other placeholders, and without: use other words."
            )
    return found


def _python(root: Path, folder: Path) -> Iterator[str]:
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            name, text = path.relative_to(root), path.read_text(encoding="utf-8")
            if "= setting(" in text:
                copy = folder / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                lines = "".join(f"_({word!r})\n" for word in _words_of_settings(text))
                copy.write_text(text + lines, encoding="utf-8")
            yield str(name)


def _words_of_settings(text: str) -> Iterator[str]:
    """Titles, descriptions and labels of a connector's settings (delivery/connectors/config.py): data, so not marked."""
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call)):
            continue
        if not (isinstance(node.value.func, ast.Name) and node.value.func.id == "setting"):
            continue
        says = {word.arg: word.value for word in node.value.keywords}
        if "title" not in says and isinstance(node.target, ast.Name):
            yield node.target.id.replace("_", " ").capitalize()
        for name in ("title", "description"):
            if name in says:
                yield str(ast.literal_eval(says[name]))
        labels = says.get("labels")
        if isinstance(labels, ast.Dict):
            yield from (str(ast.literal_eval(label)) for label in labels.values)


def _templates(root: Path, folder: Path) -> Iterator[str]:
    """Writes each template as Python that names its messages, as xgettext reads no templates."""
    for path in sorted((root / "templates").rglob("*.*")):
        name = path.relative_to(root)
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(templatize(path.read_text(encoding="utf-8"), origin=str(name)), encoding="utf-8")
        yield str(name)


def merged(written: polib.POFile, wanted: polib.POFile) -> polib.POFile:
    """`wanted` with the translations of `written`: new messages are empty, those that are gone are left out."""
    known = {_key(entry): entry for entry in written if not entry.obsolete}
    found = polib.POFile(wrapwidth=0)
    found.header, found.metadata = written.header, written.metadata
    for entry in wanted:
        old = known.get(_key(entry))
        if entry.msgid_plural:
            entry.msgstr_plural = dict(old.msgstr_plural) if old else {0: ""}
        else:
            entry.msgstr = old.msgstr if old else ""
        # Which files, not in which order they were read.
        entry.occurrences = sorted(set(entry.occurrences))
        found.append(entry)
    return found


def lacking(written: polib.POFile, wanted: polib.POFile) -> list[str]:
    """What is wrong with a catalogue, a line each: missing, empty, unsure, needless, or with other placeholders."""
    known = {_key(entry): entry for entry in written}
    needed = {_key(entry) for entry in wanted}
    found = [f"missing: {entry.msgid}" for entry in wanted if _key(entry) not in known]
    for entry in written:
        if _key(entry) not in needed or entry.obsolete:
            found.append(f"nobody says this any more: {entry.msgid}")
        elif entry.fuzzy:
            found.append(f"marked as unsure: {entry.msgid}")
        else:
            found += [f"{trouble}: {entry.msgid}" for trouble in _troubles(entry)]
    return found


def _troubles(entry: polib.POEntry) -> Iterator[str]:
    texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
    if not texts or not all(text.strip() for text in texts):
        yield "not translated"
        return
    # One form of several may leave the number out: "the one rule".
    source = entry.msgid_plural or entry.msgid
    for text in texts:
        if sorted(PLACEHOLDER.findall(source)) != sorted(PLACEHOLDER.findall(text)):
            yield "other placeholders"
        if sorted(MARKUP.findall(source)) != sorted(MARKUP.findall(text)):
            yield "other markup"
        if source.count("\n") != text.count("\n"):
            yield "other line breaks"


def write(path: Path, catalogue: polib.POFile) -> None:
    """Writes `catalogue` where the compiler looks for it: config/locale/<language>/LC_MESSAGES/django.po."""
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(path))


def path_of(folder: Path, language: str) -> Path:
    """Where the catalogue of `language` (zh_Hans) stands below `folder`."""
    return folder / language / CATALOGUE


def _key(entry: polib.POEntry) -> tuple[str, str, str]:
    return entry.msgctxt or "", entry.msgid, entry.msgid_plural or ""
