#!/usr/bin/env python
"""Django's command line for Signalbox. `manage.py up` starts everything."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError as error:
        if error.name != "django":
            raise
        own = os.path.join(os.path.dirname(os.path.abspath(__file__)), ".venv", "bin", "python")
        how = (
            f"Run it as {own} manage.py …"
            if os.path.exists(own)
            else "Run `make up` once, which makes .venv."
        )
        sys.exit(f"This Python ({sys.executable}) does not have what Signalbox needs. {how}")

    try:
        execute_from_command_line(sys.argv)
    except (
        ImproperlyConfigured
    ) as error:  # what stands in the environment: a sentence says more than a traceback
        sys.exit(f"Signalbox cannot start. {error}")
