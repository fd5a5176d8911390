"""How values are shown."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.template import Context, Template
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from catalog.display import words
from catalog.display.json_text import SHOWN_BYTES, highlight
from catalog.display.sparkline import POINTS, spark, thinned
from catalog.display.words import ago, duration, exact, number, rate, short
from catalog.models import Domain


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (1334, "1,334"),
        (84.4, "84"),
        (3.14, "3.1"),
        (3.0, "3"),
        (0.04, "0.04"),
        (1_920_000, "1.92 million"),
        (None, "–"),
    ],
)
def test_numbers_are_grouped_and_rounded_as_people_say_them(value, shown):
    assert number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1334, "1,334"),
        (999_999, "999,999"),
        (1_920_000, "192 万"),
        (335_518_000, "3.36 亿"),
        (100_000_000, "1 亿"),
    ],
)
def test_in_chinese_large_numbers_are_counted_by_ten_thousands(value, shown):
    with translation.override("zh-hans"):
        assert number(value) == shown


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (0.5, "0.5", "0.5"),
        (800, "800", "800"),
        (6000, "6k", "6,000"),
        (15_000, "15k", "1.5 万"),
        (2_000_000, "2M", "200 万"),
        (4_000_000_000, "4G", "40 亿"),
    ],
)
def test_numbers_at_an_axis_are_short(value, english, chinese):
    assert short(value) == english
    with translation.override("zh-hans"):
        assert short(value) == chinese


def test_rates_are_said_in_the_language_of_the_page():
    assert rate(84.2) == "84/min"
    with translation.override("zh-hans"):
        assert rate(84.2) == "84/分钟"


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0.4, "0.4 ms"),
        (38, "38 ms"),
        (1240, "1.2 s"),
        (59_000, "59 s"),
        (780_000, "13 min"),
        (7_200_000, "2 h"),
        (3 * 86_400_000, "3 days"),
        (None, "–"),
    ],
)
def test_durations_take_the_largest_fitting_unit(milliseconds, shown):
    assert duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "1 second ago"),
        (12, "12 seconds ago"),
        (60, "1 minute ago"),
        (3 * 3600 + 5, "3 hours ago"),
        (86_400 * 2, "2 days ago"),
        (-300, "in 5 minutes"),
    ],
)
def test_moments_are_told_relative_to_now_from_datetimes_and_microseconds(seconds, shown):
    now = datetime(2026, 11, 23, 3, 12, 3, 418_000, tzinfo=UTC)
    then = now - timedelta(seconds=seconds)
    assert ago(then, now) == shown
    assert ago(round(then.timestamp() * 1_000_000), now) == shown


def test_the_exact_instant_is_in_utc_to_the_millisecond():
    assert exact(1_795_403_523_418_000) == "2026-11-23 03:12:03.418 UTC"


def test_an_ago_tag_holds_the_machine_readable_time():
    html = Template("{% load console %}{% ago at %}").render(Context({"at": 1_795_403_523_418_000}))
    assert '<time datetime="2026-11-23T03:12:03.418Z" title="2026-11-23 03:12:03.418 UTC">' in html


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet=st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_highlighted_json_reads_as_the_same_value(value):
    assert json.loads(text_of(highlight(json.dumps(value, ensure_ascii=False)))) == value


@given(st.text() | st.binary())
def test_nothing_in_an_event_becomes_markup(raw):
    html = highlight(raw)
    assert not re.search(r"<(?!/?span[ >])", html)
    assert not re.search(r"<span (?!class=\"(k|s|n|b|p|mut)\">)", html)


def test_numbers_are_shown_as_they_were_written():
    raw = b'{"a": 1249.00, "b": 123456789012345678901234567890, "c": 1e400}'
    assert re.findall(r'class="n">([^<]*)<', highlight(raw)) == [
        "1249.00",
        "123456789012345678901234567890",
        "1e400",
    ]


def test_text_that_turns_around_is_shown_as_its_escape():
    assert "\\u202e" in highlight('{"a": "\u202etxt.exe"}')
    assert "\u202e" not in highlight("no json \u202e")


def test_a_huge_document_is_cut_and_says_by_how_much():
    html = highlight('"' + "x" * (SHOWN_BYTES + 98) + '"')
    assert len(html) < SHOWN_BYTES + 200
    assert "100 more characters" in html


def test_json_nested_beyond_all_reason_is_shown_as_text():
    assert text_of(highlight("[" * 20_000 + "]" * 20_000)).startswith("[[[")


def test_a_sparkline_keeps_the_shape_of_a_long_series_and_dashes_a_silent_one():
    assert len(thinned(list(range(1000)))) == POINTS
    assert thinned([1, 2, 3]) == [1, 2, 3]
    assert 'class="none"' in spark([0] * 60, 3, "nothing")
    assert 'class="spark low hue-3"' in spark([0, 1], 3, "x")
    assert "<b>" not in spark([1, 2], None, "<b>")


def test_a_badge_says_the_domain_in_letters_title_and_colour():
    html = Template("{% load console %}{% domain_badge domain lg=True %}{% domain_badge none %}").render(
        Context({"domain": Domain(name="City & traffic", badge="TR", hue=14), "none": None})
    )
    assert '<span class="lb lg hue-2" title="City &amp; traffic">TR</span>' in html
    assert "Not in the catalog" in html


@pytest.mark.parametrize(("seconds", "word"), [(-90, "now"), (-1, "now"), (150, "in 2 minutes")])
def test_what_is_due_is_never_told_as_past(seconds: int, word: str) -> None:
    from django.utils import timezone

    from catalog.templatetags.console import due

    shown = due(timezone.now() + timedelta(seconds=seconds))
    assert f">{word}</time>" in shown
    assert 'data-passed="now"' in shown


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((59.3144, 59.33, 59.3561), ["59.314", "59.330", "59.356"]),
        ((12.4, 88.2, 1334.0), ["12", "88", "1,334"]),
        ((1, 2, 3), ["1", "2", "3"]),
        ((0.5, 1.25, 2.0), ["0.5", "1.2", "2.0"]),
    ],
)
def test_numbers_of_a_range_are_told_apart(values, shown):
    assert words.alike(*values) == shown
