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


def test_every_documented_setting_exists() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", OPERATIONS, re.MULTILINE)) <= set(SETTINGS)


@pytest.mark.parametrize("name", ["up", "serve", "work"])
def test_every_command_that_runs_signalbox_is_described(name: str) -> None:
    assert f"manage.py {name}" in OPERATIONS
