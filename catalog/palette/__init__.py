"""The command palette and the keys: where to go, what to do, what can be found, and by which keys.

Rooms above register what they have when Django starts. Nothing is listed that the person may not see.
"""
