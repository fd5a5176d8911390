"""The catalog: teams, tokens, sources, event types, schemas, buses and the marketplace pages.

The lowest room with Django in it. It may use nothing of rules/ or delivery/.
"""
