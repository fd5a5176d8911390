"""A JSON Schema as types of a programming language, as text to copy: TypeScript, TypedDict, pydantic.

Pure. Schemas are untrusted: no name or description of theirs can leave its string, comment or identifier.
"""

from catalog.schemas.bindings.python import pydantic_models, typed_dicts
from catalog.schemas.bindings.typescript import typescript

__all__ = ["pydantic_models", "typed_dicts", "typescript"]
