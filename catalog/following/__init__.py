"""Who follows what, and how they are told of changes: in the console, as a feed, by mail.

May touch the catalog's models and `catalog.changes`; what runs by itself is started by delivery's sweep.
"""
