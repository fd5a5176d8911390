"""Backfill: a new target that starts in the past, at a time, at an event or at the oldest one kept.

`jobs` starts and cancels, `work` routes what is past in small parts, `counting` says before saving how much it is.
It stands on delivery/log's tables and on rules/; the runner and the pages read its rows.
"""

from delivery.backfill.counting import count_past
from delivery.backfill.jobs import AlreadyLive, cancel, start
from delivery.backfill.since import NotInThePast

__all__ = ["AlreadyLive", "NotInThePast", "cancel", "count_past", "start"]
