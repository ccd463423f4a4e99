"""Real migrations of a host, run by ``migrate``: no write of the host ever fails because of us,
and afterwards the triggers are there and the numbers are right."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

import livecounters as live
from livecounters import capture, feed, folding, installation, timeline
from livecounters.checks import check_triggers
from livecounters.models import ActivityEvent, Measured
from tests.host.models import Attempt, Course, Quiz, Sale
from tests.oracle import assert_exact

pytestmark = pytest.mark.django_db(transaction=True)

REAL = sorted(path.stem for path in (Path(__file__).parent / "host" / "migrations").glob("0*.py"))
EMPTY = "9000_empty"

# The operations of the migrations that a test makes, by their names.
OPERATIONS: dict[str, list[Any]] = {}

MADE = """
import sys
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("host", {before!r})]
    operations = sys.modules[{module!r}].OPERATIONS[{name!r}]
"""

REAL_ONE = """
import importlib
Migration = importlib.import_module("tests.host.migrations.{name}").Migration
"""


def migrate(*arguments: str, **options: Any) -> None:
    call_command("migrate", *arguments, verbosity=0, stdout=StringIO(), **options)


Migrate = Callable[..., None]


@pytest.fixture
def with_migrations(tmp_path: Path, settings: Any) -> Iterator[Migrate]:
    """Migrates the host by further migrations, each given as a list of operations."""
    package = f"migrations_{tmp_path.name}"
    directory = tmp_path / package
    directory.mkdir()
    (directory / "__init__.py").touch()
    for name in REAL:
        (directory / f"{name}.py").write_text(REAL_ONE.format(name=name))
    sys.path.insert(0, str(tmp_path))
    settings.MIGRATION_MODULES = {"host": package}
    made = [REAL[-1]]

    def make(name: str, operations: list[Any]) -> None:
        OPERATIONS[name] = operations
        text = MADE.format(before=made[-1], module=__name__, name=name)
        (directory / f"{name}.py").write_text(text)
        made.append(name)

    def run(*migrations: list[Any], **options: Any) -> None:
        for operations in migrations:
            make(f"9{len(made):03}_made", operations)
        migrate("host", made[-1], **options)

    yield run
    # Back to what the other tests know.
    for name in reversed(made):
        if name in OPERATIONS and name not in applied():
            made.remove(name)
    settings.LIVECOUNTERS = {}
    migrate("host", REAL[-1])
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


def applied() -> set[str]:
    executor = MigrationExecutor(connection)
    return {name for app, name in executor.loader.applied_migrations if app == "host"}


def states() -> dict[str, str]:
    return {state.table: state.state for state in capture.states("default")}


def in_place() -> bool:
    return set(states().values()) == {"installed"} and not unready()


def unready() -> set[str]:
    rows = Measured.objects.filter(ready=False)
    return set(rows.values_list("names", flat=True))


@pytest.fixture(autouse=True)
def filled() -> None:
    quiz = Quiz.objects.create(title="Fractions", course=Course.objects.create(title="Maths"))
    ada = User.objects.create(username="ada")
    write(quiz, ada)
    folding.fold("default")
    write(quiz, ada)


def write(quiz: Quiz | None = None, user: User | None = None) -> None:
    """What the host writes; it must never fail."""
    quiz, user = quiz or Quiz.objects.first(), user or User.objects.first()
    now = timezone.now()
    Attempt.objects.bulk_create(
        [
            Attempt(quiz=quiz, user=user, completed=True, completed_at=now, score=50 + n)
            for n in range(3)
        ]
    )
    Attempt.objects.filter(score=51).update(score=52)
    Attempt.objects.order_by("pk")[0].delete()
    Sale.objects.create(course=quiz.course, price="3.50", day=timezone.localdate())


def written_by(apps: Any, editor: Any) -> None:
    """A data migration: its models are the migration's own."""
    attempt = apps.get_model("host", "Attempt")
    quiz = apps.get_model("host", "Quiz").objects.first()
    attempt.objects.create(quiz=quiz, completed=True, completed_at=timezone.now(), score=9)
    attempt.objects.filter(score=50).update(score=49)


def data(write: Callable[[Any, Any], None] = written_by) -> Any:
    return migrations.RunPython(write, migrations.RunPython.noop)


