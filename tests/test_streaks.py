"""Streaks, weeks and months: a table of days."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecounters.streaks import Streak, month_of, streak_of, sum_of, week_of

TODAY = dt.date(2026, 3, 15)


def days(*back: int) -> list[dt.date]:
    return [TODAY - dt.timedelta(days=n) for n in back]


@pytest.mark.parametrize(
    ("done", "current", "longest"),
    [
        ((), 0, 0),
        ((0,), 1, 1),
        ((1,), 1, 1),
        ((2,), 0, 1),
        ((0, 1, 2), 3, 3),
        ((1, 2, 3), 3, 3),
        ((0, 2, 3, 4), 1, 3),
        ((2, 3, 4), 0, 3),
        ((0, 1, 3, 4, 5, 6), 2, 4),
        ((0, 0, 1, 1), 2, 2),
        ((-1, 0, 1), 2, 2),
        ((-1,), 0, 0),
        ((365, 366), 0, 2),
    ],
)
def test_a_streak(done: tuple[int, ...], current: int, longest: int) -> None:
    assert streak_of(days(*done), TODAY) == Streak(current, longest)


@given(st.sets(st.integers(0, 40)))
def test_a_streak_is_what_counting_back_says(done: set[int]) -> None:
    found = streak_of(days(*done), TODAY)

    start = 0 if 0 in done else 1
    expected = 0
    while start + expected in done:
        expected += 1
    assert found.current == expected
    assert found.longest >= found.current
    assert (found.longest > 0) == bool(done)


def test_over_the_end_of_a_year_and_of_february() -> None:
    done = [dt.date(2027, 12, 31), dt.date(2028, 1, 1)]
    assert streak_of(done, dt.date(2028, 1, 1)) == Streak(2, 2)
    done = [dt.date(2028, 2, 28), dt.date(2028, 2, 29), dt.date(2028, 3, 1)]
    assert streak_of(done, dt.date(2028, 3, 1)) == Streak(3, 3)


@pytest.mark.parametrize(
    ("week_start", "first"),
    [(0, 9), (1, 10), (2, 11), (3, 12), (4, 13), (5, 14), (6, 15)],
)
def test_a_week_begins_when_the_site_says(week_start: int, first: int) -> None:
    assert week_of(TODAY, week_start) == dt.date(2026, 3, first)


def test_months_and_sums() -> None:
    assert month_of(TODAY) == dt.date(2026, 3, 1)
    done = {day: n for n, day in enumerate(days(0, 1, 2, 3))}
    assert sum_of(done, TODAY - dt.timedelta(days=2), TODAY) == 3
    assert sum_of({}, TODAY, TODAY) == 0
