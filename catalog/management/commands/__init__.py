"""The commands of rules: `manage.py rules`."""
