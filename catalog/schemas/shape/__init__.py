"""The shape of an event type's data as traffic shows it: accumulated within bounds, proposed as a schema, compared.

Pure, like all of catalog.schemas. Holds counts; values only where they are few, short and not sensitive.
"""

from catalog.schemas.shape.accumulator import BYTES, Shape, StoredShapeUnreadable
from catalog.schemas.shape.drift import Drift, drift
from catalog.schemas.shape.notes import Note
from catalog.schemas.shape.personal import Suspect, guarded, suspects
from catalog.schemas.shape.proposal import Proposal, propose, propose_from_example
from catalog.schemas.shape.rows import Row, seen

__all__ = [
    "BYTES",
    "Drift",
    "Note",
    "Proposal",
    "Row",
    "Shape",
    "StoredShapeUnreadable",
    "Suspect",
    "drift",
    "guarded",
    "propose",
    "propose_from_example",
    "seen",
    "suspects",
]
