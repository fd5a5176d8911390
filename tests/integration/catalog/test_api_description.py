"""The API's own description: valid, whole, true, and shown as a page; and who may call what."""

from __future__ import annotations

import json
import re
from html import unescape
from urllib.parse import unquote

import pytest
import yaml
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from jsonschema_path import SchemaPath
from openapi_spec_validator import OpenAPIV31SpecValidator

from catalog.api.describing import document
from catalog.models import Token
from tests.integration.catalog.calls import call, held_to

METHODS = ("get", "post", "put", "patch", "delete")
OPERATIONS = [
    (path, method, operation)
    for path, operations in document()["paths"].items()
    for method, operation in operations.items()
]
IDS = [f"{method} {path}" for path, method, _ in OPERATIONS]


def nothing_from_elsewhere(uri):
    raise AssertionError(f"the document refers to {uri}")


def test_the_document_is_valid_and_stands_alone():
    handlers = dict.fromkeys(("http", "https", "file", ""), nothing_from_elsewhere)
    plain = json.loads(json.dumps(document()))
    spec = SchemaPath.from_dict(plain, handlers=handlers)
    assert list(OpenAPIV31SpecValidator(spec).iter_errors()) == []


def views():
    from django.urls import URLPattern, get_resolver

    def walk(resolver, prefix=""):
        for one in resolver.url_patterns:
            if isinstance(one, URLPattern):
                yield prefix + str(one.pattern), one
            else:
                yield from walk(one, prefix + str(one.pattern))

    for route, pattern in walk(get_resolver()):
        view = getattr(pattern.callback, "cls", None)
        if view is not None and pattern.name != "api-elsewhere":
            yield "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route).replace("{pk}", "{id}"), view


def test_every_operation_is_described_and_no_other():
    there = {(path, method) for path, view in views() for method in METHODS if hasattr(view, method)}
    assert {(path, method) for path, method, _ in OPERATIONS} == there


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=IDS)
def test_an_operation_has_words_and_true_examples(path, method, operation):
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    for parameter in operation.get("parameters", []):
        assert parameter.get("description"), parameter["name"]
    whole = document()
    if body := operation.get("requestBody"):
        media = body["content"]["application/json"]
        (example,) = media["examples"].values()
        held_to(media["schema"], example["value"], whole)
    good = [(status, one) for status, one in operation["responses"].items() if status < "300"]
    assert good
    status, first = good[0]
    if "content" in first:
        for media in first["content"].values():
            (example,) = media["examples"].values()
            held_to(media["schema"], example["value"], whole)
    else:
        assert status == "204"
    assert {"401", "403"} <= set(operation["responses"])


def test_operation_ids_are_used_once():
    names = [operation["operationId"] for *_, operation in OPERATIONS]
    assert len(names) == len(set(names))


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_the_document_is_served(client, person, form):
    response = client.get(f"/api/v1/openapi.{form}")
    read = json.loads if form == "json" else yaml.safe_load
    assert read(response.content) == json.loads(json.dumps(document()))
    assert response["Content-Type"].startswith("application/vnd.oai.openapi")


@pytest.mark.django_db
def test_the_page_shows_every_operation_and_needs_nothing_from_elsewhere(client, person, town, log):
    html = client.get("/api/v1/docs/?open=registerVersion").content.decode()
    for path, _, operation in OPERATIONS:
        assert f'id="{operation["operationId"]}"' in html
        assert path in unescape(html)
    assert html.count('<details class="operation"') == len(OPERATIONS)
    assert re.findall(r'<details class="operation" id="(\w+)" open', html) == ["registerVersion"]
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)
    assert " style=" not in html
    assert "<script>" not in html


# ── who may ──


def address(path):
    names = {
        "name": "order.placed" if "event-types" in path else "main",
        "number": "1",
        "id": "1",
        "target": "1",
        "seq": "1",
    }
    names["slug"] = {"teams": "checkout", "domains": "orders", "sources": "shop"}.get(path.split("/")[3], "x")
    return path.format(**names).removeprefix("/api/v1")


def needed(path, method):
    """The permission of an operation."""
    view = dict(views())[path]
    return view.needs if isinstance(view.needs, str) else view.needs[method.upper()]


def asked(client, path, method, status, **headers):
    body = {} if method in ("post", "put", "patch") else None
    if "openapi" in path:
        assert getattr(client, method)(path, headers=headers).status_code == status
    else:
        call(client, method, address(path), body, status, **headers)


@pytest.mark.django_db
def test_nobody_calls_anything_without_a_session_or_a_token(client, town):
    for path, method, _ in OPERATIONS:
        asked(client, path, method, 401)


@pytest.mark.django_db
def test_without_its_permission_an_operation_is_shut_whatever_else_one_may(client, town):
    person = get_user_model().objects.create_user("jonas")
    for path, method, _ in OPERATIONS:
        app, _dot, codename = needed(path, method).partition(".")
        others = Permission.objects.exclude(codename=codename, content_type__app_label=app)
        person.user_permissions.set(others)
        client.force_login(get_user_model().objects.get(pk=person.pk))
        asked(client, path, method, 403)


@pytest.mark.django_db
def test_with_its_permission_alone_an_operation_lets_one_in(client, town, log):
    person = get_user_model().objects.create_user("jonas")
    town.team.members.add(person)
    for path, method, _ in OPERATIONS:
        app, _dot, codename = needed(path, method).partition(".")
        person.user_permissions.set(Permission.objects.filter(codename=codename, content_type__app_label=app))
        client.force_login(get_user_model().objects.get(pk=person.pk))
        url = "/api/v1" + address(path)
        body = {"data": "{}", "content_type": "application/json"} if method not in ("get", "delete") else {}
        assert getattr(client, method)(url, **body).status_code not in (401, 403, 405, 500), url


@pytest.mark.django_db
def test_tokens_read_if_they_may_and_change_nothing(client, town, log):
    _, publishing = Token.issue(name="shop", team=town.team)
    _, reading = Token.issue(name="build", team=town.team, reads=True)
    for path, method, operation in OPERATIONS:
        asked(client, path, method, 403, Authorization=f"Bearer {publishing}")
        if {"token": []} not in operation["security"] or path.startswith("/api/v1/drafts"):
            asked(client, path, method, 403, Authorization=f"Bearer {reading}")
        else:
            url = "/api/v1" + address(path)
            body = {"data": "{}", "content_type": "application/json"} if method == "post" else {}
            headers = {"Authorization": f"Bearer {reading}"}
            assert getattr(client, method)(url, headers=headers, **body).status_code in (200, 404, 422), url


@pytest.mark.django_db
def test_a_session_without_its_csrf_token_changes_nothing(town):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(get_user_model().objects.create_superuser("mara"))
    for path, method, _ in OPERATIONS:
        if method != "get":
            asked(strict, path, method, 403)


@pytest.mark.django_db
def test_a_method_that_is_not_there_is_told_which_are(client, person, town):
    response = client.delete("/api/v1/teams")
    assert response.status_code == 405
    assert "GET, POST" in json.loads(response.content)["detail"]
    assert unquote(response["Allow"]).startswith("GET, POST")


@pytest.mark.django_db
@pytest.mark.django_db
def test_the_page_says_where_events_are_published(client, person, town):
    page = client.get("/api/v1/docs/").content.decode()
    assert "/v1/buses/{bus}/events" in page
    assert "curl -i http://testserver/v1/buses/main/events" in page
