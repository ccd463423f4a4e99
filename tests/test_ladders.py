"""The order of numbers is what the buckets say, whoever changed them and however."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter as Tallied
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

import livecounters as live
from livecounters import audit, folding, forgetting, installation, ladders, retention
from livecounters.ladders import BITS, LEVELS, Span, span_of
from livecounters.measures import Measure, measure_of
from livecounters.models import Bucket, Ladder, Rung, Score
from livecounters.registry import Registry, registry
from livecounters.streaks import week_of
from livecounters.windows import Clock, Grain, ever, last, this_month, this_week, today
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

NOW = timezone.now()


class Learning(live.LiveModel):
    at = "completed_at"
    actor = "user"

    practised = live.Activity("{actor} practised", target="quiz")
    sessions = live.Count(per="user")
    points = live.Sum("score", per="user")
    told = live.Count(events=practised, per="actor")
    quizzes = live.Count("quiz", distinct=True, per="user")
    by_quiz = live.Count(per="quiz")


@pytest.fixture(autouse=True)
def declared(db: None) -> Any:
    registry.add(Attempt, Learning)
    try:
        installation.sync("default")
        yield
    finally:
        registry.remove(Learning)


@pytest.fixture
def people() -> list[User]:
    return [User.objects.create(username=f"u{n}") for n in range(5)]


def measures() -> list[Measure]:
    return [measure_of(registry.counters.get(name)) for name in ("sessions", "points", "told")]


def practise(people: list[User], number: int, seed: int = 1) -> None:
    chance = random.Random(seed)
    quiz, _ = Quiz.objects.get_or_create(title="Fractions")
    Attempt.objects.bulk_create(
        Attempt(
            quiz=quiz,
            user=chance.choice(people),
            completed=True,
            completed_at=NOW - dt.timedelta(hours=chance.choice([0, 1, 30, 200, 300, 4000])),
            score=chance.choice([-300, -1, 0, 7, 255, 256, 70_000, 2_000_000_000]),
        )
        for _ in range(number)
    )


def right(measure: Measure) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """The scores and the rungs that the buckets make, by the definition."""
    ladder = Ladder.objects.get(measure=measure.key)
    scores: dict[Any, list[int]] = {}
    for bucket in Bucket.objects.filter(measure=measure.key):
        number = bucket.count if measure.value is None else bucket.total
        places = []
        if bucket.grain == Grain.EVER:
            places = [(Span.EVER, 0)]
        elif bucket.grain == Grain.DAY and bucket.start >= ladder.since:
            monday = week_of(measure.clock.day(bucket.start), ladder.week_start)
            places = [(Span.DAY, bucket.start), (Span.WEEK, measure.clock.midnight(monday))]
        for span, start in places:
            score = scores.setdefault((int(span), start, bucket.scope), [0, 0])
            score[0] += bucket.count
            score[1] += number
    kept = {key: tuple(score) for key, score in scores.items() if score[0]}
    scopes: Tallied[Any] = Tallied()
    numbers: Tallied[Any] = Tallied()
    for (span, start, _), (_, number) in kept.items():
        for level in range(LEVELS):
            scopes[span, start, level, number >> BITS * level] += 1
    for span, start, level, cell in list(scopes):
        if level == 0:
            for above in range(LEVELS):
                numbers[span, start, above, cell >> BITS * above] += 1
    return kept, {cell: (scopes[cell], numbers[cell]) for cell in scopes}


def assert_right() -> None:
    for measure in measures():
        scores, rungs = right(measure)
        kept = Score.objects.filter(measure=measure.key)
        assert {(s.span, s.start, s.scope): (s.count, s.number) for s in kept} == scores
        there = Rung.objects.filter(measure=measure.key).exclude(scopes=0, numbers=0)
        assert {(r.span, r.start, r.level, r.cell): (r.scopes, r.numbers) for r in there} == rungs


def test_of_what_there_are_ladders() -> None:
    assert [ladders.ranked(measure) for measure in measures()] == [True, True, True]
    for name in ("quizzes", "by_quiz", "attempts"):
        assert not ladders.ranked(measure_of(registry.counters.get(name)))
    assert all(ladder.upto is None for ladder in Ladder.objects.all())
    assert Ladder.objects.count() >= 3


def test_folding_keeps_them(people: list[User]) -> None:
    for seed in range(6):
        practise(people, 12, seed)
        if seed % 2:
            Attempt.objects.filter(user=people[seed % 5]).update(score=F("score") + 3)
            Attempt.objects.filter(user=people[(seed + 1) % 5], score__lt=5).delete()
        folding.fold("default")
        assert_right()
    Attempt.objects.all().delete()
    folding.fold("default")
    assert_right()
    assert not Score.objects.filter(measure=measures()[0].key).exists()
    assert not Rung.objects.filter(measure=measures()[0].key, level=0).exists()


def test_those_of_rows_that_were_there_before(people: list[User], monkeypatch: Any) -> None:
    practise(people, 40)
    folding.fold("default")
    Ladder.objects.all().delete()
    monkeypatch.setattr(ladders, "PORTION", 2)

    # A portion at each folding, beside what is written meanwhile.
    looks = 0
    while not Ladder.objects.filter(measure=measures()[0].key, upto=None).exists():
        practise(people, 2, looks)
        folding.fold("default")
        looks += 1
    assert looks > 3
    folding.raise_ladders("default")
    assert all(ladder.upto is None for ladder in Ladder.objects.all())
    assert_right()


def test_repair_keeps_them(people: list[User]) -> None:
    practise(people, 20)
    folding.fold("default")
    measure = measures()[0]
    Bucket.objects.filter(measure=measure.key, scope=str(people[0].pk)).update(count=99)

    audit.repair(measure)

    assert_right()


def test_an_order_that_cannot_be_trusted_is_made_anew(people: list[User]) -> None:
    practise(people, 20)
    folding.fold("default")
    Score.objects.filter(scope=str(people[0].pk)).delete()
    Rung.objects.update(scopes=7)
    ladders.drop("default", [measure.key for measure in measures()])

    folding.raise_ladders("default")

    assert_right()


def test_another_start_of_the_week(people: list[User], settings: Any) -> None:
    practise(people, 20)
    folding.fold("default")
    settings.LIVECOUNTERS = {"WEEK_START": 6}

    folding.raise_ladders("default")

    assert {ladder.week_start for ladder in Ladder.objects.all()} == {6}
    assert_right()


def test_who_is_forgotten_keeps_their_place(people: list[User]) -> None:
    practise(people, 20)
    folding.fold("default")

    forgetting.forget(forgetting.Person.of(people[0]))

    assert_right()
    assert not Score.objects.filter(measure=measures()[2].key, scope=str(people[0].pk)).exists()


def test_old_days_and_weeks_are_pruned(people: list[User], monkeypatch: Any) -> None:
    practise(people, 30)
    folding.fold("default")
    monkeypatch.setattr(ladders, "PORTION", 2)
    later = NOW + dt.timedelta(days=40)

    assert retention.prune("default", later)["score"] > 0

    left = Score.objects.filter(measure=measures()[0].key)
    assert {score.span for score in left} == {Span.EVER}
    assert Ladder.objects.get(measure=measures()[0].key).since == ladders.kept_from(
        measures()[0].clock, later
    )
    assert_right()
    practise(people, 5)
    folding.fold("default")
    assert_right()


def test_what_is_removed_with_the_declaration(people: list[User]) -> None:
    practise(people, 5)
    folding.fold("default")
    key = measures()[1].key
    others = Registry()
    others.add(Attempt, type("Less", (live.LiveModel,), {"sessions": live.Count(per="user")}))

    installation.sync("default", others)

    for model in (Ladder, Score, Rung):
        assert not model._base_manager.filter(measure=key).exists()


def test_the_spans_of_windows() -> None:
    clock = Clock(dt.UTC)
    stamp = int(dt.datetime(2026, 3, 11, 12, tzinfo=dt.UTC).timestamp())
    found = {
        window: span_of(window.interval(stamp, clock, 0), clock)
        for window in (ever, today, this_week, this_month, last(days=7), last(hours=24))
    }

    assert found[ever] == (Span.EVER, 0)
    assert found[today] == (Span.DAY, clock.midnight(dt.date(2026, 3, 11)))
    assert found[this_week] == (Span.WEEK, clock.midnight(dt.date(2026, 3, 9)))
    assert [found[window] for window in (this_month, last(days=7), last(hours=24))] == [None] * 3


def test_what_is_loaded_is_not_trusted(people: list[User]) -> None:
    from django.core import serializers

    practise(people, 10)
    folding.fold("default")
    measure = measures()[0]
    text = serializers.serialize("json", Score.objects.filter(measure=measure.key))
    for one in serializers.deserialize("json", text):
        one.save()
    assert not Ladder.objects.filter(measure=measure.key).exists()
    folding.raise_ladders("default")
    assert_right()
