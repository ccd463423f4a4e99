"""Who is first, by name; and who is not shown to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

import livecounters as live
from livecounters.leaderboards import beside, board
from livecounters.numbers import counters
from livecounters.preferences import LEADERBOARD, set_preference
from livecounters.readers import Counter
from livecounters.registry import registry
from tests.host.models import Attempt, Quiz, Tag

pytestmark = pytest.mark.django_db


class Learning(live.LiveModel):
    at = "completed_at"

    sessions = live.Count(per="user")
    by_quiz = live.Count(per="quiz")
    by_tag = live.Count(per=("quiz__tags", "user"))
    by_note = live.Count(per="quiz__title")


@pytest.fixture(autouse=True)
def declared(db: None) -> Iterator[None]:
    registry.add(Attempt, Learning)
    yield
    registry.remove(Learning)


@pytest.fixture
def sessions() -> Counter:
    return counters["sessions"]


@pytest.fixture
def people() -> list[User]:
    """Seven of them; the first has done 6, the next two 5 each, then 4, 3, 2, and one nothing."""
    # Equal numbers are ordered by the text of the key.
    people = [User.objects.create(pk=n, username=name) for n, name in enumerate("abcdefg", 101)]
    quiz = Quiz.objects.create(title="Fractions")
    quiz.tags.add(Tag.objects.create(slug="easy"))
    for user, number in zip(people, [6, 5, 5, 4, 3, 2, 0], strict=True):
        for _ in range(number):
            Attempt.objects.create(quiz=quiz, user=user, completed_at=timezone.now())
    return people


def shy(user: Any) -> bool:
    return user.username not in ("a", "c")


def told(lines: Any) -> list[tuple[int, str, Any]]:
    return [(line.rank, line.name, line.value) for line in lines]


def test_the_first(sessions: Counter, people: list[User]) -> None:
    assert told(board(sessions, 4)) == [(1, "a", 6), (2, "b", 5), (2, "c", 5), (4, "d", 4)]
    assert [line.own for line in board(sessions, 4, viewer=people[1])] == [
        False,
        True,
        False,
        False,
    ]
    assert len(board(sessions)) == 6
    assert not any(line.own for line in board(sessions, viewer=AnonymousUser()))
    assert told(board(sessions, 0)) == [(1, "a", 6)]


def test_few_queries(
    sessions: Counter, people: list[User], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(4):
        board(sessions, viewer=people[0])


def test_oneself_and_the_neighbours(sessions: Counter, people: list[User]) -> None:
    found = beside(sessions, people[3], 1)
    assert told(found) == [(2, "c", 5), (4, "d", 4), (5, "e", 3)]
    assert [line.own for line in found] == [False, True, False]
    assert beside(sessions, people[6]) == []
    assert told(beside(sessions, people[0], -1)) == [(1, "a", 6)]


def test_who_does_not_want_to_be_listed(sessions: Counter, people: list[User]) -> None:
    set_preference(str(people[1].pk), LEADERBOARD, False)

    # The ranks of the others stay as they are, and the board is full.
    assert told(board(sessions, 4)) == [(1, "a", 6), (2, "c", 5), (4, "d", 4), (5, "e", 3)]
    own = board(sessions, 4, viewer=people[1])
    assert [(line.name, line.own, line.listed) for line in own][1] == ("b", True, False)
    assert told(beside(sessions, people[2], 1)) == [(2, "c", 5), (4, "d", 4)]
    set_preference(str(people[1].pk), LEADERBOARD, True)
    assert told(board(sessions, 2)) == [(1, "a", 6), (2, "b", 5)]


def test_whom_the_host_hides(sessions: Counter, people: list[User], settings: Any) -> None:
    settings.LIVECOUNTERS = {"MAY_BE_SEEN": "tests.test_leaderboards.shy"}

    assert told(board(sessions, 2)) == [(2, "b", 5), (4, "d", 4)]
    assert [line.name for line in board(sessions, 3, viewer=people[0])] == ["a", "b", "d"]


def test_who_is_no_more(sessions: Counter, people: list[User]) -> None:
    User.objects.filter(pk=people[0].pk).update(is_active=False)
    Attempt.objects.filter(user=people[1]).update(user=None)

    assert told(board(sessions, 2)) == [(2, "c", 5), (3, "d", 4)]


def test_names_are_the_host_s(sessions: Counter, people: list[User], settings: Any) -> None:
    settings.LIVECOUNTERS = {"ACTOR_NAME": "tests.test_leaderboards.loud"}

    assert board(sessions, 1)[0].name == "A"


def loud(user: Any) -> str:
    return str(user.username.upper())


def test_things_are_ranked_too(people: list[User]) -> None:
    assert [line.value for line in board(counters["by_quiz"])] == [25]
    assert board(counters["by_quiz"])[0].name.startswith("Quiz object")
    assert told(board(counters["by_note"])) == [(1, "Fractions", 25)]


def test_within_the_first_keys(people: list[User]) -> None:
    by_tag = counters["by_tag"]
    assert told(board(by_tag, 1, within="easy")) == [(1, "a", 6)]
    assert told(beside(by_tag, people[3], 0, within="easy")) == [(4, "d", 4)]
    with pytest.raises(TypeError, match="give within="):
        board(by_tag)


def test_a_window(sessions: Counter, people: list[User]) -> None:
    assert told(board(sessions, 1, window=live.today)) == [(1, "a", 6)]
