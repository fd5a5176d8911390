"""The API for rules: try a pattern, ask why, see what a transform sends. Nothing is saved and nothing is sent.

`patterns` and `transforms` are the operations, `reading` checks what they are asked, `stored` is where events of the log
come from. Who may ask and how it refuses is catalog.api's. docs/api.md describes it.
"""
