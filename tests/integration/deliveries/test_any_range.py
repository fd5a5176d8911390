"""The page of deliveries over any stretch of time, of one target alone, and as a table that leads to the events."""

from __future__ import annotations

import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils.html import escape

from delivery.pages.stretch import RANGES
from delivery.tracking.rates import minute_of
from delivery.tracking.words import State
from rules.models import Target
from rules.revisions import save_target
from tests.integration import rows as write
from tests.integration.deliveries.billing import order, refuse, text

pytestmark = pytest.mark.django_db(transaction=True)
DAY = 1440


def other(town: SimpleNamespace, name: str = "Stock") -> Target:
    target = Target(name=name, rule=town.rule, connector="http", config={"url": "http://127.0.0.1:9/"})
    save_target(target)
    return target


def test_each_range_shows_what_was_delivered_in_it(someone: Client, town: SimpleNamespace) -> None:
    last = minute_of(write.now())
    for ago, count in (
        (2, 1),
        (40, 10),
        (300, 100),
        (1000, 1000),
        (5 * DAY, 10_000),
        (25 * DAY, 100_000),
        (200 * DAY, 1_000_000),
    ):
        write.count_minute(town.billing.pk, last - ago, delivered=count)
    shown = {name: text(someone.get(f"/deliveries/?range={name}")) for name in RANGES}
    for (_name, page), delivered in zip(
        shown.items(), ("1", "11", "111", "1,111", "11,111", "111,111", "1.11 million"), strict=True
    ):
        assert f'<span class="num">{delivered}</span></small>' in page


def test_charts_have_a_table_whose_rows_lead_to_the_events_of_that_time(
    someone: Client, town: SimpleNamespace
) -> None:
    seq = order(town)
    write.count_minute(town.billing.pk, minute_of(write.now()), delivered=41, retried=3, dead=2, l3=41)
    page = text(someone.get("/deliveries/?range=15m"))
    assert page.count("view=table#figures") == 2
    assert "<table" not in page.partition("chart bars")[2].partition("</section>")[0]
    table = text(someone.get("/deliveries/?range=15m&view=table"))
    assert "<time-chart" not in table
    row = table.partition('id="figures"')[2].partition("<tbody>")[2].partition("</tr>")[0]
    for figure in (">41<", ">3<", ">2<", "95.3%"):
        assert figure in row
    link = row.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert urlsplit(link).path == "/find/"
    assert f"/journey/{seq}/" in text(someone.get(link))


def test_a_stretch_of_one_s_own_is_shown_and_a_wrong_one_explained(
    someone: Client, town: SimpleNamespace
) -> None:
    minute = minute_of(write.now()) - 40 * DAY
    write.count_minute(town.billing.pk, minute, delivered=77)
    from delivery.pages.stretch import written

    own = f"from={written(minute - 30)}&to={written(minute + 30)}"
    page = text(someone.get(f"/deliveries/?{own}"))
    assert '<span class="num">77</span></small>' in page
    assert 'data-topics="rate deliveries "' in page  # what is over is not live
    wrong = text(someone.get(f"/deliveries/?from={written(minute)}&to={written(minute)}"))
    assert "Choose an end at least 15 minutes after the beginning." in wrong
    assert '<details class="drop" data-menu open>' in wrong


def test_one_target_alone(someone: Client, town: SimpleNamespace) -> None:
    stock = other(town)
    last = minute_of(write.now())
    write.count_minute(town.billing.pk, last, delivered=5)
    write.count_minute(stock.pk, last, delivered=300)
    refuse(town)
    page = text(someone.get(f"/deliveries/?target={stock.pk}"))
    assert '<span class="num">300</span></small>' in page
    assert "Billing has not taken" not in page
    assert f'data-topics="rate deliveries:{stock.pk} summary:1h:{stock.pk}"' in page
    assert "Billing has not taken" in text(someone.get(f"/deliveries/?target={town.billing.pk}"))
    for nonsense in ("x", "999999", "9" * 30):
        assert '<span class="num">305</span></small>' in text(someone.get(f"/deliveries/?target={nonsense}"))


def test_each_target_has_its_figures(someone: Client, town: SimpleNamespace) -> None:
    write.count_minute(town.billing.pk, minute_of(write.now()), delivered=3, dead=1, l3=2, l8=1)
    seq = order(town)
    write.hold(town.billing.pk, seq, State.RETRY, due_at=write.now() + write.SECOND)
    write.pass_cursor(town.billing.pk, seq)
    table = text(someone.get("/deliveries/")).partition('targets-table"')[2].partition("</table>")[0]
    assert "75.0%" in table
    assert f"/deliveries/?range=1h&amp;target={town.billing.pk}" in table
    assert '<span class="warn-number"><span class="num">1</span></span>' in table
    assert table.count("<time-ago>") == 1  # the oldest of what is not delivered


def test_what_is_tried_again_says_since_when(someone: Client, town: SimpleNamespace) -> None:
    from catalog.display.words import moment

    seq, began = order(town), write.now() - 7 * 60 * write.SECOND
    write.hold(town.billing.pk, seq, State.RETRY, due_at=write.now() + write.SECOND, first_at=began)
    write.pass_cursor(town.billing.pk, seq)
    said = f"Billing did not take 1 event yet, since {moment(began):%H:%M}; it is tried again."
    assert said in text(someone.get("/deliveries/"))


def test_a_target_that_falls_behind_is_told_of_and_one_that_rests_on_purpose_is_not(
    someone: Client, town: SimpleNamespace
) -> None:
    order(town, at=write.now() - 60 * write.SECOND)
    assert "falls behind" not in text(someone.get("/deliveries/"))
    order(town)
    write.execute("UPDATE log_event SET received_at = received_at - %s", 10 * 60 * write.SECOND)
    page = text(someone.get("/deliveries/"))
    assert "Billing falls behind: 2 events wait, the oldest since" in page
    assert f'href="/targets/{town.billing.pk}/">Open the target' in page
    Target.objects.update(state="paused")
    assert "falls behind" not in text(someone.get("/deliveries/"))


def test_charts_tell_when_the_trouble_began(someone: Client, town: SimpleNamespace) -> None:
    town.billing.name = "<b>Billing"
    save_target(town.billing)
    refuse(town)
    page = text(someone.get("/deliveries/"))
    assert 'class="trouble"' in page
    assert escape("<b>Billing") in page
    assert "<b>Billing</" not in page


def test_charts_and_figures_are_drawn_from_counts_alone(town: SimpleNamespace) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from delivery.pages.stretch import named
    from delivery.pages.summary import drawn, summary
    from delivery.tracking.folding import fold_counts

    refuse(town)
    write.count_minute(town.billing.pk, minute_of(write.now()) - 3 * DAY, delivered=1)
    fold_counts(time.monotonic() + 60, write.now())
    with CaptureQueriesContext(connection) as asked:
        drawn(summary(named("30d", write.now())))
    statements = [one["sql"] for one in asked]
    assert any("rollup_delivered_hour" in sql for sql in statements)
    assert not [sql for sql in statements if "FROM attempt" in sql or "JOIN attempt" in sql]
