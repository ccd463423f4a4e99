"""The settings of the test project.

``LIVECOUNTERS_TEST_DATABASE`` names the database; see ``tests.settings.databases``.
"""

from __future__ import annotations

import os
from typing import Any

from tests.settings.databases import beside, selected

SECRET_KEY = "only for the tests"
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "livecounters",
    "tests.host",
    "tests.zoo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

ROOT_URLCONF = "tests.urls"
STATIC_URL = "/static/"

DATABASES = {"default": selected(), "other": beside()}
DATABASE_ROUTERS = ["tests.settings.routers.Router"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LAYERS = ("core.RedisChannelLayer", "pubsub.RedisPubSubChannelLayer")
# A process that a test starts shares a channel layer with it only through Redis.
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": f"channels_redis.{os.environ.get('LIVECOUNTERS_TEST_LAYER', LAYERS[0])}",
        "CONFIG": {"hosts": [os.environ["LIVECOUNTERS_TEST_REDIS"]]},
    }
    if "LIVECOUNTERS_TEST_REDIS" in os.environ
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

# Tests fold when they say so; a server that a test starts may be told to pump.
LIVECOUNTERS: dict[str, Any] = {"EMBEDDED_PUMP": "LIVECOUNTERS_TEST_PUMP" in os.environ}
if os.environ.get("LIVECOUNTERS_TEST_PRESENCE") == "redis":
    LIVECOUNTERS["PRESENCE"] = {
        "BACKEND": "livecounters.presence.redis.RedisPresence",
        "URL": os.environ["LIVECOUNTERS_TEST_REDIS"],
    }

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
if "LIVECOUNTERS_TEST_UNBOUNDED" in os.environ:
    # As often as they like.
    scopes = ("events", "changes", "visitors", "history", "reads")
    REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] = {f"livecounters_{scope}": None for scope in scopes}
SPECTACULAR_SETTINGS = {
    "TITLE": "livecounters",
    "DESCRIPTION": "Live numbers, a live feed, who is here, and what people have reached.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
}

if "LIVECOUNTERS_TEST_EMBEDS" in os.environ:
    origins = os.environ["LIVECOUNTERS_TEST_EMBEDS"].split()
    embedded = ["attempts", "per_quiz", "score_avg"]
    LIVECOUNTERS["EMBEDS"] = {"COUNTERS": embedded, "ORIGINS": origins}

# Slow on purpose is for real passwords.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
# A zone with summer time, so that no test can take a day for 24 hours of UTC.
TIME_ZONE = "Europe/Paris"

# A server that a test starts says what failed, whatever DEBUG is.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"errors": {"class": "logging.StreamHandler", "level": "ERROR"}},
    "loggers": {"django.request": {"handlers": ["errors"]}},
}
