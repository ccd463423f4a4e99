"""SQLite's texts for one small watch, and what a bare SQLite does not know."""

from __future__ import annotations

import math
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from django.db import connections, models
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.models import F, Q
from django.db.models.functions import MD5, Concat, Extract, Length, Now, TruncDay, Upper

import livecounters as live
from livecounters.dialects import Watch
from livecounters.dialects.sqlite import SQLite
from livecounters.exceptions import Unmeasurable
from livecounters.measures import Measure, measure_of
from livecounters.registry import Registry
from livecounters.rows import rows
from livecounters.tellings import telling_of
from tests.host.models import Attempt, Sale

# Values as hosts have them, of which a poor hash would take too many or too few.
VALUES: dict[str, Callable[[int], str]] = {
    "numbers": str,
    "numbers from far away": lambda n: str(10**12 + n),
    "every tenth": lambda n: str(10 * n),
    "snowflakes": lambda n: str((1 << 60) + (n << 22)),
    "UUIDs": lambda n: uuid.uuid5(uuid.NAMESPACE_URL, str(n)).hex,
    "UUIDs of one machine": lambda n: uuid.UUID(int=(n << 96) + 2**62 + 7, version=1).hex,
    "UUIDs by time": lambda n: uuid.UUID(int=((1 << 40) + n << 80) + hash(n**7) % 2**62).hex,
    "addresses": lambda n: f"user{n}@example.com",
    "long beginnings": lambda n: "https://example.com/" + "a/" * 100 + str(n),
}


@pytest.fixture
def dialect() -> Iterator[SQLite]:
    """On a connection that is never opened."""
    engine = "django.db.backends.sqlite3"
    given = connections.configure_settings({"default": {"ENGINE": engine, "NAME": "none"}})
    connections["text_only"] = wrapper = DatabaseWrapper(given["default"], "text_only")
    yield SQLite("text_only")
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


COLUMNS = ["quiz_id", "completed", "completed_at", "score"]
CHANGED = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in COLUMNS)
AT = (
    "(CAST(strftime('%s', substr(livecounters_at, 1, 19)) AS INTEGER) + 62135596800) "
    "/ 60 * 60 - 62135596800"
)


def contribution(key: str, row: str, sign: str, also: str = "") -> str:
    shadow = ", ".join(f'{row}."{column}" AS "{column}"' for column in COLUMNS)
    return (
        f"SELECT '{key}' AS measure, CAST(livecounters_scope AS TEXT) AS scope, '' AS member, "
        f"{AT} AS at, {sign}1 AS count, "
        f"{sign}CAST(livecounters_value AS INTEGER) AS total FROM ("
        'SELECT 1 AS "livecounters_one", "host_attempt"."quiz_id" AS "livecounters_scope", '
        '"host_attempt"."completed_at" AS "livecounters_at", '
        '"host_attempt"."score" AS "livecounters_value" '
        f'FROM (SELECT {shadow}) "host_attempt" WHERE "host_attempt"."completed") r '
        f"WHERE livecounters_scope IS NOT NULL AND livecounters_value IS NOT NULL "
        f"AND livecounters_value >= -{2**63 - 1} AND livecounters_value <= {2**63 - 1}{also}"
    )


def test_the_triggers_of_a_watch(dialect: SQLite, measure: Measure) -> None:
    watch = Watch(Attempt, (measure,))
    also = f" AND ({CHANGED})"
    both = [
        contribution(measure.key, "OLD", "-", also),
        contribution(measure.key, "NEW", "", also),
    ]
    created = [
        f'CREATE TRIGGER "livecounters_52e571b88884_{operation}" {timing} {operation.upper()} '
        f'ON "host_attempt" FOR EACH ROW{when}\nBEGIN -- digest:{dialect.digest(watch)}\n'
        'INSERT INTO "livecounters_delta" (measure, scope, member, at, count, total) '
        f"{select};\nEND"
        for operation, timing, when, select in (
            ("insert", "AFTER", "", contribution(measure.key, "NEW", "")),
            ("update", "AFTER", f" WHEN {CHANGED}", " UNION ALL ".join(both)),
            ("delete", "BEFORE", "", contribution(measure.key, "OLD", "-")),
        )
    ]

    # Django writes a boolean condition as the column or as a comparison, by its version.
    installed = [
        sql.replace('"completed" = 1', '"completed"') for sql in dialect.install_sql(watch)
    ]
    # A trigger of SQLite cannot be replaced.
    names = [f"livecounters_52e571b88884_{name}" for name in ("insert", "update", "delete")]
    assert installed[::2] == [f'DROP TRIGGER IF EXISTS "{name}"' for name in names]
    assert installed[1::2] == created


def test_what_is_told_is_numbered_and_buried_at_once(dialect: SQLite) -> None:
    told = telling_of(names(told=live.Activity("x", target="quiz")).activities.get("told"))
    _, insert, _, update, _, delete = dialect.install_sql(Watch(Attempt, (), (told,)))

    for trigger in (insert, update):
        numbered, told_at, buried = (
            trigger.index('UPDATE "livecounters_stream" SET seq = seq + 1'),
            trigger.index('INSERT INTO "livecounters_activityevent"'),
            trigger.index('INSERT INTO "livecounters_eventsource"'),
        )
        # Buried first: whether that wrote anything says whether it was told before.
        assert buried < told_at < numbered
        # The host's own OR IGNORE or upsert must not decide over ours.
        assert "WHERE true ON CONFLICT DO NOTHING" in trigger
        assert "INSERT OR" not in trigger
    assert delete.endswith("\nSELECT 1;\nEND")


