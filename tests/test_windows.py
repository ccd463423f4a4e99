"""Windows of time: tables of the calendar's odd days, and what must hold on every day."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecounters.windows import (
    Calendar,
    Clock,
    Grain,
    Interval,
    Rolling,
    Window,
    cover,
    ever,
    last,
    named,
    this_month,
    this_week,
    today,
    written,
)

MINUTE, QUARTER, HOUR, DAY = 60, 900, 3600, 86400
WIDTH = {Grain.MINUTE: MINUTE, Grain.QUARTER: QUARTER}

PARIS, NEW_YORK, SAO_PAULO = "Europe/Paris", "America/New_York", "America/Sao_Paulo"
KOLKATA, APIA, KATHMANDU, LORD_HOWE = (
    "Asia/Kolkata",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
)
ZONES = [PARIS, NEW_YORK, SAO_PAULO, KOLKATA, APIA, KATHMANDU, LORD_HOWE, "UTC"]


def clock(zone: str, wall: bool = False) -> Clock:
    return Clock(ZoneInfo(zone), wall)


def stamp(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp())


def said(interval: Interval, zone: str) -> tuple[str, str]:
    """An interval as its edges' wall clocks, with offsets."""
    first, after = (dt.datetime.fromtimestamp(edge or 0, ZoneInfo(zone)) for edge in interval)
    return first.isoformat(timespec="minutes"), after.isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("zone", "now", "first", "after", "hours"),
    [
        ("UTC", "2026-11-21T12:00Z", "2026-11-21T00:00+00:00", "2026-11-22T00:00+00:00", 24),
        # Late in the evening it is tomorrow in the east and still yesterday in the west.
        (PARIS, "2026-11-21T23:30Z", "2026-11-22T00:00+01:00", "2026-11-23T00:00+01:00", 24),
        (NEW_YORK, "2026-11-21T04:30Z", "2026-11-20T00:00-05:00", "2026-11-21T00:00-05:00", 24),
        (KOLKATA, "2026-11-20T18:30Z", "2026-11-21T00:00+05:30", "2026-11-22T00:00+05:30", 24),
        (KATHMANDU, "2026-11-20T18:14Z", "2026-11-20T00:00+05:45", "2026-11-21T00:00+05:45", 24),
        (PARIS, "2026-03-29T12:00Z", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 23),
        (PARIS, "2026-10-25T00:30Z", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25),
        (PARIS, "2026-10-25T01:30Z", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25),
        (NEW_YORK, "2026-03-08T12:00Z", "2026-03-08T00:00-05:00", "2026-03-09T00:00-04:00", 23),
        (NEW_YORK, "2026-11-01T12:00Z", "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00", 25),
        (LORD_HOWE, "2026-10-04T06:00Z", "2026-10-04T00:00+10:30", "2026-10-05T00:00+11:00", 23.5),
        # A midnight that there was not: the day began at one.
        (SAO_PAULO, "2018-11-04T12:00Z", "2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00", 23),
        (SAO_PAULO, "2018-11-04T03:00Z", "2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00", 23),
        (SAO_PAULO, "2018-11-04T02:59Z", "2018-11-03T00:00-03:00", "2018-11-04T01:00-02:00", 24),
        # Midnight came, and it was eleven again.
        (SAO_PAULO, "2018-02-18T02:30Z", "2018-02-17T00:00-02:00", "2018-02-18T00:00-03:00", 25),
        # The 30th of December 2011 was left out.
        (APIA, "2011-12-30T09:59Z", "2011-12-29T00:00-10:00", "2011-12-31T00:00+14:00", 24),
        (APIA, "2011-12-30T10:00Z", "2011-12-31T00:00+14:00", "2012-01-01T00:00+14:00", 24),
    ],
)
def test_today_is_the_calendar_day_of_the_zone(
    zone: str, now: str, first: str, after: str, hours: float
) -> None:
    found = today.interval(stamp(now), clock(zone))

    assert said(found, zone) == (first, after)
    assert (found.end or 0) - (found.start or 0) == hours * HOUR


@pytest.mark.parametrize(
    ("week_start", "now", "first"),
    [
        (0, "2026-11-21T12:00Z", "2026-11-16"),
        (0, "2026-11-16T00:00Z", "2026-11-16"),
        (6, "2026-11-21T12:00Z", "2026-11-15"),
        (6, "2026-11-22T12:00Z", "2026-11-22"),
        (5, "2026-11-21T12:00Z", "2026-11-21"),
        (5, "2026-11-20T12:00Z", "2026-11-14"),
        (0, "2026-01-01T12:00Z", "2025-12-29"),
    ],
)
def test_a_week_begins_when_the_site_says(week_start: int, now: str, first: str) -> None:
    found = this_week.interval(stamp(now), clock("UTC"), week_start)

    start = stamp(first + "T00:00Z")
    assert found == (start, start + 7 * DAY)


