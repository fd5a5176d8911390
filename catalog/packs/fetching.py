"""Fetches a pack with npm: exactly what its lock says, without running any script of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from django.utils.translation import gettext as _

from catalog.packs.known import Pack

SECONDS = 120
SAID = 600


class PackNotFetched(Exception):
    """The pack could not be fetched; the text says why and what to do."""


def fetch(pack: Pack, var: Path) -> Path:
    """The path of the pack's document, fetched into `var`/packs/NAME unless it is there in this very version.

    Raises PackNotFetched.
    """
    place = var / "packs" / pack.name
    document = place / "node_modules" / pack.package / pack.file
    lock = (pack.folder / "package-lock.json").read_bytes()
    # Written last: whoever was interrupted begins anew.
    done = place / "fetched.json"
    if document.is_file() and done.is_file() and done.read_bytes() == lock:
        return document
    npm = shutil.which("npm")
    if npm is None:
        raise PackNotFetched(
            _(
                "npm is not installed here, and %(package)s is a package of npm. Install Node.js with npm, or run this "
                "on a machine that has it and upload %(file)s of the package in the console under Import."
            )
            % {"package": pack.package, "file": pack.file}
        )
    place.mkdir(parents=True, exist_ok=True)
    done.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(pack.folder / name, place / name)
    _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"], place, pack)
    if not document.is_file():
        raise PackNotFetched(
            _("%(package)s %(version)s has no file %(file)s. The pack is out of date.")
            % {"package": pack.package, "version": pack.version, "file": pack.file}
        )
    done.write_bytes(lock)
    return document


def _run(command: list[str], place: Path, pack: Pack) -> None:
    try:
        ran = subprocess.run(
            command, cwd=place, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise PackNotFetched(
            _("npm did not end within %(seconds)s seconds. Is its registry reachable? Try again later.")
            % {"seconds": SECONDS}
        ) from None
    except OSError as error:
        raise PackNotFetched(_("npm could not be started: %(why)s") % {"why": error}) from None
    if ran.returncode:
        raise PackNotFetched(
            _("npm could not fetch %(package)s %(version)s. It said: %(said)s")
            % {"package": pack.package, "version": pack.version, "said": ran.stderr.strip()[-SAID:]}
        )
