"""PostgreSQL's texts for one small watch; the server is not needed."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections, models
from django.db.models import Q

import livecounters as live
from livecounters.dialects import Watch
from livecounters.dialects.postgresql import PostgreSQL
from livecounters.measures import Measure, measure_of
from livecounters.registry import Registry
from livecounters.tellings import telling_of
from tests.host.models import Attempt, Sale

backend = pytest.importorskip("django.db.backends.postgresql.base", reason="needs psycopg")


@pytest.fixture
def dialect() -> Iterator[PostgreSQL]:
    """On a connection that is never opened."""
    engine = "django.db.backends.postgresql"
    given = connections.configure_settings({"default": {"ENGINE": engine, "NAME": "none"}})
    connections["text_only"] = wrapper = backend.DatabaseWrapper(given["default"], "text_only")
    yield PostgreSQL("text_only")
    assert wrapper.connection is None
    del connections["text_only"]


def names(**declared: Any) -> Registry:
    found = Registry()
    given = {"filter": Q(completed=True), "at": "completed_at", **declared}
    found.add(Attempt, type("Declared", (live.LiveModel,), given))
    return found


@pytest.fixture
def measure() -> Measure:
    return measure_of(names(n=live.Sum("score", per="quiz")).counters.get("n"))


AT = (
    "CASE WHEN NOT (livecounters_at > '0001-01-02' AND livecounters_at < '9999-12-30') THEN NULL "
    "WHEN livecounters_at > statement_timestamp() - interval '72 hours' "
    "THEN floor(date_part('epoch', livecounters_at) / 60)::bigint * 60 "
    "ELSE floor(date_part('epoch', livecounters_at) / 900)::bigint * 900 END"
)


def rows(relation: str, sign: str) -> str:
    return (
        f"SELECT livecounters_scope AS scope, {AT} AS at, {sign}1 AS count, "
        f"{sign}(livecounters_value)::numeric AS total FROM ("
        'SELECT 1 AS "livecounters_one", "host_attempt"."quiz_id" AS "livecounters_scope", '
        '"host_attempt"."completed_at" AS "livecounters_at", '
        '"host_attempt"."score" AS "livecounters_value" '
        f'FROM {relation} "host_attempt" WHERE "host_attempt"."completed") r '
        "WHERE livecounters_scope IS NOT NULL AND livecounters_value IS NOT NULL"
    )


def into_delta(key: str, *selects: str) -> str:
    return (
        'INSERT INTO "livecounters_delta" (measure, scope, member, at, count, total) '
        f"SELECT '{key}' AS measure, scope::text AS scope, '' AS member, at, "
        f"SUM(count) AS count, SUM(total) AS total FROM ({' UNION ALL '.join(selects)}) c "
        "GROUP BY scope, at HAVING SUM(count) <> 0 OR SUM(total) <> 0;"
    )


COLUMNS = '"quiz_id", "completed", "completed_at", "score"'
NAME = "livecounters_52e571b88884"
HEAD = (
    'CREATE OR REPLACE FUNCTION "{name}_{operation}"() RETURNS trigger LANGUAGE plpgsql '
    "SECURITY DEFINER SET search_path FROM CURRENT AS $livecounters$\nBEGIN\n"
)
TAIL = "\nRETURN NULL;\nEND\n$livecounters$"


def test_the_triggers_of_a_watch(dialect: PostgreSQL, measure: Measure) -> None:
    watch = Watch(Attempt, (measure,))
    old = rows("livecounters_old", "-")
    new = rows("livecounters_new", "")
    skip = (
        f"IF NOT EXISTS (SELECT {COLUMNS} FROM livecounters_old EXCEPT ALL "
        f"SELECT {COLUMNS} FROM livecounters_new) THEN RETURN NULL; END IF;\n"
    )
    bodies = {
        "insert": into_delta(measure.key, new),
        "update": skip + into_delta(measure.key, old, new),
        "delete": into_delta(measure.key, old),
        "truncate": (
            'UPDATE "livecounters_measured" SET ready = false, '
            "installation = md5(random()::text || clock_timestamp()::text) "
            f"WHERE measure IN ('{measure.key}') AND installation <> '';"
        ),
    }
    tables = {
        "insert": "REFERENCING NEW TABLE AS livecounters_new ",
        "update": "REFERENCING OLD TABLE AS livecounters_old NEW TABLE AS livecounters_new ",
        "delete": "REFERENCING OLD TABLE AS livecounters_old ",
        "truncate": "",
    }

    expected = []
    for operation, body in bodies.items():
        trigger = f'"{NAME}_{operation}"'
        expected += [
            HEAD.format(name=NAME, operation=operation) + body + TAIL,
            f'CREATE OR REPLACE TRIGGER {trigger} AFTER {operation.upper()} ON "host_attempt" '
            f"{tables[operation]}FOR EACH STATEMENT EXECUTE FUNCTION {trigger}()",
            f"COMMENT ON TRIGGER {trigger} ON \"host_attempt\" IS '{dialect.digest(watch)}'",
        ]
    assert dialect.install_sql(watch) == expected


def test_what_is_told_is_guarded_by_its_tombstone(dialect: PostgreSQL) -> None:
    told = telling_of(names(told=live.Activity("x", target="quiz")).activities.get("told"))
    insert, _, _, update, *_ = dialect.install_sql(Watch(Attempt, (), (told,)))

    guard = (
        "INSERT INTO \"livecounters_eventsource\" (kind, source) SELECT 'host.told', source "
        "FROM happened ON CONFLICT DO NOTHING RETURNING source)"
    )
    assert guard in insert
    assert "IS NOT TRUE" in update
    assert "IS NOT TRUE" not in insert
    assert "'', h.actor, 'host.quiz', h.target, h.label, h.data, h.at" in insert


def test_a_delete_tells_nothing(dialect: PostgreSQL) -> None:
    told = telling_of(names(told=live.Activity("x")).activities.get("told"))

    delete = dialect.install_sql(Watch(Attempt, (), (told,)))[6]
    assert delete == HEAD.format(name=NAME, operation="delete") + TAIL


def test_removing_takes_trigger_and_function(dialect: PostgreSQL) -> None:
    assert dialect.remove_sql("Odd Table", f"{NAME}_update") == [
        f'DROP TRIGGER IF EXISTS "{NAME}_update" ON "Odd Table"',
        f'DROP FUNCTION IF EXISTS "{NAME}_update"()',
    ]


def test_without_a_relation_the_table_itself_is_read(dialect: PostgreSQL, measure: Measure) -> None:
    found = dialect.contribution(measure, None)

    assert 'FROM "host_attempt" WHERE "host_attempt"."completed") r' in found
    assert "livecounters_new" not in found


def test_writers_wait_no_longer_than_they_must(dialect: PostgreSQL) -> None:
    first, path, lock = dialect.prepare_sql(Watch(Sale))

    assert first == "SET LOCAL lock_timeout = '2s'"
    assert path.endswith("quote_ident(current_schema()) || ', pg_temp', true)")
    assert lock == 'LOCK TABLE "host_sale" IN SHARE ROW EXCLUSIVE MODE'


def test_one_folder_at_a_time(dialect: PostgreSQL) -> None:
    assert "pg_try_advisory_xact_lock" in dialect.lock_sql(wait=False)
    assert "pg_advisory_xact_lock" in dialect.lock_sql(wait=True)
    # The lock goes with its transaction, so it cannot be forgotten.
    assert dialect.unlock_sql() is None


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (models.UUIDField(), "replace(x::text, '-', '')"),
        (models.BooleanField(), "x::int::text"),
        (models.CharField(), 'left(x::text, 255) COLLATE "C"'),
        (models.BigIntegerField(), "x::text"),
    ],
)
def test_values_as_text(dialect: PostgreSQL, field: Any, text: str) -> None:
    assert dialect.text("x", field) == text


def test_numbers_are_scaled_to_integers(dialect: PostgreSQL) -> None:
    assert dialect.scaled("x", 0) == "(x)::numeric"
    assert dialect.scaled("x", 2) == "round((x)::numeric * 100)"


# On a server


@pytest.fixture
def server(db: None) -> PostgreSQL:
    if connection.vendor != "postgresql":
        pytest.skip("runs on PostgreSQL only: LIVECOUNTERS_TEST_DATABASE=postgresql")
    return PostgreSQL("default")


def ask(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}")
        return cursor.fetchone()[0]


def test_old_moments_are_kept_by_the_quarter_hour(server: PostgreSQL) -> None:
    fresh = dt.datetime.now(dt.UTC)

    assert ask(server.stamp(f"timestamptz '{fresh.isoformat()}'")) == fresh.timestamp() // 60 * 60
    assert ask(server.stamp("timestamptz '1955-03-01 01:07:09.9999Z'")) % 900 == 0
    assert ask(server.stamp("timestamptz '1969-12-31 23:59:59.9Z'")) == -900
    assert ask(server.stamp("timestamptz '2024-02-29 11:44:59.9999Z'")) == 1709206200
    assert ask(server.stamp("date '1970-01-02'")) == 86400


def test_texts_as_python_writes_them(server: PostgreSQL) -> None:
    key = uuid.uuid4()

    assert ask(server.text(f"uuid '{key}'", models.UUIDField())) == key.hex
    assert ask(server.text("true", models.BooleanField())) == "1"
    assert ask(server.scaled("-0.125::numeric", 3)) == -125


def test_a_sample_is_drawn_by_the_bytes(server: PostgreSQL) -> None:
    field: models.Field[Any, Any] = models.CharField(max_length=255)
    for text in ("", "a", "\N{LATIN SMALL LETTER E WITH ACUTE}", "\N{GRADUATION CAP}\\x'"):
        drawn = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
        for sample in (2, 64, 65536):
            expected = drawn < 2**32 // sample
            assert ask(server.sampled(server.literal(text), field, sample)) is expected