SCHEMA: dict[str, list[list[Any]]] = {
    # SQLite remakes the table for this one.
    "add a field with a default": [
        [migrations.AddField("attempt", "extra", models.IntegerField(null=True, default=7))]
    ],
    "add a nullable field": [
        [migrations.AddField("attempt", "extra", models.IntegerField(null=True))]
    ],
    "alter a watched field": [
        [migrations.AlterField("attempt", "score", models.BigIntegerField(null=True))]
    ],
    "alter another field": [
        [migrations.AlterField("attempt", "note", models.CharField(max_length=900, blank=True))]
    ],
    "alter a joined field": [
        [migrations.AlterField("quiz", "title", models.CharField(max_length=300))]
    ],
    "add a constraint": [
        [
            migrations.AddConstraint(
                "attempt",
                models.CheckConstraint(condition=models.Q(score__gt=-(10**6)), name="made_score"),
            )
        ]
    ],
    "add an index": [
        [migrations.AddIndex("attempt", models.Index(fields=["score"], name="made_index"))]
    ],
    "rename a field and back": [
        [migrations.RenameField("sale", "price", "cost")],
        [migrations.RenameField("sale", "cost", "price")],
    ],
    "rename a model and back": [
        [migrations.RenameModel("Attempt", "Try")],
        [migrations.RenameModel("Try", "Attempt")],
    ],
    "rename a table and back": [
        [migrations.AlterModelTable("attempt", "tries")],
        [migrations.AlterModelTable("attempt", None)],
    ],
    "data alone": [[data()]],
    "data before and after a change": [
        [data()],
        [migrations.AddField("attempt", "extra", models.IntegerField(null=True, default=7))],
        [data()],
    ],
    "data in a table that stays": [
        [migrations.AddField("tag", "extra", models.IntegerField(null=True, default=7)), data()],
    ],
    "another program's SQL": [
        [
            migrations.RunSQL("UPDATE host_attempt SET score = score + 1", migrations.RunSQL.noop),
        ]
    ],
}


# The others do on every database what they do on SQLite and PostgreSQL.
FIRST = {
    "add a field with a default",
    "rename a field and back",
    "rename a table and back",
    "data before and after a change",
    "another program's SQL",
}


def thin(names: Any) -> list[Any]:
    marks = {name: () if name in FIRST else (pytest.mark.thorough,) for name in names}
    return [pytest.param(name, marks=mark) for name, mark in marks.items()]


@pytest.mark.parametrize("name", thin(SCHEMA))
def test_after_a_migration_everything_is_in_place(name: str, with_migrations: Migrate) -> None:
    with_migrations(*SCHEMA[name])

    assert in_place()
    assert_exact()
    write()
    assert_exact()
    folding.fold("default")
    assert_exact()


# Migrated to a state that the code's models do not have, as between two releases.

