"""docs/compose.yaml is read as compose does, and every command and setting in it exists."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from tests.vectors import REPOSITORY

TEXT = (REPOSITORY / "docs" / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text()


def commands() -> list[list[str]]:
    """Each `manage.py …` of the file, without what is before it."""
    found = []
    for service in SERVICES.values():
        command = service.get("command", [])
        lines = [" ".join(command)] if "-ec" not in command else command[-1].splitlines()
        found += [line.partition("manage.py ")[2].split() for line in lines if "manage.py " in line]
    return found


def test_there_are_several_processes_of_each_kind_and_their_servers() -> None:
    assert set(SERVICES) == {"postgresql", "rabbitmq", "redis", "prepare", "web", "worker", "upkeep"}
    for name in ("web", "worker", "upkeep", "prepare"):
        assert "container_name" not in SERVICES[name], "then it could not be scaled"
        for needed in SERVICES[name]["depends_on"]:
            assert needed in SERVICES


def test_each_volume_and_setting_that_is_used_exists() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source.startswith("..") or source in COMPOSE["volumes"]
        for name in service.get("environment", {}):
            if name.startswith(("SIGNALBOX_", "DATABASE", "CELERY", "REDIS")):
                assert f"\n| `{name}` |" in OPERATIONS, name
    assert (REPOSITORY / "requirements.lock").exists()


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_exists_and_takes_its_arguments(command: list[str]) -> None:
    name, *arguments = command
    found = (
        load_command_class(get_commands()[name], name)
        if isinstance(get_commands()[name], str)
        else get_commands()[name]
    )
    found.create_parser("manage.py", name).parse_args(arguments)


def test_the_queues_of_the_workers_are_all_there_are() -> None:
    from delivery.supervision.queues import QUEUES

    served = re.findall(r'"--queues", "([a-z,]+)"', TEXT)
    assert sorted(",".join(served).split(",")) == sorted(QUEUES)


def test_a_worker_has_time_to_end_what_it_sends() -> None:
    for name in ("worker", "upkeep"):
        grace = int(SERVICES[name]["stop_grace_period"].rstrip("s"))
        assert grace > int(SERVICES[name]["environment"]["SIGNALBOX_DRAIN"]) + 2
