"""JSON Schemas of event data: checking what an author wrote, validating events, reading the fields out of a schema.

`documents` reads whatever a person pastes. Pure: no Django, no input or output. Nothing here ever fetches a reference,
and no pattern, schema or event can hang it (see `cost`).
"""
