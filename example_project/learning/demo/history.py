"""Ten weeks of a site's life, made up from a seed: the same days on every machine, ending now."""

import itertools
import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import models, transaction
from packages.demo import history as packages_history
from packages.models import Purchase
from people.models import Profile
from people.tiers import promote

from ..models import Attempt, Course, Enrolment, Quiz
from .learners import LEARNERS, OPERATOR, PASSWORD, VISITOR
from .moments import some_time

ATTEMPTS = 2000
ENROLMENTS = 250
SEED = 7


def load_people() -> list[User]:
    """The simulated learners, and the accounts for whoever tries the site out."""
    password = make_password(PASSWORD)  # once for all: hashing is slow on purpose
    visitor, created = User.objects.get_or_create(
        username=VISITOR, defaults={"first_name": VISITOR.title(), "password": password}
    )
    if created:
        Profile.objects.create(user=visitor, city="Lyon", share_city=True)
    operator = {"password": password, "is_staff": True, "is_superuser": True}
    User.objects.get_or_create(username=OPERATOR, defaults=operator)
    users = []
    for learner in LEARNERS:
        names = {"first_name": learner.first_name, "password": password}
        user, created = User.objects.get_or_create(username=learner.username, defaults=names)
        if created:
            Profile.objects.create(
                user=user, city=learner.city, share_city=learner.share_city, simulated=True
            )
        users.append(user)
    return users


@transaction.atomic
def load(users: list[User], now: datetime) -> int:
    """Write it in the order in which it would have happened, so that a feed of it reads well."""
    rng = random.Random(SEED)
    told = [
        *_attempts(rng, users, now),
        *_enrolments(rng, users, now),
        *packages_history.purchases(rng, users, now),
    ]
    told.sort(key=_moment)
    opinions = packages_history.opinions(rng, users, now)  # no feed tells of these
    for model, rows in itertools.groupby([*told, *opinions], key=type):
        model.objects.bulk_create(rows)
    promote(user.pk for user in users)
    return len(told) + len(opinions)


def _moment(row: models.Model) -> datetime:
    if isinstance(row, Attempt):
        return row.completed_at or row.started_at
    if isinstance(row, Purchase):
        return row.created_at
    return row.activated_at or row.created_at


def _attempts(rng: random.Random, users: list[User], now: datetime) -> Iterable[Attempt]:
    quizzes = list(Quiz.objects.prefetch_related("questions__choices"))
    skill = {user.pk: rng.uniform(0.5, 0.97) for user in users}
    for _ in range(ATTEMPTS):
        user = rng.choice(users) if rng.random() < 0.9 else None
        finished = some_time(rng, now)
        quiz = rng.choice(quizzes)
        answers, right = _answers(rng, quiz, skill[user.pk] if user else 0.6)
        yield Attempt(
            user=user,
            quiz=quiz,
            started_at=finished - timedelta(seconds=rng.randint(45, 400)),
            completed_at=finished,
            completed=True,
            score=round(100 * right / len(answers)),
            answers=answers,
            simulated=True,
        )


def _answers(rng: random.Random, quiz: Quiz, skill: float) -> tuple[dict[str, int], int]:
    answers, right = {}, 0
    for question in quiz.questions.all():
        knows = rng.random() < skill
        choice = rng.choice(
            [choice for choice in question.choices.all() if choice.correct == knows]
        )
        answers[str(question.pk)] = choice.pk
        right += knows
    return answers, right


def _enrolments(rng: random.Random, users: list[User], now: datetime) -> Iterable[Enrolment]:
    taken = set(Enrolment.objects.values_list("user", "course"))
    places = [
        place
        for place in itertools.product(users, Course.objects.all())
        if _ids(place) not in taken
    ]
    for user, course in rng.sample(places, min(ENROLMENTS, len(places))):
        asked = some_time(rng, now)
        confirmed = asked + timedelta(minutes=rng.randint(1, 300))
        active = confirmed < now and rng.random() < 0.92
        yield Enrolment(
            user=user,
            course=course,
            status=Enrolment.Status.ACTIVE if active else Enrolment.Status.PENDING,
            created_at=asked,
            activated_at=confirmed if active else None,
            simulated=True,
        )


def _ids(place: tuple[User, Course]) -> tuple[int, int]:
    user, course = place
    return user.pk, course.pk
