"""The judge: beside the pump, person by person, and over the death of a pump."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from livecounters import feed, folding, judges
from livecounters.judges import PROGRESS, Judge, lately
from livecounters.measures import measure_of
from livecounters.models import Achievement
from livecounters.pump import Pump
from livecounters.registry import registry
from tests.host.learners import Learning
from tests.host.models import Attempt, Quiz

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("learning")]


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


def study(user: User, number: int = 1) -> None:
    quiz, _ = Quiz.objects.get_or_create(title="Fractions")
    Attempt.objects.bulk_create(
        Attempt(quiz=quiz, user=user, completed=True, completed_at=timezone.now(), score=50)
        for _ in range(number)
    )


def sessions() -> str:
    return measure_of(registry.counters.get("sessions")).key


def kinds(user: User) -> list[str]:
    return sorted(Achievement.objects.filter(person=user.pk).values_list("kind", flat=True))


def test_whose_numbers_have_changed_is_judged(ada: User) -> None:
    study(ada)
    judge = Judge()
    judge.hear({sessions(): [str(ada.pk)], "another": ["x"]})
    judge.wait(10)

    assert kinds(ada) == ["first"]
    assert judge.judged() == {str(ada.pk)}
    assert judge.judged() == set()


def test_who_is_no_user_any_more_is_nobody(ada: User) -> None:
    judge = Judge()
    judge.hear({sessions(): ["999999", str(ada.pk)]})
    judge.wait(10)

    assert judge.judged() == {"999999", str(ada.pk)}


def test_one_who_cannot_be_judged_stops_nobody(
    ada: User, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    study(ada)
    real = judges._judge

    def fail(person: str) -> None:
        if person == "0":
            raise RuntimeError("broken")
        real(person)

    monkeypatch.setattr(judges, "_judge", fail)
    judge = Judge()
    judge.hear({sessions(): ["0", str(ada.pk)]})
    judge.wait(10)

    assert kinds(ada) == ["first"]
    assert "could not be judged" in caplog.text


def test_the_pump_judges_and_says_so(ada: User) -> None:
    pump = Pump()
    feed.ensure_stream("default")
    pump.tick(timezone.now())
    study(ada, 3)

    announced, _ = pump.tick(timezone.now())
    assert announced is not None
    assert str(ada.pk) in set(announced.numbers[sessions()] or ())
    pump.rest(10)
    announced, _ = pump.tick(timezone.now())
    pump.close()

    assert announced is not None
    assert announced.numbers[PROGRESS] == {str(ada.pk)}
    assert kinds(ada) == ["first", "goal:day"]


def test_whom_a_killed_pump_has_left_is_found_again(ada: User) -> None:
    study(ada)
    folding.fold("default", wait=True)
    now = timezone.now()
    assert lately(now) == [str(ada.pk)]
    assert lately(now + dt.timedelta(days=3)) == []

    pump = Pump()
    pump.tick(now)
    pump.rest(10)
    pump.close()

    assert kinds(ada) == ["first"]


def test_without_rules_nothing_is_done(ada: User, django_assert_num_queries: Any) -> None:
    registry.remove(Learning)
    try:
        judge = Judge()
        with django_assert_num_queries(0):
            judge.begin(timezone.now())
            judge.hear({"x": ["y"]})
        assert judge.judged() == set()
    finally:
        registry.add(Attempt, Learning)
