"""The databases that the tests can run on.

The environment says which and where: tests/conftest.py sets it after it has started the server,
and processes that a test starts inherit it.
"""

from __future__ import annotations

import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured


def selected() -> dict[str, Any]:
    name = os.environ.get("LIVECOUNTERS_TEST_DATABASE", "sqlite")
    if name not in DATABASES:
        raise ImproperlyConfigured(
            f"LIVECOUNTERS_TEST_DATABASE is {name!r}, and can be one of {', '.join(DATABASES)}."
        )
    return DATABASES[name]()


def beside() -> dict[str, Any]:
    """A second database of the same kind; few tests use it."""
    settings = selected()
    settings["NAME"] += "_other"
    test = settings.get("TEST", {})
    settings["TEST"] = test | ({"NAME": f"{test['NAME']}_other"} if "NAME" in test else {})
    return settings


def sqlite() -> dict[str, Any]:
    # A file, because other threads and processes see nothing of a database in memory.
    file = _variable("NAME", str(Path(tempfile.gettempdir()) / "livecounters-tests.sqlite3"))
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
        "TEST": {"NAME": file},
    }


def postgresql() -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _variable("NAME", "livecounters"),
        "USER": _variable("USER", ""),
        "HOST": _variable("HOST", ""),
        "PORT": _variable("PORT", ""),
    }


def mariadb() -> dict[str, Any]:
    if find_spec("MySQLdb") is None:
        # Everything that would use it is skipped, but settings must load.
        return sqlite()
    return {
        "ENGINE": "django.db.backends.mysql",
        "NAME": _variable("NAME", "livecounters"),
        "USER": _variable("USER", ""),
        "HOST": _variable("HOST", ""),
        "PORT": _variable("PORT", ""),
        "OPTIONS": {"charset": "utf8mb4"},
        # A collation that takes "a" and "A" for the same, as hosts usually have it.
        "TEST": {"CHARSET": "utf8mb4"},
    }


DATABASES = {"sqlite": sqlite, "postgresql": postgresql, "mariadb": mariadb}


def _variable(name: str, default: str) -> str:
    return os.environ.get(f"LIVECOUNTERS_TEST_DATABASE_{name}", default)
