"""Settings of Lantern. Without any environment variable it runs on SQLite in one process.

EXAMPLE_DATABASE=postgresql   PostgreSQL, by libpq's PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE
EXAMPLE_SQLITE=/some/file     another SQLite file than the one beside manage.py
EXAMPLE_REDIS=redis://...     channel layer and presence in Redis, for more than one server process
EXAMPLE_SECRET_KEY=...        needed when EXAMPLE_DEBUG=0
EXAMPLE_ALLOWED_HOSTS=a,b     host names served, besides the local ones
EXAMPLE_SIMULATION=1          say on every page that activity is simulated, even before there is any
"""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("EXAMPLE_DEBUG", "1") == "1"
SECRET_KEY = "for-demonstration-only" if DEBUG else os.environ["EXAMPLE_SECRET_KEY"]
ALLOWED_HOSTS = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    *filter(None, os.environ.get("EXAMPLE_ALLOWED_HOSTS", "").split(",")),
]

INSTALLED_APPS = [
    "learning",
    "packages",
    "people",
    "livecounters",
    "drf_spectacular",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "lantern.middleware.ContentSecurityPolicyMiddleware",
    "livecounters.middleware.ResponseTimeMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "livecounters.middleware.VisitorMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "lantern.urls"
ASGI_APPLICATION = "lantern.asgi.application"
WSGI_APPLICATION = "lantern.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

if os.environ.get("EXAMPLE_DATABASE") == "postgresql":
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ.get("PGDATABASE", "lantern"),
            "USER": os.environ.get("PGUSER", ""),
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
            "HOST": os.environ.get("PGHOST", ""),
            "PORT": os.environ.get("PGPORT", ""),
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ.get("EXAMPLE_SQLITE", BASE_DIR / "db.sqlite3"),
            "OPTIONS": {
                # Reading first and writing later would otherwise fail with "database is locked".
                "transaction_mode": "IMMEDIATE",
                # Readers and the one writer do not wait for each other.
                "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
                "timeout": 20,
            },
        }
    }

# Live numbers and the live feed.
LIVECOUNTERS: dict[str, object] = {
    "ACTOR_NAME": "people.names.display_name",
    # Two numbers that any site may show.
    "EMBEDS": {"COUNTERS": ["quizzes_total", "average_score"], "ORIGINS": ["*"]},
}
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
SPECTACULAR_SETTINGS = {"TITLE": "Lantern", "VERSION": "1", "OAS_VERSION": "3.1.0"}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
if REDIS := os.environ.get("EXAMPLE_REDIS"):
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [REDIS]},
        }
    }
    LIVECOUNTERS["PRESENCE"] = {
        "BACKEND": "livecounters.presence.redis.RedisPresence",
        "URL": REDIS,
    }

LANTERN_SIMULATION = os.environ.get("EXAMPLE_SIMULATION") == "1"

LOGIN_URL = "people:login"
LOGIN_REDIRECT_URL = "learning:home"
LOGOUT_REDIRECT_URL = "learning:home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "German"),
    ("fr", "French"),
    ("es", "Spanish"),
    ("pt", "Portuguese"),
    ("zh-hans", "Simplified Chinese"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR.parent / "build" / "static"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
