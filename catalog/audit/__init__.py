"""The audit log: who changed what and when, through the console and the API.

Models are watched, so whoever saves or deletes a row while a person acts leaves a record of it; `objects` says which.
What changes rows in another way (an UPDATE of many, SQL) calls `watching.changed` or `recording.note`.
"""