def test_removing_takes_the_trigger(dialect: SQLite) -> None:
    assert dialect.remove_sql("x", "livecounters_1_update") == [
        'DROP TRIGGER IF EXISTS "livecounters_1_update"'
    ]
    assert dialect.prepare_sql(Watch(Sale)) == []


# A bare SQLite as the judge

FILTERS = {
    "plain": Q(completed=True, score__gte=3),
    "contains": Q(note__contains="100%"),
    "startswith": Q(note__istartswith="x"),
    "null": Q(user__isnull=False),
    "in": Q(score__in=[1, 2]),
    "length": Q(score__gt=Length("note")),
    "remainder": Q(score=F("quiz_id") % 3),
    # Django says a year as two bounds.
    "year": Q(completed_at__year=2026),
    "upper": Q(code=Upper("note")),
    "concat": Q(code=Concat("note", "code")),
}
REFUSED = {
    "date": Q(completed_at__time__isnull=False),
    "month": Q(completed_at__month=3),
    "week day": Q(completed_at__week_day=3),
    "hour": Q(completed_at__hour__gt=3),
    "regex": Q(note__regex="^a"),
    "iregex": Q(note__iregex="^a"),
    "trunc": Q(completed_at=TruncDay("completed_at")),
    "extract": Q(score=Extract("completed_at", "quarter")),
    "md5": Q(note=MD5("code")),
}


@pytest.mark.parametrize("name", FILTERS)
def test_what_every_sqlite_can_say(dialect: SQLite, name: str) -> None:
    dialect.try_out(rows(Attempt, FILTERS[name], {"source": "pk"}))


@pytest.mark.parametrize("name", REFUSED)
def test_functions_of_django_s_own_are_refused(dialect: SQLite, name: str) -> None:
    with pytest.raises(Unmeasurable) as caught:
        dialect.try_out(rows(Attempt, REFUSED[name], {"source": "pk"}))
    assert caught.value.check_id == "E005"
    assert str(caught.value).startswith("SQLite cannot evaluate it in a trigger: no such function")
    assert "__regex" in caught.value.hint


def test_joined_tables_are_there_for_the_judge(dialect: SQLite) -> None:
    dialect.try_out(rows(Attempt, Q(), {"label": "quiz__course__title"}, joins=True))


def test_the_clock_is_refused_before() -> None:
    with pytest.raises(Unmeasurable, match="gives another answer"):
        rows(Attempt, Q(completed_at__lt=Now()), {"source": "pk"})


# Expressions


def ask(sql: str) -> Any:
    with closing(sqlite3.connect(":memory:")) as bare:
        return bare.execute(f"SELECT {sql}").fetchone()[0]


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("1970-01-01 00:00:00", 0),
        ("1970-01-01 00:00:59.999999", 0),
        ("1969-12-31 23:59:59.9", -60),
        ("1955-03-01 01:07:09", -468283980),
        ("2026-11-21 10:15:59.9996", 1795256100),
        ("2026-11-21", 1795219200),
        ("0001-01-01 00:00:00", -62135596800),
        ("9999-12-31 23:59:59", 253402300740),
    ],
)
def test_stamps_are_floored_to_the_minute(dialect: SQLite, text: str, stamp: int) -> None:
    assert ask(dialect.stamp(f"'{text}'")) == stamp


@pytest.mark.parametrize(
    ("value", "places", "scaled"),
    [
        ("12.5", 2, 1250),
        ("-0.05", 2, -5),
        ("1.005", 3, 1005),
        ("7", 0, 7),
        ("0.1234567", 6, 123457),
    ],
)
def test_numbers_are_scaled_to_integers(
    dialect: SQLite, value: str, places: int, scaled: int
) -> None:
    found = ask(dialect.scaled(value, places))

    assert found == scaled
    assert isinstance(found, int)


def test_values_as_text(dialect: SQLite) -> None:
    key = uuid.uuid4()

    assert ask(dialect.text(f"'{key.hex}'", models.UUIDField())) == key.hex
    assert ask(dialect.text("1", models.BooleanField())) == "1"
    assert ask(dialect.text("-7", models.IntegerField())) == "-7"


def test_one_writer(dialect: SQLite) -> None:
    assert dialect.single_writer
    assert dialect.numbers_events
    assert dialect.lock_sql(wait=True) is None


@pytest.mark.parametrize("sample", [2, 16])
@pytest.mark.parametrize("kind", VALUES)
def test_a_sample_is_as_large_as_chance_would_have_it(
    dialect: SQLite, kind: str, sample: int
) -> None:
    field: models.Field[Any, Any] = models.CharField(max_length=255)
    number, parts = 10_000, 20
    expected = number / parts / sample
    with closing(sqlite3.connect(":memory:")) as bare:
        bare.execute("CREATE TABLE t (n INTEGER, x TEXT)")
        values = ((n, VALUES[kind](n)) for n in range(number))
        bare.executemany("INSERT INTO t VALUES (?, ?)", values)
        found = bare.execute(
            f"SELECT SUM({dialect.sampled('x', field, sample)}) FROM t GROUP BY n % {parts}"
        ).fetchall()
    off = [(kept - expected) / math.sqrt(expected * (1 - 1 / sample)) for (kept,) in found]

    # In standard errors: of the whole, of each part, and as many parts far off as near.
    assert abs(sum(off)) / math.sqrt(parts) < 4
    assert max(map(abs, off)) < 4
    assert 0.2 < sum(one**2 for one in off) / parts < 2.5
