"""Reading: windows as the host would count them, series, many at once."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

import livecounters as live
from livecounters import folding
from livecounters.exceptions import UnknownName
from livecounters.readers import Question, changes, read
from tests.host.models import Attempt, Course, Quiz, Sale, Tag
from tests.oracle import assert_exact

pytestmark = pytest.mark.django_db

PARIS = ZoneInfo("Europe/Paris")
NOON = dt.datetime(2026, 11, 4, 12, tzinfo=PARIS)


def at(*numbers: int, zone: dt.tzinfo = PARIS) -> dt.datetime:
    return dt.datetime(*numbers, tzinfo=zone)  # type: ignore[arg-type, misc]


@pytest.fixture(autouse=True)
def kept_for_good(settings: Any) -> None:
    """The moments below are fixed; how far they lie back must not matter."""
    settings.LIVECOUNTERS = {"RETENTION": {"quarter_hours": None}}


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


def complete(quiz: Quiz, *moments: dt.datetime, **given: Any) -> None:
    Attempt.objects.bulk_create(
        [Attempt(quiz=quiz, completed=True, completed_at=at, **given) for at in moments]
    )


@pytest.fixture(params=["pending", "folded"])
def folded(request: pytest.FixtureRequest) -> Any:
    """Called before reading: numbers are the same whether they are folded or not."""
    return (lambda: folding.fold("default")) if request.param == "folded" else (lambda: None)


# Days in Paris: the 29th of March 2026 has 23 hours, the 25th of October 25.
DAYS = [
    (at(2026, 3, 28, 23, 59), at(2026, 3, 28, 12), 1),
    (at(2026, 3, 29, 0, 0), at(2026, 3, 28, 12), 0),
    (at(2026, 3, 29, 0, 0), at(2026, 3, 29, 12), 1),
    (at(2026, 3, 29, 23, 59), at(2026, 3, 29, 0, 1), 1),
    (at(2026, 3, 30, 0, 0), at(2026, 3, 29, 23), 0),
    (at(2026, 10, 25, 0, 0), at(2026, 10, 25, 23, 59), 1),
    (at(2026, 10, 25, 23, 59), at(2026, 10, 25, 0, 0), 1),
    (at(2026, 10, 26, 0, 0), at(2026, 10, 25, 23, 59), 0),
]


@pytest.mark.parametrize(("moment", "asked", "expected"), DAYS)
def test_today_is_the_sites_day(
    quiz: Quiz, folded: Any, moment: dt.datetime, asked: dt.datetime, expected: int
) -> None:
    complete(quiz, moment)
    folded()

    assert live.counters["attempts_today"].value(at=asked) == expected


def test_an_hour_that_happens_twice(quiz: Quiz, folded: Any) -> None:
    twice = [dt.datetime(2026, 10, 25, hour, 30, tzinfo=dt.UTC) for hour in (0, 1)]
    complete(quiz, *twice)
    folded()

    counter = live.counters["attempts"]
    series = counter.series(window=live.today, at=at(2026, 10, 25, 12))
    assert len(series) == 25
    assert [n for _, n in series][2:4] == [1, 1]
    assert counter.value(window=live.today, at=at(2026, 10, 25, 12)) == 2


def test_weeks_and_months(quiz: Quiz, folded: Any, settings: Any) -> None:
    complete(quiz, at(2026, 11, 1, 0, 0), at(2026, 11, 16, 0, 0), at(2026, 11, 22, 23, 59))
    folded()
    counter, asked = live.counters["attempts"], at(2026, 11, 18, 9)

    assert counter.value(window=live.this_week, at=asked) == 2
    assert counter.value(window=live.this_month, at=asked) == 3
    settings.LIVECOUNTERS = {"WEEK_START": 6}
    assert counter.value(window=live.this_week, at=asked) == 1


def test_a_rolling_window_falls_without_a_write(quiz: Quiz, folded: Any) -> None:
    complete(quiz, at(2026, 6, 1, 12, 7))
    folded()
    counter = live.counters["attempts_month"]

    assert counter.value(at=at(2026, 6, 1, 12, 6)) == 1
    assert counter.value(at=at(2026, 7, 1, 12, 14)) == 1
    assert counter.value(at=at(2026, 7, 1, 12, 15)) == 0


def test_short_windows_move_by_the_minute(quiz: Quiz, folded: Any) -> None:
    now = timezone.now().replace(second=30, microsecond=0)
    complete(quiz, now - dt.timedelta(minutes=59), now - dt.timedelta(minutes=61))
    folded()

    assert live.counters["attempts_hour"].value(at=now) == 1


def test_rows_without_a_time_count_ever(quiz: Quiz, folded: Any) -> None:
    Attempt.objects.create(quiz=quiz, completed=True)
    folded()

    assert live.counters["attempts"].value() == 1
    assert live.counters["attempts_today"].value() == 0


def test_a_date_is_a_day_of_the_calendar(folded: Any) -> None:
    for day in (20, 21, 22):
        Sale.objects.create(price=1, day=dt.date(2026, 11, day))
    folded()
    counter = live.counters["sales_today"]

    # Half an hour after midnight in Paris it is still yesterday in UTC.
    assert counter.value(at=at(2026, 11, 21, 0, 30)) == 1
    assert counter.value(window=live.last(days=1), at=at(2026, 11, 21, 0, 30)) == 2
    assert counter.series(window=live.this_week, step="day", at=at(2026, 11, 21, 12))[5].value == 1


def test_many_scopes_in_one_query(folded: Any, django_assert_num_queries: Any) -> None:
    quizzes = [Quiz.objects.create(title=str(n)) for n in range(20)]
    for quiz in quizzes[:7]:
        complete(quiz, timezone.now(), score=quiz.pk)
    folded()
    counter = live.counters["per_quiz"]

    with django_assert_num_queries(1):
        values = counter.values(of=quizzes)

    assert [values[quiz] for quiz in quizzes] == [1] * 7 + [0] * 13
    assert values[quizzes[0].pk] == values[str(quizzes[0].pk)] == 1
    with pytest.raises(KeyError):
        values[10**9]
    with pytest.raises(KeyError):
        values[object()]


def test_many_counters_in_one_query(folded: Any, django_assert_num_queries: Any) -> None:
    complete(Quiz.objects.create(title="x"), timezone.now(), score=10)
    folded()
    names = ["attempts", "attempts_today", "score_avg", "learners", "revenue", "quizzes_today"]

    with django_assert_num_queries(1):
        found = read([Question(live.counters[name]) for name in names])

    assert found == [1, 1, 10.0, 0, Decimal("0.00"), 1]


def test_a_counter_without_rows(quiz: Quiz) -> None:
    assert live.counters["score_avg"].value() is None
    assert live.counters["score_avg_per_quiz"].value(of=quiz) is None
    assert live.counters["score_sum"].value() == 0
    assert live.counters["revenue"].value() == Decimal(0)
    assert live.counters["per_quiz"].breakdown() == {}
    assert live.counters["learners"].value() == 0


def test_every_kind_of_key(folded: Any) -> None:
    course = Course.objects.create(title="c")
    # The column's own collation may take "A" and "a" for the same key.
    slugs = ("A", "b", "é") if connection.vendor == "mysql" else ("A", "a", "é")
    tags = [Tag.objects.create(slug=slug) for slug in slugs]
    for tag in tags:
        Sale.objects.create(course=course, tag=tag, price=1, gift=tag.slug == "A")
    folded()

    assert live.counters["sales_per_course"].value(of=course) == 3
    assert live.counters["sales_per_course"].value(of=str(course.pk)) == 3
    assert live.counters["sales_per_course"].value(of=uuid.uuid4()) == 0
    assert [live.counters["sales_per_tag"].value(of=tag) for tag in tags] == [1, 1, 1]
    assert live.counters["sales_per_gift"].value(of=True) == 1
    assert live.counters["sales_per_gift"].value(of=False) == 2
    assert_exact()


def test_money_is_exact(folded: Any) -> None:
    Sale.objects.bulk_create([Sale(price="0.10", quantity=3) for _ in range(1000)])
    Sale.objects.create(price="9999999.99", quantity=2_000_000)
    folded()

    value = live.counters["revenue"].value()
    assert value == Decimal("300.00") + Decimal("9999999.99") * 2_000_000
    assert str(value).endswith(".00")


def test_people_are_counted_once(quiz: Quiz, folded: Any) -> None:
    now = timezone.now()
    ada, ben = [User.objects.create(username=name) for name in ("ada", "ben")]
    for days in (0, 1, 29, 31):
        complete(quiz, now - dt.timedelta(days=days), user=ada)
    complete(quiz, now - dt.timedelta(days=40), user=ben)
    folded()
    counter = live.counters["learners"]

    assert counter.value(at=now) == 1
    assert counter.value(window=live.ever) == 2
    Attempt.objects.filter(user=ada).first().delete()  # type: ignore[union-attr]
    assert counter.value(at=now) == 1
    Attempt.objects.filter(user=ada).delete()
    assert counter.value(at=now) == 0


def test_change_against_the_window_before(
    quiz: Quiz, folded: Any, django_assert_num_queries: Any
) -> None:
    for hours in (1, 2, 25, 26, 27, 20):  # yesterday at 16:00 is later than it is now
        complete(quiz, NOON - dt.timedelta(hours=hours), score=hours)
    folded()

    with django_assert_num_queries(1):
        change = live.counters["attempts"].change(window=live.today, at=NOON)

    assert change == (2, 3)
    assert change.difference == -1
    assert change.percent == pytest.approx(-100 / 3)
    assert live.counters["score_avg"].change(window=live.today, at=NOON).difference == -24.5
    nothing = live.counters["attempts"].change(window=live.today, at=NOON + dt.timedelta(days=9))
    assert (nothing.difference, nothing.percent) == (0, None)
    with pytest.raises(ValueError, match="no window before"):
        live.counters["attempts"].change()


def test_extremes(quiz: Quiz, folded: Any) -> None:
    other = Quiz.objects.create(title="Other")
    assert live.counters["score_max"].value() is None
    for one, score in ((quiz, -3), (quiz, 80), (other, 7)):
        complete(one, NOON, score=score)
    folded()

    assert live.counters["score_min"].value() == -3
    assert live.counters["score_max_per_quiz"].breakdown() == {str(quiz.pk): 80, str(other.pk): 7}
    Attempt.objects.get(score=80).delete()
    assert live.counters["score_max"].value() == 7
    assert live.counters["score_max_per_quiz"].value(of=quiz) == -3
    folded()
    assert live.counters["score_max"].value() == 7
    series = live.counters["score_max"].series(window=live.last(days=2), step="day", at=NOON)
    assert [point.value for point in series if point.value is not None] == [7]


def test_extremes_of_money(folded: Any) -> None:
    for price in ("-9999999.99", "0.01", "9999999.99"):
        Sale.objects.create(price=price)
    folded()

    assert live.counters["price_min"].value() == Decimal("-9999999.99")
    assert live.counters["price_max_per_currency"].value(of="EUR") == Decimal("9999999.99")


def test_people_seen_after_the_window_are_in_it_too(quiz: Quiz, folded: Any) -> None:
    ada = User.objects.create(username="ada")
    for days in (40, 3, 0):
        complete(quiz, NOON - dt.timedelta(days=days), user=ada)
    folded()
    month = live.counters["learners"]

    assert month.value(at=NOON) == 1
    assert month.value(at=NOON - dt.timedelta(days=1)) == 1
    assert month.value(at=NOON - dt.timedelta(days=20)) == 1
    assert month.value(at=NOON - dt.timedelta(days=45)) == 0


def test_a_series_has_no_gaps(quiz: Quiz, folded: Any, django_assert_num_queries: Any) -> None:
    now = at(2026, 11, 20, 15, 40)
    complete(quiz, at(2026, 11, 20, 15, 1), at(2026, 11, 20, 15, 59), at(2026, 11, 20, 4, 0))
    complete(quiz, at(2026, 11, 20, 3, 59))
    folded()

    with django_assert_num_queries(1):
        series = live.counters["attempts"].series(window=live.last(hours=12), step="hour", at=now)

    assert len(series) == 12
    assert [value for _, value in series] == [1] + [0] * 10 + [2]
    assert series[0].start == at(2026, 11, 20, 4)
    assert [point.running for point in series] == [False] * 11 + [True]


@pytest.mark.parametrize(("step", "length"), [("day", 30), ("hour", 720), ("quarter", 2880)])
def test_steps_of_a_series(quiz: Quiz, folded: Any, step: str, length: int) -> None:
    now = at(2026, 11, 20, 15, 40)
    complete(quiz, *(now - dt.timedelta(hours=7 * n) for n in range(20)), score=10)
    folded()

    for name, total in (("attempts", 20), ("score_sum", 200)):
        series = live.counters[name].series(window=live.last(days=30), step=step, at=now)
        assert abs(len(series) - length) <= 1
        assert sum(value or 0 for _, value in series) == total
    means = live.counters["score_avg"].series(window=live.last(days=30), step=step, at=now)
    assert {value for _, value in means} <= {None, 10.0}


def test_a_series_of_people(quiz: Quiz, folded: Any) -> None:
    now = at(2026, 11, 20, 15, 40)
    ada = User.objects.create(username="ada")
    complete(quiz, now, now - dt.timedelta(minutes=20), now - dt.timedelta(hours=1), user=ada)
    folded()

    series = live.counters["learners"].series(window=live.last(hours=3), at=now)
    assert [value for _, value in series] == [0, 1, 1]


def test_a_series_is_counted_from_the_source_if_need_be(quiz: Quiz) -> None:
    from livecounters import capture, installation

    now = at(2026, 11, 20, 15, 40)
    complete(quiz, now)
    capture.detach("default")

    series = live.counters["attempts"].series(window=live.last(hours=2), at=now)
    assert [value for _, value in series] == [0, 1]
    installation.sync("default")


async def test_async_twins() -> None:
    counter = live.counters["attempts"]

    assert await counter.avalue() == 0
    assert await live.counters["per_quiz"].avalues(of=[1]) == {1: 0}
    assert await live.counters["per_quiz"].abreakdown() == {}
    assert len(await counter.aseries(window=live.last(hours=2))) == 2


@pytest.mark.parametrize(
    ("window", "step", "number"),
    [
        (live.last(minutes=1440), "minute", 1440),
        (live.last(hours=12), "hour", 12),
        (live.last(hours=3), "quarter", 12),
        (live.last(days=7), "day", 7),
    ],
)
def test_a_rolling_series_ends_with_the_running_step(
    quiz: Quiz, window: Any, step: str, number: int
) -> None:
    now = timezone.now()
    points = live.counters["attempts"].series(window=window, step=step, at=now)
    first, last = points[0].start, points[-1].start
    complete(quiz, first - dt.timedelta(seconds=1), first, last, now)

    points = live.counters["attempts"].series(window=window, step=step, at=now)

    assert [point.running for point in points] == [False] * (number - 1) + [True]
    assert (points[0].value, points[-1].value) == (1, 2)
    assert sum(value or 0 for _, value in points) == 3


def test_many_changes_in_one_query(quiz: Quiz, django_assert_num_queries: Any) -> None:
    complete(quiz, NOON, NOON - dt.timedelta(days=1), score=10)
    asked = [
        Question(live.counters[name], window=live.last(hours=12))
        for name in ("attempts", "score_avg")
    ]

    with django_assert_num_queries(1):
        found = changes(asked, NOON)

    assert found == [
        live.counters[name].change(window=live.last(hours=12), at=NOON)
        for name in ("attempts", "score_avg")
    ]
    assert found[0].value == 1


def test_wrong_questions_are_told(quiz: Quiz, settings: Any) -> None:
    settings.LIVECOUNTERS = {}
    counters = live.counters
    with pytest.raises(TypeError, match="counted per 'quiz'; give of="):
        counters["per_quiz"].value()
    with pytest.raises(TypeError, match="one number for the site"):
        counters["attempts"].value(of=quiz)
    with pytest.raises(TypeError, match=r"breakdown\(\) needs a per="):
        counters["attempts"].breakdown()
    with pytest.raises(ValueError, match="choose one of 'minute', 'quarter', 'hour', 'day'"):
        counters["attempts"].series(window=live.today, step="week")
    with pytest.raises(ValueError, match=r"such steps are kept since .*see the setting RETENTION"):
        counters["attempts"].series(
            window=live.last(minutes=7), step="minute", at=at(2026, 1, 1, 12, 3)
        )
    with pytest.raises(ValueError, match="needs a window with a beginning"):
        counters["attempts"].series(window=live.ever)
    with pytest.raises(ValueError, match="has no times"):
        counters["gifts"].value(window=live.today)
    with pytest.raises(ValueError, match="has no time zone"):
        counters["attempts_today"].value(at=dt.datetime(2026, 1, 1))  # noqa: DTZ001


def test_counters_are_a_mapping() -> None:
    assert live.counters["attempts"] == live.counters["host.attempts"]
    assert "attempts" in live.counters
    assert "nothing" not in live.counters
    assert len(list(live.counters)) == len(live.counters)
    with pytest.raises(UnknownName, match="Did you mean 'attempts'"):
        live.counters["atempts"]
