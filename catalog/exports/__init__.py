"""The catalog told to other tools: AsyncAPI, OpenAPI, xRegistry, JSON Schema, Backstage.

Exporters are pure functions over `description`; only `reading` knows the database. Nothing here fetches anything.
The same catalog gives the same bytes.
"""
