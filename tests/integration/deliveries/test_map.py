"""The map: who tells whom, in focus, as a table, as a file; empty, large, and for whom."""

from __future__ import annotations

import html
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from delivery.tracking.words import State
from tests.integration import rows as write
from tests.integration.deliveries.billing import order, refuse, text
from tests.integration.deliveries.drawn import count_source, links, lit, read, table

if TYPE_CHECKING:
    from django.test import Client

# The log commits by itself, so its rows are not undone with a test's transaction.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("new_reader")]


def test_the_map_joins_source_type_rule_and_target(someone: Client, town: SimpleNamespace, shop: Any) -> None:
    page = someone.get("/map/")
    target = f"target:{town.billing.pk}"
    assert lit(page) == {"source:/shop", "type:order.placed", f"rule:{town.rule.pk}", target}
    assert "Map: 1 source, 1 event type, 1 rule, 1 target." in text(page)
    assert links(page)[target].get("aria-label") == "Billing, target, Healthy"
    assert "s3cret" not in text(page)


def test_the_rail_leads_to_the_map(someone: Client, town: SimpleNamespace) -> None:
    assert re.search(r'<a href="/map/" aria-current="page">', text(someone.get("/map/")))


def test_rates_are_those_of_the_last_minutes(someone: Client, town: SimpleNamespace, shop: Any) -> None:
    for _ in range(12):
        order(town)
    write.count_minute(town.billing.pk, write.now() // 60_000_000, delivered=6)
    found = read()
    assert found.rate("order.placed") == pytest.approx(12 / 5.5, rel=0.1)
    assert found.passed([town.billing.pk]) == pytest.approx(6 / 5.5, rel=0.1)
    assert found.emitters["order.placed"] == (("/shop", 1.0),)


def test_what_is_not_registered_but_sent_is_on_the_map(
    someone: Client, town: SimpleNamespace, shop: Any
) -> None:
    order(town, type="parcel.lost", source="/van/7")
    count_source("/van/7", "parcel.lost", 1)
    count_source("/van/7", "order.placed", 1)
    count_source("/shop", "order.placed", 3)
    found = read()
    assert found.types["parcel.lost"] is None
    assert dict(found.emitters["order.placed"]) == {"/shop": 0.75, "/van/7": 0.25}
    page = someone.get("/map/?focus=source:/van/7")
    assert {"source:/van/7", "type:parcel.lost", "type:order.placed"} <= lit(page)
    assert "nobody: it is not registered" in text(page)


def test_targets_of_one_name_and_place_are_one_terminus(someone: Client, town: SimpleNamespace) -> None:
    from rules.models import Rule, Target
    from rules.revisions import subscribe

    other = Rule(
        name="All orders", bus=town.rule.bus, team=town.rule.team, pattern={"type": ["order.placed"]}
    )
    second = Target(name="Billing", connector="http", config=town.billing.config)
    subscribe(other, second)
    third = Target(name="Billing", connector="http", config={"url": "http://127.0.0.1:8999/other"})
    subscribe(Rule(name="Elsewhere", bus=other.bus, team=other.team, pattern={}), third)
    page = someone.get(f"/map/?focus=target:{second.pk}")
    assert {f"target:{town.billing.pk}", f"rule:{town.rule.pk}", f"rule:{other.pk}"} <= lit(page)
    assert f"target:{third.pk}" not in lit(page)
    assert "from 2 rules" in text(page)


def test_signalboxs_own_events_are_on_the_map_only_when_asked_for(
    someone: Client, town: SimpleNamespace, shop: Any
) -> None:
    from catalog import system
    from catalog.changes import KINDS
    from catalog.models import Bus
    from rules.models import Rule, Target
    from rules.revisions import subscribe

    system.ensure()
    own = "type:dev.signalbox.type.deprecated"
    page = someone.get("/map/")
    assert "Map: 1 source, 1 event type, 1 rule, 1 target." in text(page)
    switch = f"""href="/map/?own=1">Signalbox's own events <span class="n"><span class="num">{len(KINDS)}<"""
    assert switch in html.unescape(text(page))
    assert "domain=signalbox" not in text(page)
    page = someone.get("/map/?own=1")
    assert {own, "source:/signalbox/catalog", "type:order.placed"} <= lit(page)
    assert "domain=signalbox" in text(page)
    assert own in lit(someone.get("/map/?domain=signalbox"))
    assert "type:order.placed" not in links(someone.get("/map/?domain=signalbox"))
    assert own in lit(someone.get(f"/map/?focus={own}")), "what is followed is shown"
    news = Rule(
        name="News", bus=Bus.objects.get(name="system"), team=town.rule.team, pattern={"type": [own[5:]]}
    )
    subscribe(news, Target(name="Chat", connector="http", config={"url": "http://127.0.0.1:8999/chat"}))
    plain = links(someone.get("/map/"))
    assert f"rule:{news.pk}" in plain, "what a person made stays"
    assert own not in plain
    assert {own, f"rule:{news.pk}"} <= lit(someone.get(f"/map/?focus=rule:{news.pk}"))
    assert own not in links(someone.get(f"/map/?focus=rule:{town.rule.pk}"))


def test_a_rule_takes_nothing_from_another_bus(someone: Client, town: SimpleNamespace, shop: Any) -> None:
    from catalog.models import Bus
    from rules.models import Rule, Target
    from rules.revisions import subscribe

    elsewhere = Bus.objects.create(name="elsewhere")
    rule = Rule(name="Everything there", bus=elsewhere, team=town.rule.team, pattern={})
    subscribe(rule, Target(name="Lake", connector="http", config={"url": "http://127.0.0.1:8999/lake"}))
    assert read().takers["order.placed"] == (town.rule.pk,)
    write.store(elsewhere.pk)
    assert set(read().takers["order.placed"]) == {town.rule.pk, rule.pk}


def test_a_rule_that_is_switched_off_is_not_on_the_map(
    someone: Client, town: SimpleNamespace, shop: Any
) -> None:
    from rules.revisions import save_rule

    assert len(lit(someone.get("/map/"))) == 4
    town.rule.enabled = False
    save_rule(town.rule)
    page = someone.get(f"/map/?focus=rule:{town.rule.pk}")
    assert lit(page) == {"source:/shop", "type:order.placed"}
    assert f"“rule:{town.rule.pk}” is not on this map." in text(page)


@pytest.mark.parametrize(
    ("focus", "words"),
    [
        ("type:order.placed", "1 target would hear nothing of it."),
        ("source:web-shop", "1 target would hear nothing of it."),
        ("source:/shop", "Open source"),
        ("domain:orders", "Open its shelf"),
    ],
)
def test_focus_leads_both_ways_and_the_rest_steps_back(
    someone: Client, town: SimpleNamespace, shop: Any, focus: str, words: str
) -> None:
    from catalog.models import Domain, EventType, Team

    people = Domain.objects.create(name="People", slug="people", badge="PE", hue=5)
    EventType.objects.create(name="employee.joined", summary="New.", domain=people, team=Team.objects.get())
    page = someone.get("/map/", {"focus": focus})
    assert lit(page) == {
        "source:/shop",
        "type:order.placed",
        f"rule:{town.rule.pk}",
        f"target:{town.billing.pk}",
    }
    assert "type:employee.joined" in links(page)
    assert words in text(page)


def test_trouble_has_a_shape_a_word_and_a_dotted_line(
    someone: Client, town: SimpleNamespace, shop: Any
) -> None:
    assert "Only trouble" not in text(someone.get("/map/"))
    seq = refuse(town)
    page = someone.get("/map/?trouble=1")
    target = links(page)[f"target:{town.billing.pk}"]
    assert target.get("aria-label") == "Billing, target, Refusing"
    assert target.find("path[@class='bad']") is not None
    assert 'class="ln fail bad"' in text(page)
    assert re.search(r'Only trouble <span class="n"><span class="num">1<', text(page))
    side = text(someone.get(f"/map/?focus=target:{town.billing.pk}"))
    assert f'href="/journey/{seq}/"' in side
    assert "Nothing is lost for 30 days." in side


def test_a_type_whose_events_do_not_fit_is_in_trouble(
    someone: Client, town: SimpleNamespace, shop: Any
) -> None:
    write.store(town.bus, valid=0)
    page = someone.get("/map/?trouble=1")
    assert "100% do not fit" in (links(page)["type:order.placed"].get("aria-label") or "")


def test_a_retrying_target_is_a_warning(someone: Client, town: SimpleNamespace) -> None:
    write.hold(town.billing.pk, order(town), State.RETRY)
    assert 'class="ln fail warn"' in text(someone.get("/map/"))


def test_nothing_in_trouble_says_so(someone: Client, town: SimpleNamespace) -> None:
    assert "Nothing is in trouble." in text(someone.get("/map/?trouble=1"))


def test_lines_can_be_chosen(someone: Client, town: SimpleNamespace, shop: Any) -> None:
    from catalog.models import Domain, EventType, Team

    people = Domain.objects.create(name="People", slug="people", badge="PE", hue=5)
    EventType.objects.create(name="employee.joined", summary="New.", domain=people, team=Team.objects.get())
    assert lit(someone.get("/map/?domain=people")) == {"type:employee.joined"}
    both = someone.get("/map/?domain=people&domain=orders")
    assert {"type:employee.joined", "type:order.placed"} <= lit(both)
    assert 'href="/map/?domain=people"' in text(both)
    hidden = someone.get(f"/map/?domain=people&focus=rule:{town.rule.pk}")
    assert lit(hidden) == {"type:employee.joined"}
    assert "is not on this map." in text(hidden)
    assert "Nothing runs on this line." in text(someone.get("/map/?domain=nowhere"))


def test_the_table_says_the_same_and_can_be_sorted(someone: Client, town: SimpleNamespace, shop: Any) -> None:
    from catalog.models import Domain, EventType, Source, Team

    team = Team.objects.get()
    EventType.objects.create(name="a.first", summary="New.", domain=Domain.objects.get(), team=team)
    Source.objects.create(name="Silent", slug="silent", uri="/silent", bus=shop.bus, team=team)
    order(town)
    told = ["order.placed", "some", "Web shop", "Swedish orders", "Billing", "0", "Healthy"]
    first = ["a.first", "0", "–", "nobody listens", "", "", "no events yet"]
    rows = table(someone.get("/map/?view=table"))
    assert rows[:2] == [first, told]
    assert rows[2][0] == "emits nothing"
    by_rate = someone.get("/map/?view=table&sort=-rate")
    assert table(by_rate)[0] == told
    assert 'aria-sort="descending"' in text(by_rate)
    assert table(someone.get("/map/?view=table&sort=nonsense")) == rows
    assert table(someone.get("/map/?view=table&focus=type:order.placed")) == [told]


def test_the_file_stands_alone(someone: Client, town: SimpleNamespace, shop: Any) -> None:
    answer = someone.get(f"/map/map.svg?focus=target:{town.billing.pk}")
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["Content-Disposition"] == 'attachment; filename="signalbox-map.svg"'
    root = ElementTree.fromstring(answer.content)
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Web shop", "order.placed", "Swedish orders", "Billing"} <= set(texts)
    assert b"<style>" in answer.content


def test_following_lists_what_is_called_so_or_leads_there(
    someone: Client, town: SimpleNamespace, shop: Any
) -> None:
    found = text(someone.get("/map/find/?q=ORD", headers={"HX-Request": "true"}))
    assert "/map/?focus=type:order.placed" in found
    assert f"/map/?focus=rule:{town.rule.pk}" in found
    assert "Nothing is called “zz”." in text(someone.get("/map/find/?q=zz", headers={"HX-Request": "true"}))
    assert someone.get("/map/find/?q=bill").headers["Location"] == f"/map/?focus=target:{town.billing.pk}"
    assert "Follow something" in text(someone.get("/map/find/"))


def test_the_drawing_is_fetched_alone_with_its_panel(
    someone: Client, town: SimpleNamespace, shop: Any
) -> None:
    headers = {"HX-Request": "true", "HX-Target": "map-drawing"}
    page = text(someone.get("/map/?focus=type:order.placed", headers=headers))
    assert page.lstrip().startswith("<svg")
    assert 'hx-swap-oob="true"' in page
    assert "<html" not in page


def test_a_large_map_shows_the_busiest_and_the_others_by_domain(
    someone: Client, town: SimpleNamespace, shop: Any
) -> None:
    from catalog.models import Domain, EventType, Team

    domain, team = Domain.objects.get(), Team.objects.get()
    made = [EventType(name=f"t.{n:03}", summary="One.", domain=domain, team=team) for n in range(60)]
    EventType.objects.bulk_create(made)
    for one in EventType.objects.filter(name__startswith="t."):
        one.sources.add(shop)
    order(town, type="t.059")
    page = someone.get("/map/")
    found = links(page)
    assert {"type:t.059", "domain:orders"} <= found.keys()
    assert len([key for key in found if key.startswith("type:")]) == 36
    assert found["domain:orders"].get("aria-label") == "Orders, 25 more types · nothing now"
    assert 'href="/map/?show=120"' in text(page)
    assert len([key for key in links(someone.get("/map/?show=120")) if key.startswith("type:")]) == 61
    # A neighbourhood is shown whole, and without what is not part of it.
    near = links(someone.get("/map/?focus=source:web-shop"))
    assert len([key for key in near if key.startswith("type:")]) == 61
    assert links(someone.get("/map/?focus=type:t.001")).keys() == {"type:t.001", "source:/shop"}


def test_an_address_that_makes_no_sense_shows_the_whole_map(someone: Client, town: SimpleNamespace) -> None:
    for query in (
        "focus=rule:x",
        "focus=",
        "focus=nothing",
        "show=99999999999",
        "show=-1",
        "focus=target:%C2%B2",
        "page=z",
    ):
        assert "type:order.placed" in links(someone.get(f"/map/?{query}"))


def test_a_new_signalbox_has_nothing_to_draw(client: Client) -> None:
    from django.contrib.auth import get_user_model

    client.force_login(get_user_model().objects.create_superuser("mara"))
    page = text(client.get("/map/"))
    assert "There is nothing to draw yet." in page
    assert "Send a first event" in page
    assert client.get("/map/map.svg").status_code == 200


@pytest.mark.parametrize("path", ["/map/", "/map/find/?q=a", "/map/map.svg"])
def test_the_map_is_for_those_who_may_see_targets(client: Client, town: SimpleNamespace, path: str) -> None:
    from django.contrib.auth import get_user_model

    assert client.get(path).status_code == 302
    client.force_login(get_user_model().objects.create_user("nobody"))
    assert client.get(path).status_code == 403


def test_what_is_registered_is_read_again_when_it_changes(
    someone: Client, town: SimpleNamespace, shop: Any, django_assert_max_num_queries: Any
) -> None:
    from delivery.tracking import topology

    read()
    with django_assert_max_num_queries(13):
        read()
    first = topology.reader.registered()
    assert topology.reader.registered() is first
    shop.name = "Shop of shops"
    shop.save()
    assert topology.reader.registered().sources["/shop"].name == "Shop of shops"
