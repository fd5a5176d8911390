"""docs/operations.md names every setting and every command with which Signalbox is run."""

from __future__ import annotations

import re

import pytest

from tests.vectors import REPOSITORY

OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text()
READ = re.compile(r"""(?:environ\.get|environ|flag|whole_number)[\[(]\s*["']([A-Z_]+)["']""")
SETTINGS = sorted(
    {
        name
        for path in [*(REPOSITORY / "config").glob("*.py"), REPOSITORY / "delivery" / "demo" / "generator.py"]
        for name in READ.findall(path.read_text())
    }
)


def test_the_settings_are_found_in_the_code() -> None:
    assert {"SIGNALBOX_VAR", "DATABASE_URL", "DEMO", "SIGNALBOX_PRODUCTION"} <= set(SETTINGS)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_has_a_row_in_the_table(name: str) -> None:
    assert f"\n| `{name}` |" in OPERATIONS


def test_every_check_of_reconcile_and_every_queue_is_described() -> None:
    from delivery.reconcile.work import CHECKS
    from delivery.supervision.queues import DUTIES, QUEUES

    for check in CHECKS:
        assert f"\n| `{check.name}`" in OPERATIONS, check.name
    for name, (queue, _) in DUTIES.items():
        assert queue in QUEUES
        assert f"`{name}`" in OPERATIONS, name
    for queue in QUEUES:
        assert f"\n| `{queue}` |" in OPERATIONS, queue


def test_every_metric_is_described() -> None:
    text = (REPOSITORY / "delivery" / "pages" / "metrics.py").read_text()
    names = re.findall(r"""_metric\(\s*"([a-z_]+)",""", text)
    assert len(names) > 8
    for name in names:
        assert f"`signalbox_{name}" in OPERATIONS, name


def test_every_documented_setting_exists() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", OPERATIONS, re.MULTILINE)) <= set(SETTINGS)


@pytest.mark.parametrize("name", ["up", "serve", "work", "reconcile"])
def test_every_command_that_runs_signalbox_is_described(name: str) -> None:
    assert f"manage.py {name}" in OPERATIONS
