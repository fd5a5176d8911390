"""The demo: a small town whose shop, carriers, streets and people send real events through the real ingest.

`town` makes its catalog and rules, `stories` says what happens there, `generator` posts it, `receivers` are its targets.
Nothing outside this room knows about the demo but the wiring, the banner of `manage.py up` and the console's welcome.
"""
