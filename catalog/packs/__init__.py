"""Event types that others describe, to be had when they are wanted: each pack is a package of npm, fixed by its lock.

A pack's folder holds package.json and package-lock.json: exact version and integrity, no address of a registry.
Nothing of a pack is in this repository; `manage.py catalog pack NAME` fetches it into var/packs and registers it.
"""
