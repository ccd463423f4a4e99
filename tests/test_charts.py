"""Charts: what is drawn of counters and gauges, in how many queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User

import livecounters as live
from livecounters import charts, folding, samples
from livecounters.charts import MOST, Chart
from livecounters.numbers import counters
from livecounters.registry import registry
from livecounters.testing import freeze
from livecounters.windows import Rolling, last
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

PARIS = ZoneInfo("Europe/Paris")
NOON = dt.datetime(2026, 3, 30, 12, 20, tzinfo=PARIS)


class Queue(live.LiveSite):
    queue = live.Gauge(lambda: 3)
    lobby = live.Online(room="lobby")
    lately = live.Active()


@pytest.fixture(autouse=True)
def declared(db: None) -> Iterator[None]:
    registry.add_site(Queue)
    with freeze(NOON):
        yield
    registry.remove(Queue)


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


def complete(quiz: Quiz, *moments: dt.datetime, **given: Any) -> None:
    Attempt.objects.bulk_create(
        Attempt(quiz=quiz, completed=True, completed_at=moment, **given) for moment in moments
    )


def ago(**time: int) -> dt.datetime:
    return NOON - dt.timedelta(**time)


def chart(name: str, window: Rolling, step: str = "", scope: str = "") -> Chart:
    return Chart(counters[name], scope, window, step or charts.step_of(window))


def drawn(*asked: Chart) -> Any:
    found = charts.read(list(asked), NOON)
    return found[0] if len(asked) == 1 else found


@pytest.mark.parametrize(
    ("window", "step", "size"),
    [
        (last(minutes=90), "minute", 90),
        (last(hours=2), "minute", 120),
        (last(hours=3), "quarter", 12),
        (last(hours=12), "hour", 12),
        (last(days=1), "hour", 24),
        (last(days=7), "day", 7),
        (last(days=MOST), "day", MOST),
    ],
)
def test_steps_that_are_easily_read(window: Rolling, step: str, size: int) -> None:
    found = chart("attempts", window)

    assert (found.step, found.size) == (step, size)
    assert len(drawn(found).series) == size if step != "minute" else True


def test_half_a_day_by_the_hour(quiz: Quiz, django_assert_num_queries: Any) -> None:
    complete(quiz, NOON, ago(minutes=19), ago(minutes=21), ago(hours=11), ago(hours=13))
    folding.fold("default")
    complete(quiz, NOON)

    with django_assert_num_queries(2):
        found = drawn(chart("attempts", last(hours=12)))

    assert [value for _, value in found.series] == [1, *[0] * 9, 1, 3]
    assert [point.running for point in found.series] == [False] * 11 + [True]
    assert found.as_json() == {
        "start": "2026-03-29T23:00:00.000Z",
        "step": 3600,
        "values": [1, *[0] * 9, 1, 3],
        "highest": 3,
        # Five against one.
        "change": 400.0,
    }


def test_all_in_the_same_queries(quiz: Quiz, django_assert_num_queries: Any) -> None:
    complete(quiz, NOON, score=70)
    asked = [
        chart("attempts", last(hours=12)),
        chart("score_avg", last(days=7)),
        chart("learners", last(days=7)),
        chart("queue", last(hours=12)),
        chart("per_quiz", last(hours=12), scope=str(quiz.pk)),
        chart("lobby", last(hours=3)),
    ]

    with django_assert_num_queries(3):
        found = drawn(*asked)

    assert [one.chart for one in found] == asked
    assert [one.series[-1].value for one in found] == [1, 70.0, 0, None, 1, None]


def test_a_mean_of_nothing_is_a_gap(quiz: Quiz) -> None:
    complete(quiz, ago(hours=2), score=10)
    complete(quiz, ago(hours=2), score=11)
    complete(quiz, ago(hours=2), score=11)

    found = drawn(chart("score_avg", last(hours=3), "hour")).as_json()

    assert found["values"] == [10.6667, None, None]
    assert (found["highest"], found["change"]) == (10.6667, None)


@pytest.mark.parametrize(
    ("noon", "hours"),
    [
        (dt.datetime(2026, 3, 30, 12, tzinfo=PARIS), 23),
        (dt.datetime(2026, 10, 26, 12, tzinfo=PARIS), 25),
    ],
)
def test_the_day_on_which_clocks_change(quiz: Quiz, noon: dt.datetime, hours: int) -> None:
    begin = noon.replace(hour=0) - dt.timedelta(days=1)
    day = begin.astimezone(dt.UTC)
    complete(quiz, *(day + dt.timedelta(hours=n) for n in range(hours)))

    (found,) = charts.read([chart("attempts", last(days=4))], noon)

    assert [value for _, value in found.series] == [0, 0, hours, 0]
    assert found.series[2].start == begin


def test_a_gauge_is_compared_by_its_mean() -> None:
    for hours, value in ((1, 30), (2, 20), *((n, 10) for n in range(13, 19))):
        samples.record(counters["queue"].name, value, ago(hours=hours).timestamp())

    found = drawn(chart("queue", last(hours=12)))

    assert [value for _, value in found.series] == [*[None] * 9, 20, 30, None]
    assert found.change.percent == 150.0


def test_of_little_that_is_known_there_is_no_trend() -> None:
    for hours, value in ((1, 30), *((n, 10) for n in range(13, 18))):
        samples.record(counters["queue"].name, value, ago(hours=hours).timestamp())

    assert drawn(chart("queue", last(hours=12))).percent is None


@pytest.mark.parametrize(("number", "percent"), [(10, 900.0), (11, None)])
def test_against_next_to_nothing_there_is_no_trend(
    quiz: Quiz, number: int, percent: float | None
) -> None:
    complete(quiz, ago(hours=13), *[ago(hours=1)] * number)

    found = drawn(chart("attempts", last(hours=12)))

    assert found.percent == found.as_json()["change"] == percent


def test_unknown_where_nothing_was_before(quiz: Quiz) -> None:
    complete(quiz, NOON)

    assert drawn(chart("attempts", last(hours=12))).change.percent is None
    assert drawn(chart("queue", last(hours=12))).as_json()["change"] is None
    assert drawn(chart("queue", last(hours=12))).as_json()["highest"] is None


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(
        TypeError, match="no history to draw: give a counter whose class has an at="
    ):
        chart("gifts", last(hours=12))
    with pytest.raises(TypeError, match="no history"):
        chart("lately", last(hours=12))
    with pytest.raises(ValueError, match="choose one of 'minute', 'quarter', 'hour', 'day'"):
        chart("attempts", last(hours=12), "week")
    with pytest.raises(ValueError, match="A chart of 2001 steps: 2000 are the most"):
        chart("attempts", last(minutes=2001), "minute")
    with pytest.raises(ValueError, match="see the setting RETENTION"):
        chart("attempts", last(days=70), "hour").check(NOON)


def test_of_a_person(quiz: Quiz) -> None:
    ada = User.objects.create(username="ada")
    complete(quiz, NOON, user=ada)
    complete(quiz, NOON)

    found = drawn(chart("per_user", last(hours=6), scope=str(ada.pk)))

    assert sum(value for _, value in found.series) == 1
