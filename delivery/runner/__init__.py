"""The runner: moves targets forward. Shifts lease lane groups, read routed events, send them and record what happened.

`shift` is the event loop, `progress` one target's state in memory (pure), `store` the SQL in its parts (leasing, reading,
recording, flights, suspects), `policy` the waiting times, `alone` what is sent while nothing else is.
It stands on delivery/log's tables and delivery/connectors; pages only read what it writes.
"""
