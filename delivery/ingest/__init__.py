"""Ingest: a raw ASGI application beside Django that takes CloudEvents over HTTP and answers after the durable commit.

`snapshot` is what it knows of catalog and rules, `pipeline` checks, matches and stores, `app` speaks HTTP.
It stands on delivery/log and delivery/cloudevents, catalog/ and rules/.
"""
