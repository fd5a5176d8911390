"""Loading the demo: through the forms' code, once, and again without harm."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog.models import Bus, Domain, EventType, SchemaVersion, Source, Token
from delivery.connectors.registry import connector
from delivery.demo import receivers, town, welcome
from delivery.models import RequestBin, Switch
from rules import engine
from rules.models import Rule, RuleRevision, Target, TargetRevision

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var(tmp_path: Path, settings: Any) -> Path:
    settings.VAR = tmp_path
    # A password of a real strength takes half a second to hash.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return tmp_path


def counts() -> dict[str, int]:
    models = (
        User,
        Bus,
        Domain,
        EventType,
        SchemaVersion,
        Source,
        Token,
        RequestBin,
        Switch,
        Rule,
        RuleRevision,
    )
    return {model.__name__: model._default_manager.count() for model in (*models, Target, TargetRevision)}


def test_the_demo_fills_an_empty_signalbox() -> None:
    assert town.is_empty()
    town.load()
    found = counts()
    assert not town.is_empty()
    assert (found["EventType"], found["Source"], found["Domain"], found["Rule"], found["Target"]) == (
        14,
        8,
        5,
        4,
        4,
    )
    assert Bus.objects.get(name="demo-bus").open_publishing


def test_its_user_signs_in_and_its_token_fits(var: Path) -> None:
    facts = town.load()
    user = authenticate(username=facts["user"], password=facts["password"])
    assert user is not None
    assert user.has_perm("delivery.change_switch")
    token = Token.objects.get(public_id=facts["token"].split("_", 2)[1])
    assert token.fits(facts["token"])
    assert token.bus is not None
    assert token.bus.name == facts["bus"]
    assert stat.S_IMODE((var / "demo.json").stat().st_mode) == 0o600
    assert welcome.banner_facts() == facts


def test_loading_it_again_changes_nothing_and_keeps_the_password() -> None:
    first = town.load()
    before = counts()
    assert town.load() == first
    assert counts() == before
    assert authenticate(username=first["user"], password=first["password"]) is not None


def test_what_a_person_changed_stays_when_it_is_loaded_again() -> None:
    town.load()
    EventType.objects.filter(name="order.placed").update(summary="Mine now.")
    town.load()
    assert EventType.objects.get(name="order.placed").summary == "Mine now."


def test_a_lost_facts_file_gives_a_new_password_that_works(var: Path) -> None:
    first = town.load()
    (var / "demo.json").unlink()
    second = town.load()
    assert second["password"] != first["password"]
    assert authenticate(username="demo", password=second["password"]) is not None


def test_a_facts_file_whose_database_is_gone_is_used_again() -> None:
    facts = town.load()
    User.objects.all().delete()
    Token.objects.all().delete()
    assert town.load() == facts
    assert authenticate(username="demo", password=facts["password"]) is not None
    assert Token.objects.get(public_id=facts["token"].split("_", 2)[1]).fits(facts["token"])


def test_if_empty_leaves_alone_what_somebody_uses() -> None:
    Bus.objects.create(name="mine")
    call_command("demo", if_empty=True)
    assert counts()["User"] == 0
    assert welcome.banner_facts() is None


def test_a_name_that_is_taken_is_said_and_nothing_is_loaded() -> None:
    Domain.objects.create(name="Orders", slug="ours", badge="OU")
    with pytest.raises(CommandError, match="does not fit beside what is here"):
        call_command("demo")
    assert counts()["User"] == counts()["Bus"] == 0
    assert not welcome.is_loaded()


def test_patterns_transforms_and_configs_are_what_the_engine_and_the_connectors_take() -> None:
    town.load()
    for rule in Rule.objects.all():
        assert engine.validate(rule.pattern) == [], rule.name
    for target in Target.objects.all():
        engine.compile_transform(target.transform)
        settings = connector(target.connector).Config.load(target.config)
        assert settings.problems() == {}, target.name


def test_the_rules_take_what_their_names_say() -> None:
    town.load()
    matcher = engine.compile((rule.pk, rule.pattern) for rule in Rule.objects.all())
    names = dict(Rule.objects.values_list("pk", "name"))

    def taken(type_name: str, data: dict[str, Any] | None = None) -> set[str]:
        attributes = {"specversion": "1.0", "id": "1", "source": "/s", "type": type_name}
        return {names[pk] for pk in matcher.match(engine.Event(attributes, json.dumps(data or {}).encode()))}

    assert taken("order.placed") == {"Pick and pack", "Orders to Billing"}
    assert taken("order.cancelled") == {"Pick and pack"}
    assert taken("parcel.delayed") == {"Parcel watch"}
    assert taken("signal.changed", {"colour": "red"}) == {"Replan around red lights"}
    assert taken("signal.changed", {"colour": "green"}) == set()
    assert taken("congestion.measured") == set()


@pytest.mark.parametrize(
    ("order", "status"), [("order-28193344", 200), ("order-28193344-store-0042", 422)], ids=["web", "store"]
)
async def test_billing_refuses_the_invoice_of_a_store_order(order: str, status: int) -> None:
    data = {
        "order_id": order,
        "total": {"amount": 1249.0, "currency": "SEK"},
        "customer": {"id": "6c84fb90"},
    }
    event = engine.Event(
        {"specversion": "1.0", "id": "1", "source": "/s", "type": "order.placed"}, json.dumps(data).encode()
    )
    invoice = engine.compile_transform({"kind": "template", "template": town.INVOICE}).apply(event)
    answered, document = await receivers.billing(invoice.body)
    assert answered == status
    if status == 422:
        assert document == {"errors": [{"field": "invoice_ref", "message": "longer than 20 characters"}]}


def test_targets_follow_the_address_but_not_a_person_s_own(settings: Any) -> None:
    town.load()
    billing = Target.objects.get(name="Billing")
    billing.config = {**billing.config, "url": "https://billing.example.com/invoices"}
    billing.save()
    settings.PORT = 8123
    assert town.follow_address() == 2
    assert town.follow_address() == 0
    urls = {target.name: target.config["url"] for target in Target.objects.all()}
    assert urls["Warehouse"] == "http://127.0.0.1:8123/demo/receivers/warehouse"
    assert urls["Billing"] == "https://billing.example.com/invoices"
    assert urls["Parcel watch"] == f"http://127.0.0.1:8000/bin/{RequestBin.objects.get().address}/"


def test_a_token_that_works_is_kept_and_one_that_was_revoked_or_deleted_is_replaced() -> None:
    first = town.load()["token"]
    assert not town.renew_token()
    Token.objects.update(revoked_at=timezone.now())
    assert town.renew_token()
    facts = welcome.banner_facts()
    assert facts is not None
    assert facts["token"] != first
    found = town.token_of(facts)
    assert found is not None
    assert found.revoked_at is None
    assert found.bus is not None
    assert found.bus.name == "demo-bus"
    Token.objects.all().delete()
    assert town.token_of(facts) is None
    call_command("demo", if_empty=True)
    facts = welcome.banner_facts()
    assert facts is not None
    assert town.token_of(facts) is not None
    assert authenticate(username=facts["user"], password=facts["password"]) is not None


def test_without_its_bus_the_demo_gets_no_token() -> None:
    first = town.load()
    Bus.objects.filter(name="demo-bus").update(name="other")
    Token.objects.all().delete()
    assert not town.renew_token()
    assert welcome.banner_facts() == first


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("box.example", "http://box.example:8000"),
    ],
)
def test_the_base_url_is_one_this_machine_reaches(settings: Any, host: str, url: str) -> None:
    settings.HOST, settings.PORT = host, 8000
    assert welcome.base_url() == url