@pytest.mark.parametrize(
    ("window", "zone", "now", "first", "after"),
    [
        # Weeks and months in which the clocks change.
        (this_week, PARIS, "2026-03-25T12:00Z", "2026-03-23T00:00+01:00", "2026-03-30T00:00+02:00"),
        (
            this_month,
            PARIS,
            "2026-10-31T23:30Z",
            "2026-11-01T00:00+01:00",
            "2026-12-01T00:00+01:00",
        ),
        (
            this_month,
            PARIS,
            "2026-10-31T22:30Z",
            "2026-10-01T00:00+02:00",
            "2026-11-01T00:00+01:00",
        ),
        (
            this_month,
            "UTC",
            "2028-02-29T12:00Z",
            "2028-02-01T00:00+00:00",
            "2028-03-01T00:00+00:00",
        ),
        (
            this_month,
            "UTC",
            "2026-12-31T12:00Z",
            "2026-12-01T00:00+00:00",
            "2027-01-01T00:00+00:00",
        ),
        (this_month, APIA, "2011-12-15T12:00Z", "2011-12-01T00:00-10:00", "2012-01-01T00:00+14:00"),
    ],
)
def test_weeks_and_months(window: Window, zone: str, now: str, first: str, after: str) -> None:
    assert said(window.interval(stamp(now), clock(zone)), zone) == (first, after)


def test_ever_has_no_bounds_and_needs_no_time() -> None:
    assert ever.interval(0, clock(PARIS)) == (None, None)
    assert [window.timed for window in (ever, today, last(days=1))] == [False, True, True]


@pytest.mark.parametrize(
    ("window", "now", "start", "end"),
    [
        # Under two hours by the minute, from then on by the quarter hour.
        (last(minutes=1), 90, 0, 120),
        (last(minutes=15), 1000, 60, 1020),
        (last(minutes=119), 8000, 840, 8040),
        (last(hours=2), 8000, 0, 8100),
        (last(days=1, hours=1, minutes=1), 200_000, 109_800, 200_700),
        (last(days=1), 86_400, 0, 87_300),
    ],
)
def test_rolling_windows_move_in_steps(window: Rolling, now: int, start: int, end: int) -> None:
    assert window.interval(now, clock(PARIS)) == (start, end)


@given(seconds=st.integers(60, 400 * DAY), now=st.integers(0, 4_000_000_000), dates=st.booleans())
def test_nothing_younger_than_its_length_is_missing(seconds: int, now: int, dates: bool) -> None:
    window = Rolling(seconds)
    step = DAY if dates else MINUTE if seconds < 2 * HOUR else QUARTER

    start, end = window.interval(now, Clock(ZoneInfo(PARIS), wall=dates, dates=dates))

    assert start is not None
    assert end is not None
    assert now - seconds - step < start <= now - seconds
    assert now < end <= now + step
    assert start % step == end % step == 0


def test_days_alone_are_left_whole() -> None:
    days = Clock(ZoneInfo(PARIS), wall=True, dates=True)

    # Twelve hours ago was yesterday in the morning, and today in the evening.
    assert last(hours=12).interval(10 * HOUR, days) == (-DAY, DAY)
    assert last(hours=12).interval(13 * HOUR, days) == (0, DAY)


