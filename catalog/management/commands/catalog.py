"""`manage.py catalog …`: what is done to the catalog from a terminal."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from catalog.packs import command as packs


class Command(BaseCommand):
    """`pack NAME` registers the event types of a pack."""

    help = "Works on the catalog: pack NAME registers event types that others describe, such as GitHub's webhooks."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        packs.add_arguments(
            what.add_parser("pack", help="fetch a pack with npm and register its event types")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        packs.run(options, self.stdout.write)
