"""The log: an append-only, ordered record of events per bus, with the routes of each event in the same commit.

`interface` says what a log can do; `sqlite` and `postgresql` do it; `writer` groups what arrives into commits.
It may use catalog/ and rules/ for rows and stamps; ingest and runner stand on it.
"""
