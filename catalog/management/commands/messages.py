"""`manage.py messages`: what the catalogues of the console's languages lack; --write brings them up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import get_supported_language_variant, to_language

from catalog.languages import compiling, gathering


class Command(BaseCommand):
    """Ends with 1 when a catalogue lacks something, so that a build can ask."""

    help = "Lists what the catalogues of the console's languages lack (docs/translating.md)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("language", nargs="*", help="such as zh_Hans; all that there are without one")
        parser.add_argument(
            "--write",
            action="store_true",
            help="put in new messages without translation, take out what nobody says; begins a new language, too",
        )

    def handle(self, *, language: list[str], write: bool, **options: Any) -> None:
        folder = Path(settings.BASE_DIR) / "config" / "locale"
        paths = [gathering.path_of(folder, one) for one in language] or compiling.catalogues(folder)
        try:
            wanted = gathering.gathered(Path(settings.BASE_DIR))
        except RuntimeError as error:
            raise CommandError(str(error)) from error
        count = 0
        for path in paths:
            name = path.parent.parent.name
            written = self._written(path, name, write)
            if write:
                written = gathering.merged(written, wanted)
                gathering.write(path, written)
            found = gathering.lacking(written, wanted)
            count += len(found)
            for line in found:
                self.stdout.write(f"{name}: {line}")
            self.stdout.write(f"{name}: {len(wanted)} messages, {len(found) or 'nothing'} to do")
        if count:
            raise SystemExit(1)

    def _written(self, path: Path, name: str, write: bool) -> polib.POFile:
        if path.exists():
            return polib.pofile(str(path), wrapwidth=0)
        if not write:
            raise CommandError(f"There is no catalogue {path}. --write begins it.")
        try:
            get_supported_language_variant(to_language(name))
        except LookupError as error:
            raise CommandError(
                f"“{name}” is no language of LANGUAGES in config/settings.py. Add it there first."
            ) from error
        found = polib.POFile(wrapwidth=0)
        found.metadata = {"Language": name, "Content-Type": "text/plain; charset=UTF-8"}
        return found
