"""Counters in a host's queries: the same numbers as read one by one."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Avg, Count, F, OuterRef, Subquery, Sum, Value
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

import livecounters as live
from livecounters import folding
from livecounters.models import Measured
from livecounters.readers import Counter
from livecounters.registry import Registry
from tests.host.models import Attempt, Course, Quiz, Sale, Tag
from tests.test_joins import declared

pytestmark = pytest.mark.django_db


def sales() -> Registry:
    found = Registry()
    given: dict[str, Any] = {
        "sold": live.Count(),
        "earned": live.Sum("price", per="currency"),
        "mean_price": live.Avg("price", per="currency"),
        "dearest": live.Max("price", per="currency"),
        "cheapest": live.Min("price", per="currency"),
        "lightest": live.Min("weight", per="currency"),
        "weight": live.Sum("weight", per="currency"),
        "earned_by": live.Sum("price", per=("currency", "tag")),
    }
    found.add(Sale, type("Sales", (live.LiveModel,), given))
    return found


@pytest.fixture(scope="module")
def everything(bring_in_force: Callable[[Registry], None]) -> Registry:
    found = declared()
    for more in sales().counters:
        found.counters.add(more)
    bring_in_force(found)
    return found


@pytest.fixture
def filled(names: Registry) -> None:
    chance = random.Random(4)
    people = [User.objects.create(username=f"u{n}") for n in range(3)]
    courses = [Course.objects.create(title=f"c{n}") for n in range(3)]
    tags = [Tag.objects.create(slug=f"t{n}") for n in range(4)]
    for n in range(6):
        quiz = Quiz.objects.create(title=f"q{n}", course=courses[n % 2])
        quiz.tags.set(chance.sample(tags[:3], 2))
        for _ in range(n):
            Attempt.objects.create(
                quiz=quiz,
                user=chance.choice(people),
                completed=True,
                completed_at=timezone.now(),
                score=chance.randrange(100),
            )
        if n == 3:
            folding.fold("default", declared=names)
    for _ in range(7):
        Sale.objects.create(
            tag=chance.choice(tags),
            currency=chance.choice(["EUR", "USD"]),
            price=Decimal(chance.randrange(-500, 999_999)) / 100,
            weight=chance.randrange(100) / 8 - 3,
        )


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("per_tag", Tag),
        ("score_per_tag", Tag),
        ("best_per_tag", Tag),
        ("score_per_course", Course),
        ("learners_per_course", Course),
        ("titled", User),
    ],
)
@pytest.mark.parametrize("kept", [True, False])
def test_the_same_as_one_by_one(
    counters: dict[str, Counter], name: str, model: Any, kept: bool
) -> None:
    counter = counters[name]
    if not kept:
        Measured.objects.update(ready=False)
    rows = list(model.objects.annotate(number=counter.expression()))

    assert {row.pk: row.number for row in rows} == pytest.approx(
        counter.values(of=[r.pk for r in rows])
    )
    assert any(row.number for row in rows)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    "name", ["earned", "mean_price", "dearest", "cheapest", "lightest", "weight"]
)
def test_numbers_of_all_kinds(counters: dict[str, Counter], name: str) -> None:
    counter = counters[name]
    found = Sale.objects.annotate(number=counter.expression())

    for currency, number in found.values_list("currency", "number"):
        assert float(number) == pytest.approx(float(counter.value(of=currency)))
        assert type(number) is type(counter.value(of=currency))


@pytest.mark.usefixtures("filled")
def test_order_and_filter(
    counters: dict[str, Counter], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    counter = counters["per_tag"]
    numbers = {tag.pk: counter.value(of=tag) for tag in Tag.objects.all()}
    with django_assert_num_queries(1):
        found = list(
            Tag.objects.annotate(number=counter.expression())
            .filter(number__gt=0)
            .order_by("-number", "pk")
        )

    there = [pk for pk, number in numbers.items() if number]
    assert [tag.pk for tag in found] == sorted(there, key=lambda pk: (-numbers[pk], pk))
    assert len(found) < len(numbers)


@pytest.mark.usefixtures("filled")
def test_other_rows_name_what_they_ask_for(counters: dict[str, Counter]) -> None:
    quizzes = Quiz.objects.annotate(number=counters["score_per_course"].expression(of="course"))
    for quiz in quizzes:
        assert quiz.number == counters["score_per_course"].value(of=quiz.course)
    euros = counters["earned_by"].expression(of=(Value("EUR"), "pk"))
    for tag in Tag.objects.annotate(euros=euros):
        assert tag.euros == counters["earned_by"].value(of=("EUR", tag))
    assert {
        sold for (sold,) in User.objects.annotate(n=counters["sold"].expression()).values_list("n")
    } == {7}


@pytest.mark.usefixtures("filled")
def test_in_other_queries(counters: dict[str, Counter]) -> None:
    counter = counters["per_tag"]
    tags = Tag.objects.annotate(number=counter.expression())
    total = sum(counter.breakdown().values())

    assert tags.aggregate(n=Sum("number"))["n"] == total
    assert tags.count() == 4
    assert tags.annotate(quizzes=Count("quiz")).values_list("number", "quizzes").count() == 4
    assert tags.annotate(twice=F("number") * 2).aggregate(n=Avg("twice"))["n"] == total / 2
    inner = Tag.objects.filter(pk=OuterRef("pk")).annotate(number=counter.expression())
    outer = Tag.objects.annotate(n=Subquery(inner.values("number")))
    assert sum(tag.n for tag in outer) == total
    Tag.objects.annotate(number=counter.expression()).filter(number=0).delete()
    assert Tag.objects.count() == 3


@pytest.mark.usefixtures("filled")
def test_the_moment_it_is_run_at(
    counters: dict[str, Counter], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    tags = Tag.objects.annotate(
        number=counters["per_tag"].expression(window=live.last(minutes=15))
    ).order_by("pk")
    before = [tag.number for tag in tags.all()]
    monkeypatch.setattr(timezone, "now", lambda: now + dt.timedelta(hours=3))

    assert any(before)
    assert [tag.number for tag in tags.all()] == [0] * 4
    asked = counters["per_tag"].expression(window=live.last(minutes=15), at=now)
    assert [tag.number for tag in Tag.objects.annotate(number=asked).order_by("pk")] == before


def test_what_is_not_understood(counters: dict[str, Counter]) -> None:
    with pytest.raises(TypeError, match="name what leads to it"):
        Quiz.objects.annotate(number=counters["per_tag"].expression())
    with pytest.raises(TypeError, match="give of= one of each"):
        counters["earned_by"].expression(of="pk")
    with pytest.raises(TypeError, match="name what leads to it"):
        User.objects.annotate(number=counters["earned_by"].expression())


@pytest.mark.django_db(databases=["default", "other"])
def test_another_database(counters: dict[str, Counter]) -> None:
    tags = Tag.objects.using("other").annotate(number=counters["per_tag"].expression())
    with pytest.raises(ValueError, match="These numbers are in the database 'default'"):
        list(tags)
