"""The console's languages: catalogues made ready when a process starts, who is answered in which, what lacks words.

How to translate, and the words to use: docs/translating.md. The catalogues stand in config/locale.
"""
