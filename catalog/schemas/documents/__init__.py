"""Reads whatever a person pastes into the register form: what it is, and the event types it describes.

`read_document(text)` → `Document(kind, version, title, candidates, mistakes)`; it never raises.
A `Candidate` has name, source, title, summary, docs, tags, examples (JSON texts), origin, pointer and line, and, worked
out when first asked for, `schema` (JSON text that stands alone; "" for a pasted example), `dialect` and `problems`.
A `Mistake` (catalog.schemas.text) has message, pointer, line and column; `str(mistake)` begins with the line.
`Kind` and `Origin` are texts. `needs_long_check(text)`: read it in a job. `as_openapi(schema)`: a JSON Schema as a
component of OpenAPI.

May use catalog.schemas; opens no socket and no file, and every text ends in bounded time (docs/schemas.md).
"""

from catalog.schemas.documents.as_openapi import as_openapi
from catalog.schemas.documents.document import Candidate, Document, Kind, Origin
from catalog.schemas.documents.reading import needs_long_check, read_document

__all__ = ["Candidate", "Document", "Kind", "Origin", "as_openapi", "needs_long_check", "read_document"]
