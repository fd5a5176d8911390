"""The API for rules: try a pattern, ask why, see what a transform sends. Nothing is saved and nothing is sent.

`patterns` and `transforms` are the operations, `reading` checks what they are asked, `access` who may ask, `problem`
how they refuse, `stored` where events of the log come from. docs/api.md describes it.
"""
