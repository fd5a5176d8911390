"""What can be wrong with a schema before it is compiled: size, dialect, references, meta-schema."""

from __future__ import annotations

from itertools import islice
from typing import Any, NoReturn

from jsonschema_rs import ValidationError

from catalog.schemas.costs import MOST, looks
from catalog.schemas.dialects import DIALECTS, dialect_of
from catalog.schemas.sentences import sentence
from catalog.schemas.text import Mistake, located, pointer_of

SCHEMA_BYTES = 256 * 1024
SHOWN = 10
# Their values are data, in which a member called $ref means nothing.
_DATA = frozenset({"const", "enum", "default", "examples", "example"})
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def too_large(text: str) -> list[Mistake]:
    """Whether `text` is larger than a schema may be; looked at before it is parsed."""
    size = len(text.encode())
    return [Mistake(f"The schema has {size:,} bytes. At most {SCHEMA_BYTES:,} are allowed.")] * (
        size > SCHEMA_BYTES
    )


def check_parsed(schema: Any, text: str) -> list[Mistake]:
    """The mistakes that show without compiling: kind, dialect, references, meta-schema."""
    if isinstance(schema, bool):
        return []
    if not isinstance(schema, dict):
        return [located(text, "", 'A JSON Schema is an object, such as {"type": "object"}.')]
    dialect = dialect_of(schema)
    if dialect is None:
        known = ", ".join(DIALECTS)
        return [
            located(text, "/$schema", f"This $schema is not supported. Use one of {known}, or leave it out.")
        ]
    return _references(schema, text) or _meta(schema, dialect, text) or _doubling(schema)


def _doubling(schema: dict[str, Any]) -> list[Mistake]:
    """References that make one value cost seconds."""
    if looks(schema) <= MOST:
        return []
    return [
        Mistake(
            f"To validate one value, the parts of this schema would be looked at more than {MOST:,} times: its "
            "references multiply from level to level. Refer to each definition once where it applies."
        )
    ]


def _references(schema: dict[str, Any], text: str) -> list[Mistake]:
    """References that leave the document."""
    found: list[Mistake] = []
    todo: list[tuple[Any, tuple[str | int, ...]]] = [(schema, ())]
    while todo and len(found) < SHOWN:
        item, path = todo.pop()
        if isinstance(item, list):
            todo.extend((child, (*path, index)) for index, child in enumerate(item))
        elif isinstance(item, dict):
            for name, child in item.items():
                if name in _REFERENCES and isinstance(child, str) and not child.startswith("#"):
                    message = (
                        f"{name} “{child[:120]}” points outside this schema, and nothing is fetched. "
                        "Copy what it means into $defs and point to it with #/$defs/…"
                    )
                    found.append(located(text, pointer_of((*path, name)), message))
                elif name not in _DATA or (isinstance(child, dict) and path and path[-1] == "properties"):
                    todo.append((child, (*path, name)))
    return found


def _meta(schema: dict[str, Any], dialect: str, text: str) -> list[Mistake]:
    """What the draft's own meta-schema says against `schema`, all of it."""
    name, validator, meta_schema = DIALECTS[dialect]
    found: dict[str, Mistake] = {}
    for error in islice(validator(meta_schema, retriever=_refuse).iter_errors(schema), SHOWN * 4):
        pointer = pointer_of(list(error.instance_path))
        if pointer not in found:
            found[pointer] = located(text, pointer, f"{_meta_sentence(error)} (JSON Schema {name})")
    return list(found.values())[:SHOWN]


def _meta_sentence(error: ValidationError) -> str:
    if error.instance_path and error.instance_path[-1] == "type":
        return "This is no JSON type. Use string, number, integer, boolean, object, array or null, or a list of them."
    return sentence(error)


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not bundled")
