"""Rules and their targets: what a rule keeps, how an event is sent on, and the pages where people edit that.

`engine/` is pure (no Django). Rules may use `catalog`; delivery and config are above and never imported here.
"""
