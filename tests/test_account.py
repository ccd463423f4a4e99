"""A number's own account: the parts add up to the value, and the source says the same."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

import livecounters as live
from livecounters import audit, capture, folding
from livecounters.account import Account, account_of
from livecounters.models import Bucket, Measured
from tests.host.models import Attempt, Quiz, Sale

pytestmark = pytest.mark.django_db


@pytest.fixture
def quiz() -> Quiz:
    """Rows of several days, partly folded."""
    people = [User.objects.create(username=name) for name in ("ada", "bob")]
    quiz = Quiz.objects.create(title="Fractions")
    for n in range(8):
        at = timezone.now() - dt.timedelta(days=5 * n)
        one = {"completed": True, "completed_at": at, "score": n, "user": people[n % 2]}
        Attempt.objects.create(quiz=quiz, **one)
        Sale.objects.create(price="1.10", quantity=n, day=at.date())
        if n == 5:
            folding.fold("default")
    return quiz


def account(name: str, of: Any = None) -> Account:
    return account_of(live.counters[name], of)


@pytest.mark.usefixtures("quiz")
@pytest.mark.parametrize("name", sorted(live.counters))
def test_every_number_adds_up(name: str) -> None:
    counter = live.counters[name]
    per = counter.entry.declared.per
    for of in [None] if per is None else list(counter.breakdown()):
        found = account_of(counter, of)
        assert found.value == counter.value(of=of)
        assert found.verdict == "equal"
        amounts = [part.amount for part in found.parts]
        if all(isinstance(amount, int) for amount in amounts) and "max" not in name:
            assert sum(amounts) == found.value


def test_the_parts_of_a_window(quiz: Quiz) -> None:
    found = account("attempts_month")

    kinds = [part.what for part in found.parts]
    assert kinds[-1] == "pending deltas"
    assert "day buckets" in kinds
    start, end = found.window
    assert start is not None
    assert end is not None
    assert end - start > dt.timedelta(days=29)
    pending = found.parts[-1]
    # Two were written since the last fold; one of them a month ago at least.
    assert (pending.rows, pending.amount) == (1, 1)


def test_what_it_says_of_the_measure(quiz: Quiz) -> None:
    audit.verify(live.counters["per_quiz"].measure)

    told = account("per_quiz", quiz).as_json()

    assert told["counter"] == "host.per_quiz"
    assert told["of"] == str(quiz.pk)
    assert told["declared"] == "Count(per='quiz', public=True)"
    assert 'FROM "host_attempt"' in told["sql"].replace("`", '"')
    assert (told["triggers"], told["ready"], told["trouble"]) == ("installed", True, "")
    assert told["drift"] == 0
    assert told["since"]
    assert told["shared_with"] == []
    assert account("attempts").as_json()["shared_with"] == [
        "host.attempts_today",
        "host.attempts_hour",
        "host.attempts_month",
    ]


def test_a_number_that_is_wrong(quiz: Quiz) -> None:
    folding.fold("default")
    Bucket.objects.filter(measure=live.counters["attempts"].measure.key).update(
        count=F("count") + 3
    )

    found = account("attempts")

    assert (found.value, found.counted, found.verdict) == (11, 8, "differs by +3")


def test_a_number_that_is_counted_from_its_source(quiz: Quiz) -> None:
    capture.detach("default", ["host_attempt"])

    found = account("attempts")

    assert [part.what for part in found.parts] == ["rows of the source"]
    assert (found.value, found.counted, found.verdict) == (8, 8, "equal")
    assert "no triggers" in found.as_json()["trouble"]
    assert found.as_json()["since"] is None


def test_no_rows() -> None:
    found = account("score_avg")

    assert (found.value, found.counted, found.verdict) == (None, None, "equal")
    assert found.parts[-1].amount == {"count": 0, "total": 0}


def test_what_was_pruned_cannot_be_counted_again(quiz: Quiz) -> None:
    clock = live.counters["quizzes_by_target"].measure.clock
    floor = clock.day_start(clock.stamp(timezone.now() - dt.timedelta(days=9)))
    Measured.objects.update(floor=floor)

    assert account("quizzes_by_target", quiz).verdict.startswith("not comparable")
    assert account("quizzes_today").verdict == "equal"
    assert (
        account("quizzes_by_target", quiz)
        .as_json()["floor"]
        .startswith(clock.day(floor).isoformat())
    )
