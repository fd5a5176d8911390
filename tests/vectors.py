"""Where the shared test vectors are: tables of cases that are larger than a repository should hold."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def shared() -> Path:
    """The folder of shared material: SIGNALBOX_SHARED, else `shared` beside the repository.

    Raises FileNotFoundError, saying what to do, when it is not there: a missing table must not look like a pass.
    """
    folder = Path(os.environ.get("SIGNALBOX_SHARED") or REPOSITORY.parent / "shared")
    if not (folder / "vectors").is_dir():
        raise FileNotFoundError(
            f"The shared test vectors are not at {folder}. Put the folder `shared` beside the repository, "
            "or name it: SIGNALBOX_SHARED=/path/to/shared"
        )
    return folder
