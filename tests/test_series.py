"""Series apart from their numbers: as CSV, and their trend. The numbers: test_readers."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecounters.series import Point, Series

START = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
VALUES = st.lists(st.none() | st.integers(-(10**6), 10**6))


def series(values: list[int | None]) -> Series:
    hours = [START + dt.timedelta(hours=n) for n in range(len(values))]
    last = len(values) - 1
    return Series(
        Point(hour, value, n == last)
        for n, (hour, value) in enumerate(zip(hours, values, strict=True))
    )


@given(VALUES)
def test_what_is_written_can_be_read(values: list[int | None]) -> None:
    found = series(values)
    head, *lines = csv.reader(io.StringIO(found.csv(), newline=""))

    assert head == ["start", "value"]
    assert [(dt.datetime.fromisoformat(a), int(b) if b else None) for a, b in lines] == list(found)


def test_as_csv() -> None:
    assert series([3, None]).csv() == (
        "start,value\r\n2026-11-21T00:00:00+00:00,3\r\n2026-11-21T01:00:00+00:00,\r\n"
    )


@given(st.integers(-100, 100), st.integers(-9, 9), st.integers(2, 30), st.integers())
def test_the_trend_of_a_line_is_its_slope(first: int, slope: int, length: int, last: int) -> None:
    line: list[int | None] = [first + slope * n for n in range(length)]
    assert series([*line, last]).trend == pytest.approx(slope)


@pytest.mark.parametrize(
    ("values", "trend"), [([], None), ([1], None), ([1, 9], None), ([None, 1, 3, 9], 2.0)]
)
def test_what_is_not_known_is_left_out(values: list[int | None], trend: float | None) -> None:
    assert series(values).trend == trend