ELSEWHERE: dict[str, tuple[str, Any, Any, str]] = {
    "a renamed field": (
        "host_sale",
        migrations.RenameField("sale", "price", "cost"),
        migrations.RenameField("sale", "cost", "price"),
        "UPDATE host_sale SET cost = cost + 1",
    ),
    "a removed field": (
        "host_attempt",
        migrations.RemoveField("attempt", "score"),
        migrations.AddField("attempt", "score", models.IntegerField(null=True)),
        "UPDATE host_attempt SET completed = NOT completed",
    ),
    "a renamed model": (
        "host_attempt",
        migrations.RenameModel("Attempt", "Try"),
        migrations.RenameModel("Try", "Attempt"),
        "UPDATE host_try SET score = 3",
    ),
    "a renamed table": (
        "host_attempt",
        migrations.AlterModelTable("attempt", "tries"),
        migrations.AlterModelTable("attempt", None),
        "DELETE FROM tries WHERE score > 51",
    ),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_schema_that_the_code_does_not_know_can_be_written(
    name: str, with_migrations: Migrate, caplog: pytest.LogCaptureFixture
) -> None:
    table, there, back, sql = ELSEWHERE[name]

    with_migrations([there])
    with connection.cursor() as cursor:
        cursor.execute(sql)
    assert table not in [t for t, state in states().items() if state == "installed"]
    with_migrations([back])

    assert in_place()
    assert_exact()
    write()
    assert_exact()


def test_a_deleted_model_leaves_nothing(with_migrations: Migrate) -> None:
    tables = connection.introspection.table_names()
    assert "host_sale" in tables
    with_migrations([migrations.DeleteModel("GiftSale"), migrations.DeleteModel("Sale")])

    assert "host_sale" not in connection.introspection.table_names()
    assert states()["host_attempt"] == "installed"
    Attempt.objects.update(score=5)
    assert live.counters["score_sum"].value() == 5 * Attempt.objects.count()
    # What nobody can count any more is said to be off, not deleted: it may come back.
    assert (
        not Measured.objects.filter(tables__has_key="host_sale").exclude(installation="").exists()
    )


def test_a_migration_that_fails(with_migrations: Migrate) -> None:
    def fail(apps: Any, editor: Any) -> None:
        written_by(apps, editor)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        with_migrations([data()], [data(fail)])

    write()
    assert_exact()
    told = ActivityEvent.objects.filter(kind="host.quiz_completed").count()
    # The next migrate of anything puts it right.
    migrate("auth")
    assert in_place()
    assert_exact()
    assert ActivityEvent.objects.filter(kind="host.quiz_completed").count() > told
    feed.number()
    numbers = [event.seq for event in timeline.newest(1000)]
    assert len(numbers) == len(set(numbers))


def test_a_faked_migration(with_migrations: Migrate) -> None:
    with_migrations(
        [migrations.AddIndex("attempt", models.Index(fields=["score"], name="made_index"))],
        fake=True,
    )

    assert in_place()
    write()
    assert_exact()
    with connection.schema_editor() as editor:
        editor.add_index(Attempt, models.Index(fields=["score"], name="made_index"))


def test_a_plan_that_is_only_shown(with_migrations: Migrate) -> None:
    before = set(Measured.objects.values_list("measure", "installation"))

    with_migrations([migrations.RenameField("sale", "price", "cost")], plan=True)

    assert set(Measured.objects.values_list("measure", "installation")) == before
    assert in_place()
    write()
    assert_exact()
    with_migrations([migrations.RenameField("sale", "cost", "price")])


def test_installed_by_hand(with_migrations: Migrate, settings: Any) -> None:
    settings.LIVECOUNTERS = {"INSTALL_ON_MIGRATE": False}

    with_migrations([migrations.AddField("attempt", "extra", models.IntegerField(null=True))])

    assert states()["host_attempt"] == "missing"
    assert states()["host_sale"] == "installed"
    write()
    assert_exact()
    installation.sync("default")
    assert in_place()
    assert_exact()


# Leaving


def test_without_our_tables_the_host_works() -> None:
    migrate("livecounters", "zero")

    write()
    assert not [t for t in connection.introspection.table_names() if t.startswith("livecounters")]
    migrate("livecounters")
    assert in_place()
    assert_exact()


def test_our_own_migrations_beside_a_hosts(with_migrations: Migrate) -> None:
    migrate("livecounters", "zero")
    with_migrations(
        [migrations.RenameModel("Attempt", "Try")], [migrations.RenameModel("Try", "Attempt")]
    )
    migrate()

    assert in_place()
    write()
    assert_exact()


def test_without_the_hosts_tables() -> None:
    migrate("host", "zero")
    try:
        assert not [t for t in connection.introspection.table_names() if t.startswith("host")]
        installation.sync("default")
        assert set(states().values()) <= {"installed", "missing"}
    finally:
        migrate("host")
    assert in_place()
    quiz = Quiz.objects.create(title="Fractions", course=Course.objects.create(title="Maths"))
    write(quiz, User.objects.first())
    assert_exact()


def test_removed_and_then_dropped() -> None:
    call_command("livecounters", "sync", remove=True, stdout=StringIO())
    assert set(states().values()) == {"missing"}
    settings_before = Attempt.objects.count()
    with connection.schema_editor() as editor:
        from django.apps import apps

        models = apps.get_app_config("livecounters").get_models()
        ours = [model for model in models if not model._meta.proxy]
        for model in ours:
            editor.delete_model(model)

    write()

    with connection.schema_editor() as editor:
        for model in ours:
            editor.create_model(model)
    assert Attempt.objects.count() == settings_before + 2
    installation.sync("default")
    assert in_place()
    assert_exact()


# Behind Django's back


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite remakes tables")
def test_a_table_that_was_remade_by_hand_is_noticed() -> None:
    connection.close()
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        (sql,) = other.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'host_attempt'"
        ).fetchone()
        other.execute("PRAGMA foreign_keys = OFF")
        # As the shell says to do it, because triggers of other tables mention this one.
        other.execute("PRAGMA legacy_alter_table = ON")
        other.execute(sql.replace("host_attempt", "remade", 1))
        other.execute("INSERT INTO remade SELECT * FROM host_attempt")
        other.execute("DROP TABLE host_attempt")
        other.execute("ALTER TABLE remade RENAME TO host_attempt")
        other.commit()

    write()
    (message,) = check_triggers(None, databases=["default"])  # type: ignore[arg-type]
    assert message.id == "livecounters.W003"
    assert "host_attempt" in message.msg
    assert installation.ailing("default")
    installation.heal("default")
    assert in_place()
    assert_exact()
    assert not installation.ailing("default")


