"""What the simulated learners like, how they rate, what they buy: made up from the same seed."""

import itertools
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import models
from learning.demo.moments import some_time
from learning.models import Quiz

from ..models import Like, Package, Purchase, Rating

LIKES = 420
RATINGS = 320
PURCHASES = 90

CURRENCIES = {Purchase.Currency.EUR: 6, Purchase.Currency.USD: 3, Purchase.Currency.GBP: 2}


def opinions(rng: random.Random, users: list[User], now: datetime) -> list[Like | Rating]:
    quizzes = list(Quiz.objects.all())
    quality = {quiz.pk: rng.uniform(0.2, 1) for quiz in quizzes}
    likes = [
        Like(user=user, quiz=quiz, created_at=some_time(rng, now), simulated=True)
        for user, quiz in _pairs(rng, users, quizzes, quality, LIKES, _taken(Like, "quiz"))
    ]
    ratings = [
        _rating(rng, user, quiz, quality[quiz.pk], now)
        for user, quiz in _pairs(rng, users, quizzes, quality, RATINGS, _taken(Rating, "quiz"))
    ]
    return [*likes, *ratings]


def _rating(rng: random.Random, user: User, quiz: Quiz, quality: float, now: datetime) -> Rating:
    """About as many stars as the quiz is worth; some people think again later."""
    stars = round(rng.gauss(2 + 3 * quality, 0.8))
    given = some_time(rng, now)
    later = given + timedelta(hours=rng.randint(1, 200))
    return Rating(
        user=user,
        quiz=quiz,
        stars=min(5, max(1, stars)),
        created_at=given,
        updated_at=later if later < now and rng.random() < 0.15 else given,
        simulated=True,
    )


def purchases(rng: random.Random, users: list[User], now: datetime) -> Iterable[Purchase]:
    packages = list(Package.objects.filter(published=True))
    appeal = {package.pk: rng.uniform(0.2, 1) for package in packages}
    taken = _taken(Purchase, "package")
    for user, package in _pairs(rng, users, packages, appeal, PURCHASES, taken):
        yield Purchase(
            user=user,
            package=package,
            price=package.price,
            currency=rng.choices(list(CURRENCIES), list(CURRENCIES.values()))[0],
            created_at=some_time(rng, now),
            simulated=True,
        )


def _taken(model: type[models.Model], thing: str) -> set[tuple[int, int]]:
    return set(model.objects.values_list("user", thing))


def _pairs(
    rng: random.Random,
    users: Sequence[User],
    things: Sequence[Any],
    weights: dict[int, float],
    number: int,
    taken: set[tuple[int, int]],
) -> list[tuple[User, Any]]:
    """Who chose what, nobody the same thing twice; of heavier things there are more."""
    free = [
        (rng.random() ** (1 / weights[thing.pk]), user, thing)
        for user, thing in itertools.product(users, things)
        if (user.pk, thing.pk) not in taken
    ]
    free.sort(key=lambda chance: chance[0], reverse=True)
    return [(user, thing) for _, user, thing in free[:number]]
