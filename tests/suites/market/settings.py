"""The settings of a host whose own test suite is run, as one has them: two databases, a router."""

from __future__ import annotations

import os
from typing import Any

from tests.settings.databases import selected

SECRET_KEY = "only for the tests"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "livecounters",
    "market",
]
if "SUITE_WITHOUT" in os.environ:
    # What the suite costs without us.
    INSTALLED_APPS.remove("livecounters")

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "market.urls"
STATIC_URL = "/static/"

FILE = os.environ.get("SUITE_FILE")


def _default() -> dict[str, Any]:
    chosen = selected()
    if chosen["ENGINE"].endswith("sqlite3"):
        # Without a file the test database is in memory, as it is in most hosts.
        return {**chosen, "NAME": FILE or "market.sqlite3", "TEST": {"NAME": FILE}}
    return {**chosen, "NAME": os.environ.get("SUITE_NAME", "market")}


DATABASES = {
    "default": _default(),
    "other": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "market-other.sqlite3",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    },
}
DATABASE_ROUTERS = ["market.routers.Router"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Both are made anew by the signal after migrate, with other keys.
TEST_NON_SERIALIZED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = True
TIME_ZONE = "Europe/Paris"
