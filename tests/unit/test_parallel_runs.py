"""How `make test` deals the tests out to processes: tests/parallel.py."""

from __future__ import annotations

import pytest

from tests.parallel import BY_THE_CLOCK, ORDER, TESTS, group_of


@pytest.mark.parametrize("place", BY_THE_CLOCK)
def test_a_file_that_goes_by_the_clock_is_there(place: str) -> None:
    assert (TESTS / place).is_file()


def test_every_folder_of_tests_has_its_place_in_the_order() -> None:
    folders = {path.relative_to(TESTS).parts[0] for path in TESTS.rglob("test_*.py")}
    assert folders <= set(ORDER)


@pytest.mark.parametrize(
    ("place", "group"),
    [
        ("unit/http/test_answer.py", "unit/http/test_answer.py"),
        ("browser/test_live.py", "browser/test_live.py"),
        ("chaos/test_kill.py", "by the clock"),
        ("integration/test_up.py", "by the clock"),
        ("conformance/test_publish_npm.py", "conformance"),
        ("conformance/test_sdk_codec.py", "conformance"),
    ],
)
def test_a_file_s_tests_stay_together_and_so_do_those_that_share_more(place: str, group: str) -> None:
    assert group_of(place) == group
