"""Selections: a query and a look at one event say the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from livecounters.models import ActivityEvent
from livecounters.selection import EVERYTHING, Party, Selection, parties_of, party_of
from tests.host.club import declared, happen
from tests.host.models import Course, Quiz
from tests.zoo.models import Busy, Cafe

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def club() -> Iterator[None]:
    with declared():
        yield


def test_the_query_and_the_look_agree() -> None:
    ada, bob = (User.objects.create(username=name) for name in ("ada", "bob"))
    quizzes = [Quiz.objects.create(title="q") for _ in range(2)]
    for actor in (ada, bob, None):
        for of in (*quizzes, ada, None):
            happen("finished", actor, of=of)
            happen("visited", actor, of=of)
    rows = list(ActivityEvent.objects.all())
    one, both = (party_of(quizzes[0]),), tuple(map(party_of, quizzes))
    expected = [
        (EVERYTHING, 24),
        (Selection(("host.finished",)), 12),
        (Selection(()), 0),
        (Selection(targets=one), 6),
        (Selection(targets=(*both, party_of(ada))), 18),
        (Selection(actors=(party_of(ada),)), 8),
        (Selection(("host.visited",), both, (party_of(ada), party_of(bob))), 4),
    ]

    for selection, number in expected:
        found = set(ActivityEvent.objects.filter(selection.where))
        assert found == {row for row in rows if selection.has(row)}
        assert len(found) == number


def test_parties() -> None:
    course = Course.objects.create(title="c")

    assert party_of(course) == Party("host.course", course.pk.hex)
    assert party_of("host.Course", str(course.pk)) == party_of(course)
    assert party_of(Party("host.quiz", "7")) == party_of("host.quiz", "07")


def test_a_row_of_a_child_is_one_of_its_parents_too() -> None:
    cafe = Cafe.objects.create(name="b")
    key = str(cafe.pk)

    assert parties_of(cafe) == [Party("zoo.cafe", key), Party("zoo.place", key)]
    assert parties_of(Busy.objects.get())[1:] == parties_of(cafe)
    assert parties_of(cafe.place_ptr) == [Party("zoo.place", key)]
    assert parties_of(Party("zoo.cafe", "7")) == [Party("zoo.cafe", "7")]


@pytest.mark.parametrize("model", ["nothing", "host.nothing", "", "a.b.c"])
def test_a_model_that_is_none(model: str) -> None:
    with pytest.raises((LookupError, ValueError)):
        party_of(model, "1")


def test_a_key_that_is_none() -> None:
    with pytest.raises(ValidationError):
        party_of("host.quiz", "x")


def test_what_is_left_to_ask() -> None:
    selection = Selection(("a",), (Party("m", "1"),), (Party("n", "2"),))

    assert selection.beyond(("target",)) == Selection(actors=selection.actors)
    assert selection.beyond(("actor", "target")) == EVERYTHING
