"""What all dialects say alike; as text, nothing is executed."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connections, models
from django.db.models import F
from django.test.utils import isolate_apps

import livecounters as live
from livecounters import capture
from livecounters.dialects import Dialect, Watch, dialect_of
from livecounters.exceptions import Unmeasurable
from livecounters.models import ActivityEvent, Bucket
from tests.dialects.declared import measure, telling
from tests.host.models import Attempt, Sale


def test_one_dialect_for_an_alias() -> None:
    assert dialect_of("default") is dialect_of("default")
    assert dialect_of("default").using == "default"


def test_a_database_without_triggers() -> None:
    given = connections.configure_settings({"default": {}})
    wrapper = import_module("django.db.backends.dummy.base").DatabaseWrapper(given["default"])
    connections["elsewhere"] = wrapper
    try:
        with pytest.raises(Unmeasurable) as caught:
            dialect_of("elsewhere")
        assert not capture.supported("elsewhere")
    finally:
        del connections["elsewhere"]
    assert caught.value.check_id == "E010"
    assert str(caught.value) == (
        "the database 'elsewhere' is unknown, for which there are no triggers yet."
    )
    assert caught.value.hint == "Keep counted models in one of: mysql, postgresql, sqlite."


# Watches


def test_a_watch_names_its_table_and_columns() -> None:
    found = Watch(Attempt, (measure(), measure(n=live.Sum("score", per="quiz"))), (telling(),))

    assert found.table == "host_attempt"
    assert found.columns == ["id", "quiz_id", "user_id", "score"]
    assert found.tables == {"host_attempt"}
    assert found.operations == ("insert", "update", "delete")
    assert Watch(ActivityEvent).operations == ("insert",)


def test_a_joined_table_is_mentioned() -> None:
    found = Watch(Attempt, (), (telling(target_label="quiz__course__title"),))

    assert found.tables == {"host_attempt", "host_quiz", "host_course"}


def test_names_are_short_and_one_for_a_table() -> None:
    names = {watch.name for watch in (Watch(Attempt), Watch(Attempt, (measure(),)))}

    assert names == {"livecounters_52e571b88884"}
    assert Watch(Sale).name not in names
    # With the longest operation behind it still a name that PostgreSQL keeps whole.
    assert len(f"{Watch(Sale).name}_insert") <= 63


# Digests


def test_what_is_declared_decides_what_is_outdated(dialect: Dialect) -> None:
    count, total = measure(), measure(n=live.Sum("score"))
    told = telling()
    digests = {
        dialect.digest(watch)
        for watch in (
            Watch(Attempt),
            Watch(Attempt, (count,)),
            Watch(Attempt, (total,)),
            Watch(Attempt, (count, total)),
            Watch(Attempt, (count,), (told,)),
            Watch(Attempt, (count,), (telling(anonymous="show"),)),
        )
    }

    assert len(digests) == 6
    assert {len(digest) for digest in digests} == {16}
    assert dialect.digest(Watch(Attempt, (count, total))) == dialect.digest(
        Watch(Attempt, (total, count))
    )


@isolate_apps("tests.host")
def test_odd_names_are_quoted(dialect: Dialect) -> None:
    class Odd(models.Model):
        order = models.IntegerField(db_column="Order By")
        umlaut = models.IntegerField(db_column="Größe")

        class Meta:
            app_label = "host"
            db_table = "select; from.Ä'x"

    watch = Watch(Odd, (measure(Odd, n=live.Sum(F("order") * 2, per="umlaut")),))
    statements = dialect.install_sql(watch)

    assert watch.columns == ["Order By", "Größe"]
    for statement in statements:
        assert statement.count("select; from.Ä'x") == statement.count('"select; from.Ä\'x"')
        assert statement.count("Order By") == statement.count('"Order By"')
    assert any('ON "select; from.Ä\'x"' in statement for statement in statements)
    assert '"Größe"' in " ".join(statements)


def test_buckets_are_added_in_one_statement(dialect: Dialect) -> None:
    sql, values = dialect.add_sql(Bucket, [("m", "s", 0, n, 1, 2, 3) for n in range(3)])

    assert sql.count("%s") == len(values)
    assert sql.count(";") == 0
    keys, sums = sql.split("ON CONFLICT ")[1].split(" DO UPDATE SET ")
    assert keys == "(measure, scope, grain, start)"
    assert [part.split(" = ")[0] for part in sums.split(", ")] == ["count", "total", "members"]
