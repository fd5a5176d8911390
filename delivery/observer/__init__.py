"""The observer: follows the log a few seconds behind its head and notes what events look like, and who sends them.

`reading` reads a part of the log and chooses samples, `noting` turns it into rows, `work` does both in turn as a
control job; `scrubbing` takes out what has become personal. It stands on delivery/log's tables and on catalog/; it never touches the way of an event.
"""
