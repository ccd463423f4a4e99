"""The audit of ladders: whatever is wrong is found, and what is right never is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import F

from livecounters import folding, ladders, scores
from livecounters.ladders import Span
from livecounters.models import Ladder, Rung, Score
from tests.host.models import Attempt
from tests.test_ladders import declared, measures, people, practise

__all__ = ["declared", "people"]

pytestmark = pytest.mark.django_db

WRONGS: dict[str, Callable[[], Any]] = {
    "a total": lambda: of(Span.EVER).update(number=F("number") + 1),
    "rows of a day": lambda: of(Span.DAY).update(count=F("count") + 1),
    "a week": lambda: of(Span.WEEK).update(number=F("number") - 1),
    "no totals": lambda: of(Span.EVER).delete(),
    "no days": lambda: of(Span.DAY).delete(),
    "no weeks": lambda: of(Span.WEEK).delete(),
    "scopes of a number": lambda: rungs(0).update(scopes=F("scopes") + 1),
    "two numbers in one": lambda: rungs(0).update(numbers=2),
    "no numbers": lambda: rungs(0).delete(),
    "scopes of a cell": lambda: rungs(3).update(scopes=F("scopes") + 1),
    "numbers of a cell": lambda: rungs(3).update(numbers=F("numbers") + 1),
    "no cells": lambda: rungs(7).delete(),
}


def of(span: Span) -> Any:
    return Score.objects.filter(span=span)


def rungs(level: int) -> Any:
    return Rung.objects.filter(level=level)


def test_what_is_right(people: list[User]) -> None:
    assert [scores.wrong(measure) for measure in measures()] == [0, 0, 0]
    for seed in range(4):
        practise(people, 15, seed)
        Attempt.objects.filter(user=people[seed]).update(score=F("score") + 3)
        Attempt.objects.filter(user=people[seed], score__lt=5).delete()
        assert [scores.wrong(measure) for measure in measures()] == [0, 0, 0]
        folding.fold("default")
        assert [scores.wrong(measure) for measure in measures()] == [0, 0, 0]
    Attempt.objects.all().delete()
    folding.fold("default")
    assert [scores.wrong(measure) for measure in measures()] == [0, 0, 0]


@pytest.mark.parametrize("spoil", WRONGS.values(), ids=WRONGS)
def test_what_is_wrong(people: list[User], spoil: Callable[[], Any]) -> None:
    practise(people, 30)
    folding.fold("default")
    spoil()

    assert all(scores.wrong(measure) for measure in measures())


def test_a_ladder_that_is_being_made(people: list[User]) -> None:
    practise(people, 30)
    folding.fold("default")
    Score.objects.all().delete()
    Ladder.objects.update(upto="")

    assert [scores.wrong(measure) for measure in measures()] == [0, 0, 0]
    ladders.drop("default", [measure.key for measure in measures()])
    assert [scores.wrong(measure) for measure in measures()] == [0, 0, 0]


def test_verify_finds_it_and_rebuild_cures_it(people: list[User], capsys: Any) -> None:
    practise(people, 30)
    folding.fold("default")
    Score.objects.filter(span=Span.EVER, scope=str(people[0].pk)).delete()

    with pytest.raises(CommandError, match=r"scores of leaderboards are wrong: run manage\.py"):
        call_command("livecounters", "verify")
    assert "scores wrong: host.sessions" in capsys.readouterr().out
    call_command("livecounters", "rebuild")
    call_command("livecounters", "verify")
