"""What the exporters make of a catalog: valid, complete, the same every time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from jsonschema_path import SchemaPath
from openapi_spec_validator import OpenAPIV31SpecValidator

from catalog.exports.asyncapi import asyncapi
from catalog.exports.backstage import backstage, tag
from catalog.exports.description import Catalog, values_of
from catalog.exports.envelope import ENVELOPE
from catalog.exports.json_schema import bundle
from catalog.exports.openapi import openapi
from catalog.exports.writing import Members, json_pieces, plain, yaml_pieces
from catalog.exports.xregistry import xregistry
from catalog.schemas.validator import compile_schema
from tests.catalogs import BEYOND_DRAFT_7, CATALOG, SCHEMAS, TYPES, URL
from tests.vectors import REPOSITORY

EXPORTERS: dict[str, Callable[[Catalog], Members]] = {
    "asyncapi": asyncapi,
    "openapi": openapi,
    "bundle": bundle,
    "xregistry": xregistry,
}
PROMISED = [kind for kind in TYPES if kind.name not in ("gone", "coming")]


def written(document: Any) -> Any:
    return json.loads(b"".join(json_pieces(document)))


@pytest.mark.parametrize("name", EXPORTERS)
def test_json_and_yaml_say_the_same_and_always_the_same(name: str) -> None:
    document = EXPORTERS[name](CATALOG)
    text = b"".join(json_pieces(document))
    assert text == b"".join(json_pieces(EXPORTERS[name](CATALOG)))
    assert json.loads(text) == plain(document)
    assert yaml.load(b"".join(yaml_pieces(document)), yaml.CSafeLoader) == json.loads(text)


@pytest.mark.parametrize("name", EXPORTERS)
def test_an_empty_catalog_is_a_document_too(name: str) -> None:
    assert written(EXPORTERS[name](Catalog(URL)))


# ── AsyncAPI ──


def test_every_promised_type_is_a_message_on_the_buses_of_its_sources() -> None:
    document = written(asyncapi(CATALOG))
    messages = document["components"]["messages"]
    assert [one["name"] for one in messages.values()] == [kind.name for kind in PROMISED]
    placed = messages["order.placed.v2"]
    assert placed["x-personal"] == ["customer.email", "lines[].name"]
    assert [one["name"] for one in placed["tags"]] == [
        "orders",
        "Paid by card",
        "gdpr",
        "Ünïcode!",
        "order.placed",
    ]
    assert messages["old.order.v1"]["x-deprecated"] == {
        "effective": "2026-03-04T05:06:07Z",
        "removal": "2027-01-01",
        "successor": "order.placed",
        "reason": "Nobody reads it.",
    }
    assert "order.placed.v2" in document["channels"]["main"]["messages"]
    assert list(document["channels"]["open-bus"]["messages"]) == ["order.placed.v2"]
    assert not any("no.source" in channel["messages"] for channel in document["channels"].values())
    operations = document["operations"]
    assert operations["publish.main.order.placed.v2"]["security"]
    assert "security" not in operations["publish.open-bus.order.placed.v2"]
    assert len(operations) == sum(len(one["messages"]) for one in document["channels"].values())


def test_the_document_of_a_source_holds_what_it_emits_and_nothing_else() -> None:
    document = written(asyncapi(CATALOG, CATALOG.sources[1]))
    assert document["info"]["title"] == "Till"
    assert document["info"]["contact"] == {"name": "Tills: all of them"}
    assert list(document["channels"]) == ["open-bus"]
    assert list(document["components"]["messages"]) == ["order.placed.v2"]
    assert "securitySchemes" not in document["components"]
    example = document["components"]["messages"]["order.placed.v2"]["examples"][0]["payload"]
    assert example["source"] == "https://till.example/1"
    assert example["dataschema"] == f"{URL}/schemas/order.placed/2"


def test_names_that_are_alike_have_keys_of_their_own() -> None:
    messages = written(asyncapi(CATALOG))["components"]["messages"]
    by_name = {message["name"]: key for key, message in messages.items()}
    assert len(by_name) == len(messages) == len(PROMISED)
    assert by_name["order_placed"] == "order_placed.v1"
    assert by_name["order/placed"].startswith("order_placed.v1-")
    assert by_name["order:placed"].startswith("order_placed.v1-")
    assert by_name["a.v1"] != by_name["a"]


@pytest.mark.parametrize("form", ["asyncapi", "openapi"])
def test_every_example_is_an_event_that_fits_what_is_said_of_it(form: str) -> None:
    document = written(EXPORTERS[form](CATALOG))
    validator = jsonschema_rs.Draft7Validator if form == "asyncapi" else jsonschema_rs.Draft202012Validator
    seen = 0
    if form == "asyncapi":
        found = [
            (message["payload"]["schema"], [one["payload"] for one in message.get("examples", [])])
            for message in document["components"]["messages"].values()
        ]
    else:
        bodies = [
            hook["post"]["requestBody"]["content"]["application/cloudevents+json"]
            for hook in document["webhooks"].values()
        ]
        found = [
            (body["schema"], [one["value"] for one in body.get("examples", {}).values()]) for body in bodies
        ]
    for schema, events in found:
        compiled = validator({"components": document["components"], **schema}, offline=True)
        for event in events:
            assert compiled.is_valid(event), event
            assert not compiled.is_valid(event | {"type": "another"})
            assert not compiled.is_valid({name: value for name, value in event.items() if name != "id"})
            seen += 1
    assert seen > 20


@pytest.mark.parametrize("draft", [jsonschema_rs.Draft7Validator, jsonschema_rs.Draft202012Validator])
def test_the_envelope_takes_cloudevents_and_nothing_else(draft: Any) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/a", "type": "b"}
    takes = draft(ENVELOPE, offline=True, validate_formats=True).is_valid
    for more in (
        {},
        {"data": None},
        {"data": {"any": ["thing"]}},
        {"data_base64": "AA=="},
        {"time": "2026-01-01T00:00:00Z", "subject": None, "datacontenttype": "text/plain"},
        {"myext": "x", "another1": 3, "third": True},
    ):
        assert takes(event | more), more
    for more in (
        {"specversion": "0.3"},
        {"id": ""},
        {"source": ""},
        {"type": 1},
        {"time": "yesterday"},
        {"my_ext": "x"},
        {"MyExt": "x"},
        {"myext": {}},
        {"dataschema": "no uri"},
    ):
        assert not takes(event | more), more


# ── OpenAPI ──


def deny(uri: str) -> Any:
    raise AssertionError(f"{uri} is fetched")


def test_the_openapi_document_passes_the_validator_without_a_network() -> None:
    document = written(openapi(CATALOG))
    handlers = dict.fromkeys(("http", "https", "file", "ftp", "data", "", "<all_urls>"), deny)
    OpenAPIV31SpecValidator(SchemaPath.from_dict(document, handlers=handlers)).validate()
    assert list(document["webhooks"]) == [kind.name for kind in PROMISED]
    assert document["webhooks"]["old.order"]["post"]["deprecated"] is True
    operations = [hook["post"]["operationId"] for hook in document["webhooks"].values()]
    assert len(set(operations)) == len(operations)
    # The validator does not look into webhooks, so we do: every schema there compiles, with all it refers to.
    for hook in document["webhooks"].values():
        schema = hook["post"]["requestBody"]["content"]["application/cloudevents+json"]["schema"]
        jsonschema_rs.Draft202012Validator({"components": document["components"], **schema}, offline=True)


# ── JSON Schema ──


@pytest.fixture(scope="module")
def registry() -> jsonschema_rs.Registry:
    document = written(bundle(CATALOG))
    return jsonschema_rs.Registry([(document["$id"], document)])


def at(registry: jsonschema_rs.Registry, address: str) -> Any:
    return jsonschema_rs.Draft202012Validator({"$ref": address}, registry=registry, offline=True)


def test_each_part_of_the_bundle_takes_the_examples_of_its_version(registry: jsonschema_rs.Registry) -> None:
    seen = 0
    for kind in TYPES:
        for version in kind.published:
            part = at(registry, CATALOG.schema_url(kind, version))
            for value in values_of(version.examples):
                assert part.is_valid(value), (kind.name, value)
                seen += 1
    assert seen > 25


def test_a_part_of_the_bundle_refuses_what_its_version_refuses(registry: jsonschema_rs.Registry) -> None:
    for index, (schema, fitting, *rest) in enumerate([*SCHEMAS.values(), *BEYOND_DRAFT_7.values()]):
        own = compile_schema(json.dumps(schema))
        part = at(registry, f"{URL}/schemas/schema.{index}/1")
        unfitting = rest[0] if index < len(SCHEMAS) else []
        for value in [*fitting, *unfitting, 1, "x", {}, [], {"b": 1}, {"a": 1}]:
            assert part.is_valid(value) == own.is_valid(value), (index, value)


def test_drafts_have_no_part_and_what_is_gone_keeps_it() -> None:
    parts = written(bundle(CATALOG))["$defs"]
    assert {"order.placed/1", "order.placed/2", "gone/1"} <= set(parts)
    assert not {"order.placed/3", "coming/1"} & set(parts)


def test_ids_in_two_versions_of_one_schema_do_not_meet() -> None:
    inner = {"properties": {"a": {"$id": "http://example.com/a", "$ref": "#/$defs/b", "$defs": {"b": {}}}}}
    kind = TYPES[0]
    versions = tuple(
        replace(kind.versions[1], number=number, schema=json.dumps(inner | {"title": str(number)}))
        for number in (1, 2)
    )
    one = replace(CATALOG, types=(replace(kind, versions=versions),))
    document = written(bundle(one))
    registry = jsonschema_rs.Registry([(document["$id"], document)])
    assert at(registry, f"{URL}/schemas/order.placed/2").is_valid({"a": 1})
    assert json.dumps(document).count("http://example.com/a") == 0


def test_the_program_of_the_documentation_finds_a_schema_in_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [program] = re.findall(
        r"```python\n(.*?)```", (REPOSITORY / "docs" / "exports.md").read_text(), re.DOTALL
    )
    catalog = replace(CATALOG, url="http://127.0.0.1:8000")
    (tmp_path / "schemas.json").write_bytes(b"".join(json_pieces(bundle(catalog))))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(program, names)
    assert names["validator"].is_valid({"id": "order-1"})
    assert not names["validator"].is_valid({"id": 1})


# ── xRegistry and Backstage ──


def test_ids_of_xregistry_differ_without_looking_at_case() -> None:
    document = written(xregistry(CATALOG))
    ids = [key for group in document["schemagroups"].values() for key in group["schemas"]]
    assert len({key.lower() for key in ids}) == len(ids) == len([kind for kind in TYPES if kind.published])
    assert all(len(key) <= 128 and "/" not in key for key in ids)
    old = document["schemagroups"]["orders"]["schemas"]["old.order"]
    assert (old["versionid"], old["meta"]["defaultversionid"], old["meta"]["defaultversionsticky"]) == (
        "1",
        "1",
        True,
    )
    assert old["meta"]["compatibility"] == "forward"
    assert old["meta"]["deprecated"] == {
        "effective": "2026-03-04T05:06:07Z",
        "removal": "2027-01-01T00:00:00Z",
        "alternative": f"{URL}/schemas/order.placed",
        "documentation": f"{URL}/events/old.order/",
    }


def test_backstage_is_told_of_groups_domains_and_apis_with_their_documents() -> None:
    entities = list(backstage(CATALOG))
    assert [one["kind"] for one in entities] == ["Group"] * 2 + ["Domain"] * 2 + ["API"] * 4
    # Nobody keeps parcels, and the team with most types there does.
    assert entities[3]["spec"] == {"owner": "shop-team"}
    shop, till, lab, silent = entities[4:]
    assert yaml.safe_load(till["spec"]["definition"]) == written(asyncapi(CATALOG, CATALOG.sources[1]))
    assert [one["spec"]["lifecycle"] for one in (shop, till, lab, silent)] == [
        "production",
        "production",
        "experimental",
        "experimental",
    ]
    assert len(silent["metadata"]["name"]) == 63
    assert shop["metadata"]["tags"] == ["gdpr", "n-code", "order-placed", "orders", "paid-by-card", "parcels"]


@pytest.mark.parametrize(
    ("text", "wanted"), [("Paid by card", "paid-by-card"), ("c++", "c++"), ("—", ""), ("a" * 80, "a" * 63)]
)
def test_a_tag_becomes_one_that_backstage_takes(text: str, wanted: str) -> None:
    assert tag(text) == wanted
