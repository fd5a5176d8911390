"""Django's SQLite backend with a kernel file lock before every write, so that writers queue instead of starving."""
