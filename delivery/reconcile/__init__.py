"""Reconciling: looks for what contradicts the invariants of the data plane's tables, and mends it.

Each check is a query over committed rows and a way to mend what it finds; `work` runs them all, by hand
(`manage.py reconcile`) or each hour. It stands on log/ and runner/; nothing in a healthy Signalbox needs it.
"""
