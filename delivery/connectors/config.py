"""A connector's settings: one typed class, from which come the JSON Schema, the form, the API and the docs."""

from __future__ import annotations

import base64
import dataclasses
import typing
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self, dataclass_transform
from urllib.parse import unquote

from catalog.said import said
from rules import secrets

DRAFT = "https://json-schema.org/draft/2020-12/schema"


class Secret(str):
    """Text that is never shown: its repr hides it, and the schema marks it `writeOnly`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(****)"


class InvalidConfig(ValueError):
    """Settings that a connector cannot work with. `problems`: a sentence per field, "" for the whole."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{field}: {text}" if field else text for field, text in problems.items()))
        self.problems = dict(problems)


def setting(
    *, default: Any = dataclasses.MISSING, title: str = "", description: str = "", **schema: Any
) -> Any:
    """One field of a Config. `schema`: further JSON Schema keywords (`format`, `minimum`, `maxLength`, …).

    A mutable default (list, dict) is copied for each config.
    """
    metadata = {"title": title, "description": description, "schema": schema}
    if isinstance(default, (list, dict)):
        return dataclasses.field(default_factory=default.copy, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


_SCALARS: dict[Any, str] = {
    str: "string", Secret: "string", bool: "boolean", int: "integer", float: "number"
}  # fmt: skip
_WANTED = {
    "string": said("This must be text."), "boolean": said("This must be true or false."),
    "integer": said("This must be a whole number."), "number": said("This must be a number."),
    "array": said("This must be a list."), "object": said("This must be a table of names and values."),
}  # fmt: skip


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(setting,))
class Config:
    """Base of all settings. A subclass is a frozen dataclass with keyword-only fields made by `setting`.

    Field types: str, Secret, bool, int, float, Literal of strings, list or dict[str, …] of str, Secret, bool, int, float.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        dataclasses.dataclass(kw_only=True, frozen=True, repr=False)(cls)

    def __post_init__(self) -> None:
        for name, hint in type(self).types().items():
            object.__setattr__(self, name, _wrapped(getattr(self, name), hint))

    def __repr__(self) -> str:
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return f"{type(self).__qualname__}({secrets.masked(self.schema(), values)!r})"

    def secret_texts(self) -> list[str]:
        """Every text in it that must not be told: secrets, and user and password of URLs as they are sent, longest first."""
        found: set[str] = set()
        for name, schema in self.schema()["properties"].items():
            value = getattr(self, name)
            if secrets.is_secret(schema):
                found.update(
                    value.values()
                    if isinstance(value, dict)
                    else value
                    if isinstance(value, list)
                    else [value]
                )
            elif secrets.is_url(schema):
                found.update(_of_userinfo(secrets.userinfo(value)))
        # Of two or three characters nobody could tell what is the secret and what only looks alike.
        return sorted((str(one) for one in found if len(str(one)) > 3), key=len, reverse=True)

    def problems(self) -> dict[str, str]:
        """What is wrong beyond types and bounds, a sentence per field. Overridden where there is more to check."""
        return {}

    @classmethod
    def types(cls) -> dict[str, Any]:
        hints = typing.get_type_hints(cls)
        return {field.name: hints[field.name] for field in dataclasses.fields(cls)}

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON Schema (draft 2020-12) of the settings. Secrets are `writeOnly`."""
        types = cls.types()
        properties: dict[str, Any] = {}
        required = []
        for field in dataclasses.fields(cls):
            entry: dict[str, Any] = {
                "title": field.metadata["title"] or field.name.replace("_", " ").capitalize()
            }
            if field.metadata["description"]:
                entry["description"] = field.metadata["description"]
            entry |= _type_schema(types[field.name]) | field.metadata["schema"]
            if field.default is not dataclasses.MISSING:
                entry["default"] = field.default
            elif field.default_factory is not dataclasses.MISSING:
                entry["default"] = field.default_factory()
            else:
                required.append(field.name)
            properties[field.name] = entry
        schema: dict[str, Any] = {"$schema": DRAFT, "type": "object", "properties": properties}
        return schema | {"required": required, "additionalProperties": False}

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Self:
        """The settings in `data` (as stored: JSON). Raises InvalidConfig with a sentence for every field that is wrong."""
        fields = {field.name: field for field in dataclasses.fields(cls)}
        problems: dict[str, str] = {
            name: said("There is no such setting.") for name in data if name not in fields
        }
        schema = cls.schema()
        for name in schema["required"]:
            if name not in data:
                problems[name] = said("This is required.")
        for name, value in data.items():
            if name in fields and (problem := _problem(value, schema["properties"][name])):
                problems[name] = problem
        if problems:
            raise InvalidConfig(problems)
        config = cls(**data)
        if problems := config.problems():
            raise InvalidConfig(problems)
        return config


def _of_userinfo(userinfo: str) -> set[str]:
    """The ways in which user and password of a URL can be told: as written, decoded, and as Basic credentials."""
    if not userinfo:
        return set()
    user, _, password = userinfo.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}"
    basic = base64.b64encode(pair.encode()).decode("ascii")
    return {userinfo, pair, basic, *((password, unquote(password)) if password else (user, unquote(user)))}


def _type_schema(hint: Any) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _type_schema(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type_schema(arguments[1])}
    schema: dict[str, Any] = {"type": _SCALARS[hint]}
    return schema | {"writeOnly": True} if hint is Secret else schema


def _wrapped(value: Any, hint: Any) -> Any:
    """The value with every secret in it made a Secret: the annotation alone would leave a plain str that shows itself."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Secret:
        return Secret(value)
    if origin is list:
        return [_wrapped(item, arguments[0]) for item in value]
    if origin is dict:
        return {key: _wrapped(item, arguments[1]) for key, item in value.items()}
    return float(value) if hint is float else value


def _problem(value: Any, schema: Mapping[str, Any]) -> str | None:
    kind = schema["type"]
    fits = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, (int, float)) and not isinstance(value, bool),
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
    }[kind]
    if not fits:
        return _WANTED[kind]
    if "enum" in schema and value not in schema["enum"]:
        return said("This must be one of %(values)s.", values=", ".join(schema["enum"]))
    if "minimum" in schema and value < schema["minimum"]:
        return said("This must be at least %(least)s.", least=schema["minimum"])
    if "maximum" in schema and value > schema["maximum"]:
        return said("This must be at most %(most)s.", most=schema["maximum"])
    if "minLength" in schema and len(value) < schema["minLength"]:
        if schema["minLength"] == 1:
            return said("This must not be empty.")
        return said("At least %(least)s characters.", least=schema["minLength"])
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        return said("At most %(most)s characters.", most=schema["maxLength"])
    inner = (
        schema.get("items")
        if kind == "array"
        else schema.get("additionalProperties")
        if kind == "object"
        else None
    )
    if inner:
        for place, item in enumerate(value) if kind == "array" else value.items():
            if problem := _problem(item, inner):
                return said("%(place)s: %(problem)s", place=place, problem=problem)
    return None
