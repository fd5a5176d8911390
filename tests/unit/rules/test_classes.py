"""What answers mean by an owner's map."""

from __future__ import annotations

import pytest

from rules.classes import as_text, from_text, meaning_of


def test_a_status_comes_before_its_class_and_no_answer_has_a_name() -> None:
    classes = from_text("4xx: reject\n404: retry\n\nNone : STOP\n")
    assert [meaning_of(classes, status) for status in (404, 410, 503, None)] == [
        "retry",
        "reject",
        None,
        "stop",
    ]
    assert from_text(as_text(classes)) == classes


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("404", "Line 1: write a status, a colon"),
        ("404: retry\n404: stop", "Line 2: 404 is there twice"),
        ("200: reject", "Line 1: 200: name a status from 300 to 599"),
        ("2xx: retry", "2xx: name a status"),
        ("404: delivered", "404: say retry, reject or stop."),
        ("\n".join(f"{status}: retry" for status in range(400, 460)), "At most 50 entries."),
    ],
)
def test_what_can_be_no_map_is_said_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        from_text(text)
