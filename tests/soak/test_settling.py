"""Transactions that change joined tables at once: no number drifts, whatever their order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.utils import timezone

from livecounters import audit, folding, installation
from livecounters.measures import declared_measures
from livecounters.registry import Registry
from livecounters.settling import settle
from tests.host.models import Attempt, Course, Quiz, Tag
from tests.test_joins import assert_right, declared
from tests.test_settling import settle_all

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer"),
]

LEVELS = ["READ COMMITTED", "REPEATABLE READ"]
THROUGH = Quiz.tags.through._meta.db_table


@pytest.fixture
def names() -> Registry:
    found = declared()
    installation.sync("default", found)
    return found


@pytest.fixture
def writers() -> Iterator[list[Any]]:
    found = [connection.copy() for _ in range(3)]
    yield found
    for one in found:
        one.close()


def fill() -> None:
    courses = [Course.objects.create(title=f"c{n}") for n in range(2)]
    tags = [Tag.objects.create(slug=f"t{n}") for n in range(3)]
    people = [User.objects.create(username=f"u{n}") for n in range(2)]
    for n in range(3):
        quiz = Quiz.objects.create(title=f"q{n}", course=courses[n % 2], published=n != 1)
        quiz.tags.set(tags[: n % 3])
        for score in range(2):
            Attempt.objects.create(
                quiz=quiz,
                user=people[score],
                completed=True,
                completed_at=timezone.now(),
                score=score,
            )


def step(chance: random.Random) -> str:
    quiz = chance.choice(QUIZZES)
    tag = chance.choice(["t0", "t1", "t2"])
    attempt = chance.choice(list(Attempt.objects.values_list("pk", flat=True)) or [0])
    return chance.choice(
        [
            "INSERT INTO host_attempt (quiz_id, completed, completed_at, score, note) "
            f"VALUES ({quiz}, TRUE, '2026-11-20 10:00:00', {chance.randrange(9)}, '')",
            f"DELETE FROM host_attempt WHERE id = {attempt}",
            f"UPDATE host_attempt SET quiz_id = {quiz} WHERE id = {attempt}",
            f"UPDATE host_attempt SET completed = NOT completed WHERE id = {attempt}",
            f"UPDATE host_quiz SET published = NOT published WHERE id = {quiz}",
            f"UPDATE host_quiz SET course_id = '{chance.choice(COURSES)}' WHERE id = {quiz}",
            f"DELETE FROM {THROUGH} WHERE quiz_id = {quiz} AND tag_id = '{tag}'",
            f"INSERT INTO {THROUGH} (quiz_id, tag_id) SELECT {quiz}, '{tag}' WHERE NOT EXISTS "
            f"(SELECT 1 FROM {THROUGH} WHERE quiz_id = {quiz} AND tag_id = '{tag}')",
            f"UPDATE host_course SET title = '{chance.choice(['c1', 'c2'])}' "
            f"WHERE id = '{chance.choice(COURSES)}'",
        ]
    )


QUIZZES: list[int] = []
COURSES: list[str] = []


def begin(one: Any, level: str) -> None:
    with one.cursor() as cursor:
        if one.vendor == "postgresql":
            cursor.execute(f"BEGIN ISOLATION LEVEL {level}")
            cursor.execute("SET LOCAL lock_timeout = '30ms'")
        else:
            cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 0")
            cursor.execute("BEGIN")


def play(writers: list[Any], chance: random.Random, level: str, names: Registry) -> int:
    """A round: transactions of some statements each, in a random order. Answers how many were
    refused, because two of them wanted the same row."""
    refused = 0
    left = {n: chance.randrange(1, 4) for n in range(len(writers)) if chance.random() < 0.9}
    begun: set[int] = set()
    while left:
        n = chance.choice(list(left))
        one = writers[n]
        if n not in begun:
            begin(one, level)
            begun.add(n)
            continue
        with one.cursor() as cursor:
            try:
                if left[n] > 0:
                    cursor.execute(step(chance))
                    left[n] -= 1
                    continue
                cursor.execute("COMMIT" if chance.random() < 0.9 else "ROLLBACK")
            except DatabaseError:
                refused += 1
                cursor.execute("ROLLBACK")
        begun.discard(n)
        del left[n]
        if chance.random() < 0.3:
            folding.fold("default", declared=names)
        if chance.random() < 0.3:
            settle("default", names)
        if chance.random() < 0.3 and n not in left:
            left[n] = chance.randrange(1, 3)
    return refused


def rounds(number: int, seed: int, writers: list[Any], names: Registry) -> None:
    chance = random.Random(seed)
    fill()
    QUIZZES[:] = Quiz.objects.values_list("pk", flat=True)
    COURSES[:] = [
        course.pk.hex if connection.vendor == "mysql" else str(course.pk)
        for course in Course.objects.all()
    ]
    unsettled = 0
    for n in range(number):
        play(writers, chance, LEVELS[n % 2], names)
        looked = [audit.verify(m) for m in declared_measures(names)]
        assert not any(one.wrong for one in looked)
        unsettled += any(one.unsettled for one in looked)
        settle_all(names)
        wrong = {(m.scope, str(m.where)): audit.verify(m).some for m in declared_measures(names)}
        assert not any(wrong.values()), (seed, n, wrong)
        if Attempt.objects.count() > 40:
            Attempt.objects.all().delete()
    assert_right(names)
    # Or the rounds prove nothing.
    assert unsettled


def test_random_rounds_of_three_transactions(writers: list[Any], names: Registry) -> None:
    rounds(30, 1, writers, names)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_rounds(writers: list[Any], names: Registry, seed: int) -> None:
    rounds(300, seed, writers, names)
