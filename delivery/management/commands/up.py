"""`manage.py up`: everything on one machine, until Ctrl-C."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from delivery.supervision import lifeline
from delivery.supervision.address import CannotListen, answers, listen, url
from delivery.supervision.claim import AlreadyRunning, Claim
from delivery.supervision.parent import Child, Parent
from delivery.supervision.preparation import prepare_database
from delivery.supervision.welcome import banner

ANSWERS_WITHIN = 15.0


class Command(BaseCommand):
    """Brings the database up to date, then keeps a web and a worker process alive until it is stopped."""

    help = "Starts Signalbox on this machine: web, worker and beat, restarted when they die. Ctrl-C stops it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-open", action="store_true", help="do not open a browser window")

    def handle(self, *args: Any, no_open: bool, **options: Any) -> None:
        lifeline.watch()
        base = url(settings.HOST, settings.PORT)
        try:
            claim = Claim(Path(settings.VAR))
            sock = listen(settings.HOST, settings.PORT)
        except (AlreadyRunning, CannotListen) as error:
            raise CommandError(str(error)) from error
        claim.describe(base, {})
        try:
            if prepare_database():
                self._say("The database is ready.")
            parent = Parent(
                [
                    _child(
                        "web", "serve", f"--fd={sock.fileno()}", descriptors=(sock.fileno(), claim.descriptor)
                    ),
                    _child("worker", "work", "--unsupervised", descriptors=(claim.descriptor,)),
                ],
                say=self._say,
                changed=lambda children: claim.describe(base, children),
                stop_within=settings.DRAIN + 1.0,
            )

            def welcome() -> None:
                if answers(settings.HOST, settings.PORT, ANSWERS_WITHIN, lambda: parent.stopping):
                    self._say(_banner(base))
                    if not no_open and _has_a_screen():
                        webbrowser.open(base)
                elif not parent.stopping:
                    self._say(
                        f"The web process did not answer within {ANSWERS_WITHIN:.0f} s; its messages are above."
                    )

            parent.run(threading.Thread(target=welcome, name="welcome", daemon=True).start)
        except KeyboardInterrupt:  # while the database was prepared: migrations are transactions
            pass
        finally:
            claim.release()
        self._say("Signalbox has stopped.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _banner(base: str) -> str:
    from catalog.setup import one_time_link
    from delivery.demo.welcome import banner_facts
    from delivery.supervision.advice import advice

    facts = banner_facts()
    try:
        link = None if facts else one_time_link()
        notes = advice()
    finally:
        connections.close_all()
    return banner(
        base,
        facts=facts,
        link=link,
        networks=settings.ALLOWED_TARGET_NETWORKS,
        var=Path(settings.VAR),
        notes=notes,
    )


def _child(name: str, command: str, *arguments: str, descriptors: tuple[int, ...]) -> Child:
    return Child(
        name, [sys.executable, str(settings.BASE_DIR / "manage.py"), command, *arguments], descriptors
    )


def _has_a_screen() -> bool:
    """Whether a browser window would be seen: a person at a terminal, on a desktop."""
    return sys.stdout.isatty() and (
        sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    )
