"""Lists with all their numbers: exact, and in the one query that fetches the list."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from learning.models import Quiz

import livecounters as live

from .models import Like, Package, Rating

PACKAGE_NUMBERS = {
    "attempts": "package_attempts",
    "likes": "package_likes",
    "buyers": "package_buyers",
    "score": "package_score",
    "rating": "package_rating",
}
QUIZ_NUMBERS = {
    "taken": "quiz_attempts",
    "like_count": "quiz_likes",
    "average_stars": "quiz_rating",
}


def with_package_numbers(packages: QuerySet[Package]) -> QuerySet[Package]:
    entries = Package.quizzes.through.objects.filter(package=OuterRef("pk"))
    size = entries.order_by().values("package").annotate(size=Count("pk")).values("size")
    return packages.annotate(size=Coalesce(Subquery(size), 0), **_expressions(PACKAGE_NUMBERS))


def with_quiz_numbers(
    quizzes: QuerySet[Quiz], user: AbstractBaseUser | AnonymousUser
) -> QuerySet[Quiz]:
    """Besides the numbers, what this person thinks of each quiz."""
    mine = {"quiz": OuterRef("pk"), "user": user.pk}  # a guest's key is None: nothing is theirs
    return quizzes.annotate(
        is_liked=Exists(Like.objects.filter(**mine)),
        my_stars=Subquery(Rating.objects.filter(**mine).values("stars")[:1]),
        **_expressions(QUIZ_NUMBERS),
    )


def _expressions(numbers: dict[str, str]) -> dict[str, object]:
    return {name: live.counters[counter].expression() for name, counter in numbers.items()}
