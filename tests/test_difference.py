"""The SQL of the difference: days as the clock says them, in any zone, at any time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from hypothesis import example, given, settings
from hypothesis import strategies as st

import livecounters as live
from livecounters import folding, installation
from livecounters.audit import repair, verify
from livecounters.dialects import dialect_of
from livecounters.difference import _day_start, _Step, differences
from livecounters.measures import measure_of
from livecounters.models import Bucket, Member
from livecounters.windows import DAY, EARLIEST, LATEST, QUARTER, Clock, Grain
from tests.host.models import Attempt, Quiz, Sale

pytestmark = pytest.mark.django_db

ZONES = [
    "UTC",
    "Europe/Paris",
    "Europe/Dublin",
    "America/Sao_Paulo",  # days that begin at one o'clock
    "Asia/Beirut",
    "Pacific/Apia",  # a day that never was
    "Africa/Casablanca",  # summer time all year but one month
    "America/Havana",  # a midnight that comes twice
    "America/St_Johns",  # clocks once changed at one minute past midnight
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # summer time of half an hour
    "Antarctica/Troll",
]

YEAR_2000, YEAR_2040 = 946684800, 2208988800

# The hours around the changes of clocks that are hard.
HARD = {
    "America/Sao_Paulo": dt.datetime(2018, 11, 4, 3, tzinfo=dt.UTC),
    "Asia/Beirut": dt.datetime(2022, 3, 26, 22, tzinfo=dt.UTC),
    "Pacific/Apia": dt.datetime(2011, 12, 30, 10, tzinfo=dt.UTC),
    "America/Havana": dt.datetime(2022, 11, 6, 5, tzinfo=dt.UTC),
    "America/St_Johns": dt.datetime(2010, 11, 7, 2, 31, tzinfo=dt.UTC),
    "Europe/Paris": dt.datetime(2024, 3, 31, 1, tzinfo=dt.UTC),
}


@st.composite
def places(draw: st.DrawFn) -> tuple[str, list[int]]:
    """A zone, and stamps of it."""
    zone = draw(st.sampled_from(ZONES))
    anywhere = st.integers(YEAR_2000, YEAR_2040)
    if zone in HARD:
        change = int(HARD[zone].timestamp())
        anywhere |= st.integers(change - 2 * DAY, change + 2 * DAY)
    return zone, draw(st.lists(anywhere, min_size=1, max_size=30))


def days_in_sql(clock: Clock, stamps: list[int], first: int, end: int) -> dict[int, int]:
    start = _day_start(clock, _Step(Grain.DAY, DAY, first, end))
    flow = " UNION ALL ".join(f"SELECT {stamp} AS at" for stamp in stamps)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT at, {start} FROM ({flow}) flow")
        return {int(at): int(day) for at, day in cursor.fetchall()}


@settings(max_examples=120)
@given(places())
@example(("America/St_Johns", [1289097090, 1289097060 + 1800, 1289097060 + 3700]))
def test_days_are_those_of_the_clock(given: tuple[str, list[int]]) -> None:
    zone, stamps = given
    clock = Clock(ZoneInfo(zone))
    stamps = [stamp // 60 * 60 for stamp in stamps]

    found = days_in_sql(clock, stamps, YEAR_2000 - 3 * DAY, YEAR_2040 + 3 * DAY)

    assert found == {stamp: clock.day_start(stamp) for stamp in stamps}


def test_days_of_many_centuries() -> None:
    clock = Clock(ZoneInfo("America/Havana"))
    first, end = (int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp()) for year in (1500, 2999))
    stamps = [first + n * (end - first) // 97 // 60 * 60 for n in range(97)]

    found = days_in_sql(clock, stamps, first, end)

    assert found == {stamp: clock.day_start(stamp) for stamp in stamps}


# Whole measures


def attempts() -> Any:
    return measure_of(live.counters["attempts"].entry)


def complete(*moments: dt.datetime) -> None:
    quiz = Quiz.objects.create(title="Fractions")
    Attempt.objects.bulk_create(
        [Attempt(quiz=quiz, completed=True, completed_at=moment, score=1) for moment in moments]
    )


@pytest.fixture(params=["America/Sao_Paulo", "Pacific/Apia", "America/St_Johns", "UTC"])
def zone(request: pytest.FixtureRequest) -> Iterator[ZoneInfo]:
    """A site in another zone: its measures are others, and are captured."""
    with override_settings(TIME_ZONE=request.param):
        timezone.get_default_timezone.cache_clear()
        installation.sync("default")
        yield ZoneInfo(request.param)
    timezone.get_default_timezone.cache_clear()


def test_a_backfill_says_what_folding_says(zone: ZoneInfo) -> None:
    change = HARD.get(zone.key, HARD["Europe/Paris"])
    complete(*(change + dt.timedelta(minutes=minutes) for minutes in range(-3000, 3000, 29)))
    folding.fold("default")
    days = Bucket.objects.filter(measure=attempts().key, grain=Grain.DAY)
    folded = sorted(days.values_list("start", "count"))

    assert verify(attempts()).wrong == 0
    days.delete()
    assert repair(attempts()) == len(folded)
    assert sorted(days.values_list("start", "count")) == folded


FAR = [
    dt.datetime(1, 1, 1, 12, tzinfo=dt.UTC),
    dt.datetime(1, 1, 2, 12, tzinfo=dt.UTC),
    dt.datetime(1066, 10, 14, tzinfo=dt.UTC),
    dt.datetime(2999, 12, 31, 23, 59, tzinfo=dt.UTC),
    dt.datetime(9999, 12, 31, 12, tzinfo=dt.UTC),
]


@pytest.mark.parametrize("folded", [True, False])
def test_far_moments(folded: bool) -> None:
    moments = FAR if connection.vendor != "mysql" else FAR[2:]
    complete(*moments, timezone.now())
    if folded:
        folding.fold("default")

    assert verify(attempts()).wrong == 0
    assert live.counters["attempts"].value() == len(moments) + 1
    Bucket.objects.filter(measure=attempts().key).delete()
    assert repair(attempts()) == 0 if not folded else repair(attempts()) > 5
    assert verify(attempts()).wrong == 0
    Attempt.objects.all().delete()
    folding.fold("default")
    assert verify(attempts()).wrong == 0
    assert live.counters["attempts"].value() == 0


def test_dates_and_no_dates() -> None:
    days = [None, dt.date(1582, 10, 15), dt.date(2024, 3, 31), dt.date(2100, 2, 28)]
    Sale.objects.bulk_create([Sale(price=1, day=day) for day in days])
    folding.fold("default")
    sales = live.counters["sales"].measure

    assert verify(sales).wrong == 0
    kept = Bucket.objects.filter(measure=sales.key, grain=Grain.DAY)
    before = sorted(kept.values_list("start", "count"))
    assert len(before) == 3
    kept.delete()
    assert repair(sales) == 3
    assert sorted(kept.values_list("start", "count")) == before


def test_what_is_compared_of_members_and_of_rows() -> None:
    dialect = dialect_of("default")
    now = timezone.now()

    def tables(name: str) -> list[Any]:
        found = differences(dialect, live.counters[name].measure, None, now)
        return [difference.model for difference in found]

    assert tables("attempts") == [Bucket]
    assert tables("learners") == tables("score_max") == [Member, Bucket]
    assert list(differences(dialect, attempts(), [], now)) == []


def test_quarters_are_whole_in_every_zone() -> None:
    assert EARLIEST % QUARTER == LATEST % QUARTER == 0
