"""What mysite/settings.py has for PostgreSQL, Redis and several processes."""

import os

DEBUG = False
SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["example.com"]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "mysite",
        "USER": "mysite",
        "HOST": os.environ.get("DATABASE_HOST", ""),
        "PASSWORD": os.environ.get("DATABASE_PASSWORD", ""),
    }
}

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # Without a time limit: each process waits for messages all the time.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}]},
    }
}

LIVECOUNTERS = {
    # `livecounters run` is a service of its own.
    "EMBEDDED_PUMP": False,
    "PRESENCE": {
        "BACKEND": "livecounters.presence.redis.RedisPresence",
        "URL": REDIS_URL,
    },
    # For links in reminders and reports.
    "SITE_URL": "https://example.com",
}

STATIC_URL = "/static/"
STATIC_ROOT = "/srv/mysite/static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
    },
}
