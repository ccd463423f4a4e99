"""What a counter is worth is said twice, in Python and in SQL: the same."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import livecounters as live
from livecounters.dialects import dialect_of
from livecounters.ledger import Tally
from livecounters.measures import measure_of
from livecounters.registry import Registry
from livecounters.worth import Worth
from tests.host.models import Sale

pytestmark = pytest.mark.django_db

DECLARED: dict[str, live.Count | live.Sum | live.Avg | live.Min | live.Max] = {
    "count": live.Count(),
    "members": live.Count("course", distinct=True),
    "estimate": live.Count("course", distinct=True, sample=64),
    "whole": live.Sum("quantity"),
    "exact": live.Sum("price"),
    "inexact": live.Sum("weight"),
    "product": live.Sum(F("price") * F("quantity")),
    "mean": live.Avg("quantity"),
    "exact_mean": live.Avg("price"),
    "inexact_mean": live.Avg("weight"),
    "least": live.Min("quantity"),
    "most": live.Max("price"),
    "least_inexact": live.Min("weight"),
}

# SQLite's floats hold 15 digits.
numbers = st.integers(-(10**13), 10**13)
tallies = st.builds(
    Tally, st.integers(0, 10**9), numbers, st.integers(0, 10**9), st.none() | numbers, numbers
)


@pytest.fixture(scope="module")
def worths() -> dict[str, Worth]:
    found = Registry()
    found.add(Sale, type("Worths", (live.LiveModel,), dict(DECLARED)))
    return {entry.name: Worth(entry.declared, measure_of(entry)) for entry in found.counters}


def in_sql(worth: Worth, tally: Tally) -> Any:
    dialect = dialect_of("default")

    def text(number: int | None) -> str:
        return "NULL" if number is None else dialect.ordered(str(number))

    sql = (
        f"SELECT {worth.sql(dialect)} FROM (SELECT {tally.count} AS count, {tally.total} AS total, "
        f"SUM({tally.members}) AS members, {text(tally.low)} AS low, {text(tally.high)} AS high) w"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@pytest.mark.parametrize("name", DECLARED)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(tally=tallies)
def test_the_same_in_both(worths: dict[str, Worth], name: str, tally: Tally) -> None:
    worth = worths[name]
    said, found = worth.of(tally), in_sql(worth, tally)
    if said is None:
        assert found is None
    else:
        assert float(found) == pytest.approx(float(said), rel=1e-12)


@pytest.mark.parametrize("name", DECLARED)
def test_what_it_is_made_from_is_named_once_and_in_order(
    worths: dict[str, Worth], name: str
) -> None:
    worth = worths[name]
    if worth.measure.member is None:
        sql = worth.sql(dialect_of("default"), "<count>", "<total>")
        assert re.findall(r"<(\w+)>", sql) == list(worth.sums)


def test_unknown_without_rows(worths: dict[str, Worth]) -> None:
    nothing = {name: worth.of(Tally()) for name, worth in worths.items()}

    assert {name for name, value in nothing.items() if value is None} == {
        name for name, worth in worths.items() if not worth.zero
    }
    assert nothing["exact"] == Decimal(0)