def test_triggers_that_somebody_dropped_are_noticed(caplog: pytest.LogCaptureFixture) -> None:
    dialect = capture.dialect_of("default")
    for name in capture.installed(dialect)["host_attempt"]:
        capture.execute(dialect, dialect.remove_sql("host_attempt", name))
    write()

    installation.heal("default")

    assert in_place()
    assert_exact()
    assert [
        line for line in caplog.messages if "the triggers on host_attempt were taken away" in line
    ]


def test_a_host_that_installs_by_hand_is_told(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LIVECOUNTERS = {"INSTALL_ON_MIGRATE": False}
    dialect = capture.dialect_of("default")
    for name in capture.installed(dialect)["host_attempt"]:
        capture.execute(dialect, dialect.remove_sql("host_attempt", name))
    write()

    for _ in range(2):
        installation.heal("default")

    assert_exact()
    assert states()["host_attempt"] == "missing"
    (said,) = [line for line in caplog.messages if "host_attempt" in line]
    assert "manage.py livecounters sync" in said


def test_what_a_migration_took_off_is_not_put_back_in_its_middle(
    with_migrations: Migrate,
) -> None:
    seen: list[bool] = []

    def pump(apps: Any, editor: Any) -> None:
        seen.append(installation.ailing("default"))
        installation.heal("default")
        seen.append(states()["host_attempt"] == "installed")

    with_migrations([data(pump)])

    assert seen == [False, False]
    assert in_place()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="elsewhere TRUNCATE is not seen")
def test_a_truncated_table_is_counted_anew() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE host_attempt")
    assert live.counters["attempts"].value() == 0
    assert unready()
    write()
    assert_exact()

    assert installation.ailing("default")
    installation.heal("default")

    assert in_place()
    assert_exact()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="elsewhere TRUNCATE is not seen")
def test_truncated_in_the_middle_of_a_backfill() -> None:
    capture.detach("default", ["host_attempt"])
    write()
    truncated = []

    def truncate(names: str, done: int, number: int) -> None:
        if not truncated and "host.attempts" in names.split():
            truncated.append(names)
            with connection.cursor() as cursor:
                cursor.execute("TRUNCATE host_attempt")

    installation.sync("default", progress=truncate)

    assert truncated
    assert live.counters["attempts"].value() == 0
    installation.sync("default")
    assert in_place()
    assert_exact()


def test_a_table_in_an_unknown_state_is_left_alone() -> None:
    """What is broken for other reasons is reported, and costs the rest nothing."""
    with connection.schema_editor() as editor:
        editor.alter_db_table(Sale, "host_sale", "elsewhere")
    try:
        report = installation.sync("default")
        assert states()["host_attempt"] == "installed"
        assert not report.failed
        Attempt.objects.update(score=3)
    except DatabaseError as error:  # pragma: no cover
        pytest.fail(f"the host's write failed: {error}")
    finally:
        with connection.schema_editor() as editor:
            editor.alter_db_table(Sale, "elsewhere", "host_sale")
        installation.sync("default")
    assert in_place()
    assert_exact()
