"""What `manage.py up` says of a set-up that is slow or risky, and that it says nothing of a good one."""

from __future__ import annotations

import importlib.util
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from delivery.supervision import advice as module
from delivery.supervision.advice import advice, file_system, sync_seconds
from delivery.supervision.welcome import banner
from delivery.tracking.read import now
from tests.databases import Database
from tests.integration.sink import execute, rows

MOUNTS = """
/dev/root / ext4 rw 0 0
server:/share /mnt/my\\040share nfs4 rw 0 0
tmpfs /mnt/my\\040share/fast tmpfs rw 0 0
"""


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch, log_database: Database) -> Database:
    """A set-up that nothing is to be said of, however busy this machine is."""
    monkeypatch.setattr(module, "SLOW_SYNC", 10.0)
    monkeypatch.setattr(module, "SLOW_ANSWER", 10.0)
    monkeypatch.setattr(module, "LEAST_FREE", 0.0)
    assert advice() == []
    return log_database


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/work/var", "ext4"),
        ("/mnt/my share", "nfs4"),
        ("/mnt/my share/signalbox", "nfs4"),
        ("/mnt/my share/fast/var", "tmpfs"),
        ("/mnt/my shares", "ext4"),
    ],
)
def test_the_file_system_of_a_folder_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


def test_a_sync_is_measured_and_leaves_nothing_behind(tmp_path: Path) -> None:
    assert 0 < sync_seconds(tmp_path) < 60
    assert list(tmp_path.iterdir()) == []


def test_a_slow_disk_a_network_file_system_and_a_far_database_are_said(
    quiet: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "SLOW_SYNC", 0.0)
    monkeypatch.setattr(module, "SLOW_ANSWER", 0.0)
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/share {quiet.town.var} nfs rw 0 0\n")
    monkeypatch.setattr(module, "MOUNTS", mounts)
    said = advice()
    if quiet.vendor == "sqlite":
        assert [sentence.split(" ")[0] for sentence in said] == [str(quiet.town.var), "The"]
        assert "network file system (nfs)" in said[0]
    else:
        assert ["PostgreSQL takes" in sentence for sentence in said] == [True]


def test_a_postgresql_that_does_not_sync_is_said(quiet: Database) -> None:
    if quiet.vendor != "postgresql":
        return
    rows("SELECT set_config('synchronous_commit', 'off', false)")
    assert ["synchronous_commit = off" in sentence for sentence in advice()] == [True]


@pytest.mark.usefixtures("quiet")
def test_a_broker_in_memory_beside_workers_of_other_machines_is_said(settings: Any) -> None:
    execute(
        "INSERT INTO runner_shift (id, host, pid, started_at, seen_at) VALUES ('a', 'another', 1, 0, %s)",
        now(),
    )
    assert ["1 other machines" in sentence for sentence in advice()] == [True]
    settings.CELERY_BROKER_URL = "redis://127.0.0.1/0"
    settings.REDIS_URL = ""
    assert ["REDIS_URL" in sentence for sentence in advice()] == [True]
    settings.REDIS_URL = "redis://127.0.0.1/0"
    assert advice() == []


@pytest.mark.usefixtures("quiet")
def test_debug_no_uvloop_an_open_host_and_a_full_disk_are_said(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG, settings.HOST, settings.PRODUCTION = True, "0.0.0.0", False
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(module, "LEAST_FREE", 0.05)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: namedtuple("Usage", "total free")(100, 2))
    said = advice()
    assert [
        word in sentence for word, sentence in zip(("DEBUG", "uvloop", "0.0.0.0", "98 %"), said, strict=True)
    ] == [True] * 4


@pytest.mark.usefixtures("quiet")
def test_what_cannot_be_looked_at_keeps_nothing_else_from_being_said(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: object) -> object:
        raise PermissionError(path)

    settings.DEBUG = True
    monkeypatch.setattr(module, "sync_seconds", broken)
    monkeypatch.setattr(module.shutil, "disk_usage", broken)
    assert ["SIGNALBOX_DEBUG" in sentence for sentence in advice()] == [True]


def test_the_banner_ends_with_what_is_to_be_noted() -> None:
    text = banner("http://a", facts=None, link=None, networks=[], var=Path("/v"), notes=["It is slow."])
    assert text.endswith("  Note     It is slow.\n")
