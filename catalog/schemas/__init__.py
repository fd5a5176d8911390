"""JSON Schemas of event data: checking what an author wrote, validating events, reading the fields out of a schema.

Pure: no Django, no input or output. Nothing here ever fetches a reference, and no pattern or schema can hang it.
"""
