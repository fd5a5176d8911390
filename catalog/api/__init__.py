"""The REST API of the catalog, and what every operation of the API stands on: who may ask, how it refuses, how it is told.

`access`, `asking`, `operation`, `paging`, `problem` and `describing` are the ground, also for rules.api above it. The
other modules are the operations, one for each kind of thing. docs/api.md and docs/api-catalog.md describe them.
"""
