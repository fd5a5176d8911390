"""Lighthouse's marks for three pages of the console: `python -m tests.lighthouse`."""
