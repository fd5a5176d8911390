"""`manage.py catalog`: checks schemas for build servers, exports and imports the catalog, rebuilds the search index."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog import comparing
from catalog.command_line import telling
from catalog.command_line.ending import GOOD, NOT_ASKED, REFUSED, NotAsked
from catalog.command_line.exporting import KINDS, exported
from catalog.command_line.importing import imported
from catalog.command_line.reading import text_of
from catalog.command_line.remote import Refused, Remote
from catalog.command_line.types import against_type
from catalog.packs import command as packs
from catalog.schemas.compatibility import Mode, Policy

ENDS = (
    "Ends with 0: good or compatible; 1: not compatible, or refused; 2: it could not be decided; "
    "3: it could not be asked (the command line, a file, an address, a name)."
)


class _Parser(CommandParser):
    """Ends with 3 where argparse ends with 2, which means here that nothing was decided."""

    def error(self, message: str) -> NoReturn:
        if self.called_from_command_line:
            self.print_usage(sys.stderr)
            self.exit(NOT_ASKED, f"{self.prog}: {message}\n")
        raise CommandError(message, returncode=NOT_ASKED)


class Command(BaseCommand):
    """`check` needs no database unless it is asked about a type of this Signalbox."""

    help = "Checks schemas (check), exports and imports the catalog, fetches packs of "
    help += "event types (pack), writes the search index anew (reindex)."
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's parser, with our way to end."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = _Parser
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True, parser_class=_Parser)
        check = verbs.add_parser(
            "check",
            help="check a schema or a document",
            description="Checks a file as the register form does: a JSON Schema, an event, OpenAPI, AsyncAPI and more. "
            f"With --against, whether the schema may replace another one. {ENDS}",
        )
        check.add_argument("file", help="the file; - for standard input")
        check.add_argument(
            "--against",
            metavar="TYPE|OLD_FILE",
            help="an event type, or a file with the old schema (what exists as a file is one)",
        )
        check.add_argument("--mode", choices=list(map(str, Mode)), help="what the new version must keep")
        check.add_argument("--policy", choices=list(map(str, Policy)), help="how that is judged")
        check.add_argument(
            "--accept-cautions", action="store_true", help="a looser range or a new enum value is accepted"
        )
        form = check.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="print what was found as JSON")
        form.add_argument("--github", action="store_true", help="print annotations for GitHub")
        check.add_argument("--url", help="ask the Signalbox at this address instead of this one")
        check.add_argument("--token", help="its token; else the environment variable SIGNALBOX_TOKEN")

        export = verbs.add_parser("export", help="write the catalog for other tools", description=ENDS)
        export.add_argument("kind", choices=KINDS)
        export.add_argument("-o", "--output", metavar="FILE", help="the file to write; else standard output")
        export.add_argument("--yaml", action="store_true", help="YAML, of asyncapi and openapi")
        export.add_argument("--source", metavar="SLUG", help="of one source alone; for asyncapi")
        export.add_argument(
            "--url",
            default="",
            help="where this Signalbox is reached; the addresses in the document begin so",
        )

        bring = verbs.add_parser(
            "import",
            help="register the event types of a document",
            description="Registers what a document describes: OpenAPI, AsyncAPI, xRegistry, JSON Schema and more. What "
            f"is not good enough becomes a draft. {ENDS}",
        )
        bring.add_argument("file", help="the document; - for standard input")
        bring.add_argument("--user", required=True, help="who registers: the name of a person")
        bring.add_argument("--team", required=True, metavar="SLUG", help="who owns the types")
        bring.add_argument("--domain", required=True, metavar="SLUG", help="on which shelf they are")
        bring.add_argument("--before", default="", metavar="PREFIX", help="what each name begins with")
        bring.add_argument("--drafts", action="store_true", help="keep drafts and register nothing")

        packs.add_arguments(
            verbs.add_parser("pack", help="fetch a pack with npm and register its event types")
        )
        verbs.add_parser("reindex", help="write the search index anew", description=ENDS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs the verb. Raises CommandError with the number it ends with."""
        verb = {
            "check": self._check,
            "export": self._export,
            "import": self._import,
            "reindex": self._reindex,
            "pack": self._pack,
        }[options["verb"]]
        try:
            ends = verb(options)
        except NotAsked as error:
            raise CommandError(str(error), returncode=NOT_ASKED) from None
        except DatabaseError as error:
            said = _("The database cannot be read (%(why)s). Is it migrated?") % {"why": error}
            raise CommandError(said, returncode=NOT_ASKED) from None
        if ends != GOOD:
            sys.stdout.flush()
            raise _Ends(ends)

    # ── check ──

    def _check(self, options: dict[str, Any]) -> int:
        name, against = options["file"], options["against"]
        for option in ("mode", "policy"):
            if options[option] and against is None:
                raise NotAsked(_("--%(option)s needs --against.") % {"option": option})
        if options["accept_cautions"] and against is None:
            raise NotAsked(_("--accept-cautions needs --against."))
        text = text_of(name)
        remote = _remote(options)
        try:
            if against is None:
                found = _looked_at(text, remote)
                return self._tell(name, found, list(telling.of_check(name, found)), options)
            if mistakes := comparing.schema_check(text)["mistakes"]:
                return self._refuse(name, mistakes, options)
            if Path(against).is_file():
                old = text_of(against)
                if mistakes := comparing.schema_check(old)["mistakes"]:
                    return self._refuse(against, mistakes, options)
                found = _compared(old, text, options, remote)
            else:
                found = _against_type(against, text, options, remote)
        except Refused as refused:
            return self._refuse(name, refused.errors or [{"detail": str(refused)}], options)
        return self._tell(name, found, list(telling.of_verdict(name, found)), options)

    def _refuse(self, name: str, mistakes: list[dict[str, Any]], options: dict[str, Any]) -> int:
        found = {
            "valid": False,
            "kind": "JSON Schema",
            "version": "",
            "title": "",
            "mistakes": mistakes,
            "notes": [],
            "candidates": [],
        }
        return self._tell(name, found, list(telling.of_check(name, found)), options)

    def _tell(
        self, name: str, found: dict[str, Any], lines: list[telling.Line], options: dict[str, Any]
    ) -> int:
        ends = telling.ending(found)
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {"file": name, "ends_with": ends, **found}, indent=2, ensure_ascii=False, default=str
                )
            )
            return ends
        for line in lines:
            self.stdout.write(telling.for_github(line) if options["github"] else telling.for_people(line))
        self.stdout.write(telling.summary(name, found))
        return ends

    # ── the catalog as a whole ──

    def _export(self, options: dict[str, Any]) -> int:
        pieces = exported(options["kind"], options["yaml"], options["source"], options["url"])
        output = options["output"]
        if output is None:
            self.stdout.write(b"".join(pieces).decode(), ending="")
            return GOOD
        try:
            with open(output, "wb") as file:
                file.writelines(pieces)
        except OSError as error:
            raise NotAsked(f"{output}: {error.strerror or error}") from None
        self.stderr.write(_("%(file)s is written.") % {"file": output})
        return GOOD

    def _import(self, options: dict[str, Any]) -> int:
        report = imported(
            text_of(options["file"]),
            options["file"],
            user=options["user"],
            team=options["team"],
            domain=options["domain"],
            before=options["before"],
            as_drafts=options["drafts"],
        )
        for row in report.rows:
            why = f": {row['why']}" if row["why"] else ""
            self.stdout.write(f"{row['state']:<10}  {row['name'] or '—'}{why}")
        for line in telling.of_mistakes(options["file"], report.mistakes):
            self.stdout.write(telling.for_people(line))
        refused = bool(report.mistakes) or any(row["state"] == "refused" for row in report.rows)
        return REFUSED if refused else GOOD

    def _pack(self, options: dict[str, Any]) -> int:
        packs.run(options, self.stdout.write)
        return GOOD

    def _reindex(self, options: dict[str, Any]) -> int:
        from catalog.indexing import index_all

        count = index_all()
        said = ngettext("%(n)s event type is indexed.", "%(n)s event types are indexed.", count)
        self.stdout.write(said % {"n": f"{count:,}"})
        return GOOD


