"""Who may use the API: permissions, sessions and tokens."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import URLPattern, get_resolver

from catalog.access import SIGNED_IN
from catalog.api.operation import Operation
from catalog.models import Bus, Token
from tests.integration import rows as write
from tests.integration.rules_api.asking import CONVERT, EXPLAIN, PREVIEW, SEK, TEST, answer, ask, event

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_operation_names_a_permission_that_exists() -> None:
    known = {
        f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")
    }
    found = [one for one in _patterns(get_resolver()) if hasattr(one.callback, "cls")]
    assert len(found) >= 4
    for pattern in found:
        view = pattern.callback.cls
        assert issubclass(view, Operation)
        needed = set(view.needs.values()) if isinstance(view.needs, dict) else {view.needs}
        assert needed <= known | {SIGNED_IN}, pattern.name
        assert SIGNED_IN not in needed or pattern.name == "api-elsewhere"


def _patterns(resolver: Any) -> list[URLPattern]:
    listed: list[URLPattern] = []
    for one in resolver.url_patterns:
        listed += [one] if isinstance(one, URLPattern) else _patterns(one)
    return listed


def test_an_operation_that_names_no_permission_is_shut(
    someone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rules.api.patterns.TestPattern.needs", None)
    answer(someone, TEST, {"pattern": {}, "event": event()}, 403)


@pytest.mark.parametrize("url", [TEST, EXPLAIN, PREVIEW, CONVERT, "/api/v1/nothing"])
def test_nobody_gets_in_without_a_session_or_a_token(client: Client, url: str) -> None:
    response = ask(client, url, {})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="signalbox"'
    problem = json.loads(response.content)
    assert problem["type"] == "urn:signalbox:problem:unauthenticated"
    assert "Authorization: Bearer" in problem["detail"]


def test_a_person_needs_the_permission(client: Client, town: SimpleNamespace) -> None:
    user = get_user_model().objects.create_user("visitor")
    client.force_login(user)
    assert "rules.view_rule" in answer(client, TEST, {"pattern": {}, "event": event()}, 403)["detail"]
    user.user_permissions.add(Permission.objects.get(codename="view_rule"))
    assert answer(client, TEST, {"pattern": {}, "event": event()})["matched"] == 1


def test_a_session_alone_needs_its_csrf_token(town: SimpleNamespace) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(get_user_model().objects.create_superuser("mara"))
    assert "CSRF" in answer(strict, TEST, {"pattern": {}, "event": event()}, 403)["detail"]
    strict.get("/rules/")
    token = strict.get("/subscribe/").context["csrf_token"]
    response = ask(strict, TEST, {"pattern": {}, "event": event()}, **{"X-CSRFToken": str(token)})
    assert response.status_code == 200


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def test_a_token_that_may_try_rules_gets_in_without_a_session(town: SimpleNamespace) -> None:
    strict = Client(enforce_csrf_checks=True)
    _, text = Token.issue(name="build", team=town.team, reads=True)
    response = ask(strict, TEST, {"pattern": SEK, "event": event()}, **bearer(text))
    assert json.loads(response.content)["matched"] == 1


def test_a_token_that_only_publishes_reads_nothing(client: Client, town: SimpleNamespace) -> None:
    _, text = Token.issue(name="shop", team=town.team)
    response = ask(client, TEST, {"pattern": SEK, "event": event()}, **bearer(text))
    assert response.status_code == 403
    assert "may publish only" in json.loads(response.content)["detail"]


def test_a_token_for_one_bus_sees_no_other(client: Client, town: SimpleNamespace) -> None:
    other = Bus.objects.create(name="other")
    seq = write.store(town.bus.pk, data={})
    _, text = Token.issue(name="build", team=town.team, bus=other, reads=True)
    for url, body in (
        (TEST, {"pattern": {}, "bus": "main"}),
        (EXPLAIN, {"pattern": {}, "seq": seq}),
        (EXPLAIN, {"rule": town.rule.pk, "event": event()}),
        (PREVIEW, {"transform": {"kind": "complete"}, "seq": seq}),
    ):
        response = ask(client, url, body, **bearer(text))
        assert (response.status_code, "another bus" in response.content.decode()) == (403, True)
    assert ask(client, TEST, {"pattern": {}, "bus": "other"}, **bearer(text)).status_code == 200


@pytest.mark.parametrize(
    "header", ["Basic abc", "Bearer", "Bearer nonsense", "Bearer sbx_1_2", "Bearer sbx_é_x"]
)
def test_a_token_that_is_none_is_refused(client: Client, town: SimpleNamespace, header: str) -> None:
    response = ask(client, TEST, {"pattern": {}, "event": event()}, Authorization=header)
    assert response.status_code == 401


def test_a_revoked_token_is_refused(client: Client, town: SimpleNamespace) -> None:
    from django.utils import timezone

    token, text = Token.issue(name="build", team=town.team, reads=True)
    token.revoked_at = timezone.now()
    token.save()
    assert ask(client, TEST, {"pattern": {}, "event": event()}, **bearer(text)).status_code == 401
