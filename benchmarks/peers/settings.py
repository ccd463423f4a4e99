"""A site with one counter, and with presence where ``LIVECOUNTERS_BENCH_PRESENCE`` names a store.

``LIVECOUNTERS_BENCH_LAYER`` names one of the two layers of channels-redis. ``LIVECOUNTERS_BENCH``
holds what else a measurement wants of the settings.
"""

from __future__ import annotations

import json
import os
from typing import Any

from tests.settings.databases import selected

REDIS = os.environ["LIVECOUNTERS_TEST_REDIS"]
PRESENCE = os.environ.get("LIVECOUNTERS_BENCH_PRESENCE")

SECRET_KEY = "only for measuring"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "livecounters",
    "benchmarks.peers",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "benchmarks.peers.urls"
DATABASES = {"default": selected()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

# A thousand members of a group: by default the layer drops what a slow member has not taken, and
# redis-py ends the wait of a layer that has nothing to hear just when that ends by itself.
HOST = {"address": REDIS, "socket_timeout": None, "max_connections": 10_000}
LAYER = os.environ.get("LIVECOUNTERS_BENCH_LAYER", "core.RedisChannelLayer")
CORE = LAYER.startswith("core.")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": f"channels_redis.{LAYER}",
        "CONFIG": {"hosts": [HOST], "capacity": 10_000} if CORE else {"hosts": [HOST]},
    }
}

LIVECOUNTERS: dict[str, Any] = json.loads(os.environ.get("LIVECOUNTERS_BENCH", "{}"))
if PRESENCE == "redis":
    LIVECOUNTERS["PRESENCE"] = {
        "BACKEND": "livecounters.presence.redis.RedisPresence",
        "URL": REDIS,
    }