class _Ends(SystemExit):
    """Ends the command with a number; what there is to say is said."""


def _remote(options: dict[str, Any]) -> Remote | None:
    if options["url"] is None:
        return None
    return Remote(options["url"], options["token"] or os.environ.get("SIGNALBOX_TOKEN", ""))


def _looked_at(text: str, remote: Remote | None) -> dict[str, Any]:
    if remote is not None:
        found = remote.ask("schemas:check", {"document": text})
        return remote.ask("schemas:check", {"schema": text}) if found.get("kind") == "JSON Schema" else found
    found = comparing.document_check(text)
    return comparing.schema_check(text) if found["kind"] == "JSON Schema" else found


def _asked(options: dict[str, Any]) -> dict[str, Any]:
    """The members of a comparison that were said."""
    said = {name: options[name] for name in ("mode", "policy") if options[name]}
    return said | ({"accept_cautions": True} if options["accept_cautions"] else {})


def _compared(old: str, new: str, options: dict[str, Any], remote: Remote | None) -> dict[str, Any]:
    if remote is not None:
        return remote.ask("compatibility:check", {"old": old, "new": new, **_asked(options)})
    mode, policy = Mode(options["mode"] or Mode.FORWARD), Policy(options["policy"] or Policy.EVOLUTION)
    return comparing.compared(old, new, mode, policy, (), options["accept_cautions"])


def _against_type(name: str, new: str, options: dict[str, Any], remote: Remote | None) -> dict[str, Any]:
    if remote is not None:
        return remote.ask("compatibility:check", {"event_type": name, "new": new, **_asked(options)})
    return against_type(name, new, **_asked(options))
