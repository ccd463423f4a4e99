"""What all dialects say alike; as text, nothing is executed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.db import connections, models
from django.db.models import F, Q
from django.test.utils import isolate_apps

import livecounters as live
from livecounters import capture, installation
from livecounters.dialects import DIALECTS, Dialect, Watch, dialect_of
from livecounters.exceptions import Unmeasurable
from livecounters.measures import Measure, measure_of
from livecounters.models import ActivityEvent, Bucket, Delta
from livecounters.readers import Counter
from livecounters.registry import Registry
from livecounters.tellings import Telling, telling_of
from tests.host.models import Attempt, Sale, Tag

BACKENDS = {"postgresql": "postgresql", "sqlite": "sqlite3"}


@pytest.fixture(params=BACKENDS)
def dialect(request: Any) -> Iterator[Dialect]:
    """A dialect on a connection that is never opened."""
    backend = f"django.db.backends.{BACKENDS[request.param]}"
    given = connections.configure_settings({"default": {"ENGINE": backend, "NAME": "none"}})
    wrapper = import_module(f"{backend}.base").DatabaseWrapper(given["default"], "text_only")
    connections["text_only"] = wrapper
    yield DIALECTS[request.param]("text_only")
    assert wrapper.connection is None
    del connections["text_only"]


def measure(model: Any = Attempt, **given: Any) -> Measure:
    names = Registry()
    declared = {"n": live.Count(), **given}
    names.add(model, type("Declared", (live.LiveModel,), declared))
    return measure_of(names.counters.get("n"))


def telling(**given: Any) -> Telling:
    names = Registry()
    told = live.Activity("x", **given)
    names.add(Attempt, type("Declared", (live.LiveModel,), {"told": told, "actor": "user"}))
    return telling_of(names.activities.get("told"))


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


# Texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("it's", "'it''s'"),
        ("", "''"),
        ('"', "'\"'"),
        (7, "7"),
        ("100%", "'100%'"),
    ],
)
def test_literals(dialect: Dialect, value: Any, text: str) -> None:
    assert dialect.literal(value).strip() == text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value",
    [
        "it's",
        "100%",
        "%s",
        "{0}",
        "Ä 🎓",
        "; --",
        "\\",
        "$livecounters$",
    ],
)
def test_a_filter_s_text_is_what_it_is(value: str) -> None:
    names = Registry()
    told = live.Activity("x", filter=Q(tag=value))
    declared = {"n": live.Count(filter=Q(tag=value)), "told": told}
    names.add(Sale, type("Declared", (live.LiveModel,), declared))

    installation.sync("default", names)
    for slug in (value, f"{value}!"):
        Sale.objects.create(tag=Tag.objects.create(slug=slug), price=1)

    key = measure_of(names.counters.get("n")).key
    assert Delta.objects.filter(measure=key).count() == 1
    assert ActivityEvent.objects.filter(kind="host.told").count() == 1
    assert Counter(names.counters.get("n")).value() == 1
    capture.detach("default")
    assert Counter(names.counters.get("n")).value() == 1


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


def test_a_filter_that_matches_nothing(dialect: Dialect) -> None:
    nothing = measure(n=live.Count(filter=Q(pk__in=[])))

    with pytest.raises(Unmeasurable, match=r"^the filter matches no row at all\.$") as caught:
        dialect.rows(nothing.rows)
    assert caught.value.check_id == "E002"


def test_signs_and_conditions(dialect: Dialect) -> None:
    found = dialect.contribution(measure(n=live.Sum("score", per="user")), "changed", "-", "x <> y")

    assert ", -1 AS count, -" in found
    assert 'FROM changed "host_attempt"' in found
    assert " WHERE livecounters_scope IS NOT NULL AND livecounters_value IS NOT NULL" in found
    assert found.endswith(" AND (x <> y)")


@pytest.mark.parametrize(
    ("anonymous", "skips", "mutes"),
    [("skip", True, False), ("count", False, True), ("show", False, False)],
)
def test_somebody_anonymous(dialect: Dialect, anonymous: str, skips: bool, mutes: bool) -> None:
    found = dialect.happened(telling(anonymous=anonymous), "changed")

    assert ("WHERE r.livecounters_actor IS NOT NULL" in found) is skips
    assert ("OR r.livecounters_actor IS NULL) AS untold" in found) is mutes


def test_buckets_are_added_in_one_statement(dialect: Dialect) -> None:
    sql, values = dialect.add_sql(Bucket, [("m", "s", 0, n, 1, 2, 3) for n in range(3)])

    assert sql.count("%s") == len(values)
    assert sql.count(";") == 0
    keys, sums = sql.split("ON CONFLICT ")[1].split(" DO UPDATE SET ")
    assert keys == "(measure, scope, grain, start)"
    assert [part.split(" = ")[0] for part in sums.split(", ")] == ["count", "total", "members"]
