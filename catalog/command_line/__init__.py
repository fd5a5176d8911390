"""What `manage.py catalog` is made of: asking here or a Signalbox elsewhere, and telling people, programs and GitHub.

`reading` reads files, `remote` asks over the API, `telling` writes what was found. None of them opens the database.
"""
