"""`manage.py demo`: loads the demo town."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from delivery.demo import town


class Command(BaseCommand):
    """Makes what is missing of the demo; what is there already, and its password, stay."""

    help = (
        "Loads the demo: a small town's catalog, rules, targets and a user. Again, it adds what is missing."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--if-empty",
            action="store_true",
            help="load it only where there is no user and no bus yet; else follow a changed address and renew a dead token",
        )

    def handle(self, *args: Any, if_empty: bool, **options: Any) -> None:
        if if_empty and not town.is_empty():
            town.follow_address()
            if town.renew_token():
                self.stdout.write("The demo's token was revoked or deleted; it has a new one.")
            return
        try:
            facts = town.load()
        except ValidationError as error:
            raise CommandError(
                "The demo does not fit beside what is here: "
                + " ".join(error.messages)
                + " Load it into an empty folder: SIGNALBOX_VAR=var-demo manage.py migrate, then manage.py demo."
            ) from error
        town.follow_address()
        town.renew_token()
        self.stdout.write(f"The demo is loaded. Sign in as {facts['user']} with {facts['password']}")
