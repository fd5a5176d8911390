"""Brings what a broker took in into the log: matched against the rules, each event once, a key in its order.

May use: ingest's snapshot of catalog and rules, the log. Nobody but the worker's tasks uses it.
"""
