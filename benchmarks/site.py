"""The site that is measured: Django's settings, its tables, the rows that are there before."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import django
from django.conf import settings

DATABASES = ("sqlite", "postgresql", "mariadb")
USERS = 200
QUIZZES = 50
PACKAGES = 20


@contextmanager
def site(database: str, rows: int, *, durable: bool = False) -> Iterator[None]:
    """Django on a fresh database with ``rows`` attempts in every variant's table.

    A ``durable`` server waits for the disk at each commit; the others only measure the work.
    """
    with ExitStack() as stack:
        made = _sqlite(stack) if database == "sqlite" else _server(stack, database, durable)
        settings.configure(
            DATABASES={"default": made},
            INSTALLED_APPS=[
                "django.contrib.contenttypes",
                "django.contrib.auth",
                "livecounters",
                "benchmarks.host",
                *(["actstream"] if find_spec("actstream") else []),
            ],
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            LIVECOUNTERS={"EMBEDDED_PUMP": False},
            TIME_ZONE="Europe/Paris",
            USE_TZ=True,
            PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        )
        django.setup()
        from django.db import connection

        stack.callback(connection.close)
        _fill(rows)
        yield


def _sqlite(stack: ExitStack) -> dict[str, Any]:
    directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="lc-"))
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(Path(directory) / "benchmark.sqlite3"),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
        },
    }


def _server(stack: ExitStack, database: str, durable: bool) -> dict[str, Any]:
    from tests.servers import MariaDB, PostgreSQL, Server

    kind: type[Server] = PostgreSQL if database == "postgresql" else MariaDB

    class Durable(kind):  # type: ignore[misc, valid-type]
        def command(self) -> list[str | Path]:
            return [*super().command(), *DURABLE[database]]

    server: Server = stack.enter_context(Durable() if durable else kind())
    return dict(server.settings)


# The last word on the command line holds.
DURABLE = {
    "postgresql": ["--fsync=on", "--full_page_writes=on", "--synchronous_commit=on"],
    "mariadb": ["--innodb-flush-log-at-trx-commit=1"],
}


def _fill(rows: int) -> None:
    from django.apps import apps
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection

    from benchmarks import variants
    from benchmarks.host import peers
    from benchmarks.host.models import Quiz
    from livecounters import installation

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        for model in apps.get_app_config("host").get_models():
            editor.create_model(model)
    users = get_user_model()
    users.objects.bulk_create([users(username=f"user{n}") for n in range(USERS)])
    Quiz.objects.bulk_create([Quiz(title=f"Quiz {n}") for n in range(QUIZZES)])
    _package(PACKAGES)
    peers.make_totals()
    for variant in variants.found():
        variant.model.objects.bulk_create(variants.attempts(variant.model, rows))
    installation.sync("default")
    peers.connect()


def _package(number: int) -> None:
    """Every quiz is in two packages."""
    from benchmarks.host.models import Package, Quiz

    packages = Package.objects.bulk_create([Package(title=f"Package {n}") for n in range(number)])
    for n, quiz in enumerate(Quiz.objects.order_by("pk")):
        quiz.packages.set([packages[n % number], packages[(n + 1) % number]])


VERSION = {
    "sqlite": "SELECT sqlite_version()",
    "postgresql": "SHOW server_version",
    "mysql": "SELECT VERSION()",
}


def versions() -> dict[str, str]:
    import platform

    from django.db import connection

    import livecounters

    with connection.cursor() as cursor:
        cursor.execute(VERSION[connection.vendor])
        server = str(cursor.fetchone()[0]).split()[0]
    found = {
        "livecounters": livecounters.__version__,
        "Python": platform.python_version(),
        "Django": django.get_version(),
        connection.display_name: server,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }
    if find_spec("actstream"):
        import actstream

        found["django-activity-stream"] = str(actstream.__version__)
    return found
