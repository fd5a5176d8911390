"""The xRegistry document fits the schema that xRegistry publishes, and points at nothing that is not there."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from catalog.exports.writing import json_pieces
from catalog.exports.xregistry import xregistry
from tests.catalogs import CATALOG


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(b"".join(json_pieces(xregistry(CATALOG))))


@pytest.fixture(scope="module")
def validator(xregistry_schema: Any) -> Any:
    """Without formats: it says uri where its own samples have references within the document."""
    return jsonschema_rs.Draft7Validator(xregistry_schema, offline=True, validate_formats=False)


def test_the_document_fits(validator: Any, document: Any) -> None:
    assert [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schemagroups",), []),
        (("messagegroups", "shop", "messages", "order.placed", "envelopemetadata", "type", "value"), 1),
        (("endpoints", "bus-main", "usage"), "producer"),
        (("endpoints", "bus-main", "protocoloptions", "endpoints"), {}),
    ],
)
def test_the_schema_does_find_what_is_wrong(validator: Any, document: Any, path: Any, value: Any) -> None:
    spoilt = json.loads(json.dumps(document))
    inner = spoilt
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    assert not validator.is_valid(spoilt)


def test_every_reference_leads_somewhere(document: Any) -> None:
    def there(address: str) -> bool:
        item = document
        for part in address.split("/")[1:]:
            if part not in item:
                return False
            item = item[part]
        return True

    messages = [one for group in document["messagegroups"].values() for one in group["messages"].values()]
    assert all(there(one["dataschemauri"]) for one in messages if "dataschemauri" in one)
    assert all(there(one) for end in document["endpoints"].values() for one in end["messagegroups"])
    for group in document["schemagroups"].values():
        for schema in group["schemas"].values():
            assert schema["meta"]["defaultversionid"] in schema["versions"]
            assert [one["versionid"] for one in schema["versions"].values() if one["isdefault"]] == [
                schema["versionid"]
            ]
            assert all(one["ancestorid"] in schema["versions"] for one in schema["versions"].values())
