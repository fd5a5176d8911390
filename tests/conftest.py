"""What every test gets: settings with a var folder of its own, services by name, towns of real processes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings

# Before Django reads its settings, which pytest-django does once this file is loaded. The folder is this run's own:
# nothing of a developer's var, environment or servers is read or written.
VAR = Path(tempfile.mkdtemp(prefix="signalbox-tests-"))
for name in [name for name in os.environ if name.startswith("SIGNALBOX_")]:
    if name not in ("SIGNALBOX_SHARED", "SIGNALBOX_REQUIRE_SERVICES", "SIGNALBOX_TESTS_DATABASE"):
        del os.environ[name]
for name in ("DATABASE_URL", "CELERY_BROKER_URL", "REDIS_URL"):
    os.environ.pop(name, None)
# Set by tests that run others on PostgreSQL, too (tests/integration/catalog/test_on_postgresql.py).
if url := os.environ.pop("SIGNALBOX_TESTS_DATABASE", ""):
    os.environ["DATABASE_URL"] = url
os.environ.update(DJANGO_SETTINGS_MODULE="config.settings", SIGNALBOX_VAR=str(VAR), DEMO="0")

from tests import parallel, services  # noqa: E402
from tests.processes import Town, Towns  # noqa: E402

NOT_THERE = "a service that was missing"


def pytest_configure(config: pytest.Config) -> None:
    # pytest-django sets Django up only where settings were read already; here the environment had to come first.
    django.setup()
    # What a password is worth against guessing takes a third of a second per person, and says nothing of our code.
    # Processes that a test starts keep Django's own.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(VAR, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return parallel.scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one of the processes of a parallel run
        parallel.arrange(items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("service"):
        for name in mark.args:
            if sentence := services.missing(name):
                item.user_properties.append((NOT_THERE, sentence))  # Reports bring it from other processes.
                if services.required():
                    pytest.fail(f"{sentence} (SIGNALBOX_REQUIRE_SERVICES=1)", pytrace=False)
                pytest.skip(sentence)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts = Counter(
        sentence
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "setup"
        for name, sentence in report.user_properties
        if name == NOT_THERE
    )
    if counts:
        terminalreporter.section("services that were missing")
        for sentence, count in sorted(counts.items()):
            terminalreporter.line(
                f"{sentence}: {count} tests {'failed' if services.required() else 'skipped'}"
            )


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """The test database is a file, because threads and processes of a test share it."""
    from django.db import connections

    for connection in connections.all():
        if connection.vendor == "sqlite":
            connection.settings_dict["TEST"]["NAME"] = str(VAR / "test.sqlite3")


@pytest.fixture(scope="session")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    """Makes towns: `with towns.new(...) as town`. See tests/processes.py."""
    with Towns(tmp_path_factory.mktemp("towns")) as found:
        yield found


@pytest.fixture
def town(towns: Towns) -> Iterator[Town]:
    """An embedded Signalbox (SQLite, memory://), migrated and empty; nothing is started yet."""
    with towns.new() as found:
        yield found


@pytest.fixture
def scaled_town(towns: Towns) -> Iterator[Town]:
    """A Signalbox on PostgreSQL and Redis, migrated and empty; the test needs the marks of both services."""
    with towns.new(postgresql=True, redis=True) as found:
        yield found


@pytest.fixture
def new_town(towns: Towns) -> Iterator[Callable[..., Town]]:
    """A function that makes a town with the arguments of `Towns.new`; all are stopped at the end of the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda **arguments: stack.enter_context(towns.new(**arguments))