MOMENTS = st.integers(stamp("2000-01-01T00:00Z") // MINUTE, stamp("2040-01-01T00:00Z") // MINUTE)


@given(
    zone=st.sampled_from(ZONES),
    wall=st.booleans(),
    start=MOMENTS,
    minutes=st.integers(1, 60 * 24 * 40),
    coarsest=st.sampled_from([Grain.DAY, Grain.QUARTER, Grain.MINUTE]),
)
def test_a_cover_is_exact_disjoint_and_aligned(
    zone: str, wall: bool, start: int, minutes: int, coarsest: Grain
) -> None:
    kept = clock(zone, wall)
    interval = Interval(start * MINUTE, (start + minutes) * MINUTE)

    spans = cover(interval, kept, coarsest)

    # End to end, without gap or overlap, from edge to edge.
    edges = [edge for span in spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert edges[::2][1:] == edges[1::2][:-1]
    assert (edges[0], edges[-1]) == interval
    for grain, first, after in spans:
        assert first < after
        assert grain <= coarsest
        if grain is Grain.DAY:
            assert kept.day_start(first) == first
            assert kept.day_start(after) == after
        else:
            assert first % WIDTH[grain] == after % WIDTH[grain] == 0


@given(
    zone=st.sampled_from(ZONES),
    window=st.one_of(
        st.sampled_from([today, this_week, this_month]),
        st.integers(1, 60 * 24 * 90).map(lambda minutes: last(minutes=minutes)),
    ),
    now=MOMENTS,
    at=st.integers(-100 * DAY // MINUTE, 40 * DAY // MINUTE),
    week_start=st.integers(0, 6),
)
def test_each_stamp_of_a_window_is_in_one_bucket_of_its_cover(
    zone: str, window: Window, now: int, at: int, week_start: int
) -> None:
    kept = clock(zone)
    interval = window.interval(now * MINUTE, kept, week_start)
    one = (now + at) * MINUTE

    # The buckets that folding puts the stamp into.
    starts = {
        Grain.DAY: kept.day_start(one),
        Grain.QUARTER: one // QUARTER * QUARTER,
        Grain.MINUTE: one,
    }
    found = [s for s in cover(interval, kept) if s.start <= starts[s.grain] < s.end]

    inside = (interval.start or 0) <= one < (interval.end or 0)
    assert len(found) == inside
    if isinstance(window, Calendar):
        assert (interval.start or 0) <= now * MINUTE < (interval.end or 0)


@pytest.mark.parametrize("window", [today, this_week, this_month])
@given(zone=st.sampled_from(ZONES), now=MOMENTS)
def test_calendar_windows_follow_each_other(window: Window, zone: str, now: int) -> None:
    start, end = window.interval(now * MINUTE, clock(zone))
    assert end is not None

    assert window.interval(end, clock(zone)).start == end
    assert window.interval(end - 1, clock(zone)) == (start, end)
    earlier = window.previous(now * MINUTE, clock(zone))
    assert earlier.start == window.interval((start or 0) - 1, clock(zone)).start
    assert earlier.end is not None
    assert earlier.end <= (start or 0)
    # All of it when all of this one has passed, unless it was the longer one.
    whole = window.previous(end - 1, clock(zone))
    length = (start or 0) - (whole.start or 0)
    assert (whole.end or 0) - (whole.start or 0) == min(length, end - (start or 0))


@given(zone=st.sampled_from(ZONES), now=MOMENTS, hours=st.integers(1, 2000))
def test_rolling_windows_adjoin(zone: str, now: int, hours: int) -> None:
    window = last(hours=hours)
    running = window.interval(now * MINUTE, clock(zone))

    earlier = window.previous(now * MINUTE, clock(zone))

    assert earlier.end == running.start
    assert (earlier.end or 0) - (earlier.start or 0) == (running.end or 0) - (running.start or 0)


def test_today_until_noon_follows_yesterday_until_noon() -> None:
    noon = stamp("2026-11-04T12:00+01:00")

    earlier = today.previous(noon, clock(PARIS))

    assert earlier == (stamp("2026-11-03T00:00+01:00"), stamp("2026-11-03T12:15+01:00"))


def test_there_is_nothing_before_ever() -> None:
    with pytest.raises(ValueError, match="no window before"):
        ever.previous(0, clock("UTC"))


def test_days_come_in_runs_of_24_hours() -> None:
    start, end = stamp("2026-01-01T00:00+01:00"), stamp("2026-12-31T00:00+01:00")
    spring, autumn = stamp("2026-03-29T00:00+01:00"), stamp("2026-10-25T00:00+02:00")

    assert clock(PARIS).runs(start, end) == [
        (start, spring),
        (spring + 23 * HOUR, autumn),
        (autumn + 25 * HOUR, end),
    ]
    assert clock("UTC").runs(DAY + 5, 3 * DAY) == [(DAY, 3 * DAY)]


@given(zone=st.sampled_from(ZONES), now=MOMENTS)
def test_runs_are_the_days_of_the_zone(zone: str, now: int) -> None:
    one, at = clock(zone), now * MINUTE
    runs = one.runs(at - 40 * DAY, at + 40 * DAY)

    first, last = [run for run in runs if run[0] <= at][-1]

    assert min(first + (at - first) // DAY * DAY, last) == one.day_start(at)


def test_clocks_that_went_back_past_midnight() -> None:
    """At one minute past midnight it became 23:01 again; the day had begun."""
    one = clock("America/St_Johns")
    midnight = one.midnight(dt.date(2010, 11, 7))
    again = midnight + 30 * MINUTE

    assert one.moment(again).hour == 23
    assert one.day(again) == dt.date(2010, 11, 7)
    assert one.day(midnight - 1) == dt.date(2010, 11, 6)
    assert today.interval(again, one).start == one.day_start(again) == midnight
    spans = cover(Interval(again, midnight + 3 * DAY + HOUR), one)
    assert spans[0][:2] == (Grain.QUARTER, again)


def test_what_has_no_bounds_is_one_bucket() -> None:
    assert cover(Interval(None, None), clock(PARIS)) == [(Grain.EVER, 0, 1)]


def test_an_empty_interval_is_no_bucket() -> None:
    assert cover(Interval(DAY, DAY), clock("UTC")) == []


def test_whole_days_are_read_as_days() -> None:
    interval = Interval(stamp("2026-11-01T23:45+01:00"), stamp("2026-11-04T00:01+01:00"))

    grains = [(grain, end - start) for grain, start, end in cover(interval, clock(PARIS))]

    assert grains == [(Grain.QUARTER, QUARTER), (Grain.DAY, 2 * DAY), (Grain.MINUTE, MINUTE)]


# Clocks


def test_a_wall_clock_has_the_site_s_day_and_no_zone() -> None:
    moment = dt.datetime(2026, 11, 21, 23, 30, tzinfo=dt.UTC)  # tomorrow in Paris
    kept = clock(PARIS, wall=True)

    assert kept.stamp(moment) == stamp("2026-11-22T00:30Z")
    assert kept.day(kept.stamp(moment)) == dt.date(2026, 11, 22)
    assert kept.moment(kept.stamp(moment)) == moment
    assert today.interval(kept.stamp(moment), kept) == (
        stamp("2026-11-22T00:00Z"),
        stamp("2026-11-23T00:00Z"),
    )


@pytest.mark.parametrize("wall", [False, True])
def test_a_stamp_is_floored_to_the_second_before_1970_too(wall: bool) -> None:
    kept = clock("UTC", wall)

    assert kept.stamp(dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC)) == -1
    assert kept.stamp(dt.datetime(1970, 1, 1, 0, 0, 0, 999_999, tzinfo=dt.UTC)) == 0


def test_a_naive_moment_is_refused() -> None:
    naive = dt.datetime(2026, 11, 21)  # noqa: DTZ001
    with pytest.raises(ValueError, match=r"has no time zone; give an aware datetime\.$"):
        clock(PARIS).stamp(naive)


# What cannot be meant


@pytest.mark.parametrize(
    ("given_", "text"),
    [
        ({"days": -1}, "last(days=-1): give a whole number that is not negative."),
        ({"hours": 1.5}, "last(hours=1.5): give a whole number that is not negative."),
        ({"minutes": True}, "last(minutes=True): give a whole number that is not negative."),
        ({"days": "3"}, "last(days='3'): give a whole number that is not negative."),
        ({}, "last() needs minutes=, hours= or days=, one minute at the least."),
        ({"days": 0}, "last() needs minutes=, hours= or days=, one minute at the least."),
    ],
)
def test_a_length_that_is_none(given_: dict[str, int], text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        last(**given_)
    assert str(caught.value) == text


def test_window_is_no_window_of_its_own() -> None:
    with pytest.raises(TypeError, match=r"^Window is not a window of its own\.$"):
        Window().interval(0, clock(PARIS))


def test_equal_windows_are_equal() -> None:
    assert last(days=1) == last(hours=24)
    assert last(days=1) != last(days=2)
    assert len({today, Calendar("day"), this_week, this_month, ever, last(days=1)}) == 5


def test_windows_have_names() -> None:
    assert [named(name) for name in ("ever", "today", "this_week", "this_month")] == [
        ever,
        today,
        this_week,
        this_month,
    ]
    assert named("day") == today
    assert named("week") == this_week
    assert named("month") == this_month
    assert named("90m") == last(minutes=90)
    assert named("12h") == last(hours=12)
    for text in ("", "tomorrow", "0d", "-1d", "1.5h", "100000d", "d", "\u0661d"):
        with pytest.raises(ValueError, match="Give one of ever, today"):
            named(text)


@pytest.mark.parametrize(
    ("window", "text"),
    [
        (ever, "ever"),
        (this_week, "this_week"),
        (last(days=30), "30d"),
        (last(hours=36), "36h"),
        (last(hours=1, minutes=30), "90m"),
    ],
)
def test_a_window_as_text_can_be_read(window: Window, text: str) -> None:
    assert written(window) == text
    assert named(text) == window
