"""Rows and keys: what a key is as text, and what no trigger could keep."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import Case, Exists, F, OuterRef, Q, Sum, Value, When, Window
from django.db.models.functions import Cast, Coalesce, Length, Now, NullIf, Random, RowNumber
from django.test.utils import isolate_apps
from django.utils import timezone

import livecounters as live
from livecounters.exceptions import Unmeasurable
from livecounters.keys import text_of, textual
from livecounters.readers import Counter
from livecounters.registry import Registry
from livecounters.rows import may_fail, related_model, rows, source_columns, used_tables
from livecounters.tellings import telling_of
from tests.host.models import Attempt, Course, Quiz, Sale, Tag
from tests.zoo.models import Cafe, Large, Pair

KEY = uuid.UUID("AF5d2c6a-7a7e-4f83-9a7d-0f2d3b8f9c01")
LATE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


# Keys as text


@pytest.mark.parametrize(
    ("of", "value", "text"),
    [
        (field(Attempt, "quiz"), 7, "7"),
        (field(Attempt, "quiz"), "007", "7"),
        (field(Attempt, "quiz"), Quiz(pk=7), "7"),
        (field(Attempt, "user"), User(pk=12), "12"),
        (field(Sale, "course"), KEY, "af5d2c6a7a7e4f839a7d0f2d3b8f9c01"),
        (field(Sale, "course"), str(KEY), "af5d2c6a7a7e4f839a7d0f2d3b8f9c01"),
        (field(Sale, "course"), KEY.hex, "af5d2c6a7a7e4f839a7d0f2d3b8f9c01"),
        (field(Sale, "course"), Course(pk=KEY), "af5d2c6a7a7e4f839a7d0f2d3b8f9c01"),
        (field(Sale, "tag"), "Ä b:c~d%s", "Ä b:c~d%s"),
        (field(Sale, "tag"), Tag(slug="x"), "x"),
        (field(Sale, "currency"), "EUR", "EUR"),
        (field(Sale, "gift"), True, "1"),
        (field(Sale, "gift"), "False", "0"),
        (field(Sale, "quantity"), -3, "-3"),
        (field(Quiz, "id"), 2**62, str(2**62)),
    ],
)
def test_one_text_for_one_key(of: Any, value: Any, text: str) -> None:
    assert text_of(of, value) == text


@pytest.mark.parametrize(
    ("of", "value"),
    [
        (field(Attempt, "quiz"), "seven"),
        (field(Attempt, "quiz"), ""),
        (field(Sale, "course"), "not-a-uuid"),
        (field(Sale, "gift"), "maybe"),
    ],
)
def test_what_is_no_key(of: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        text_of(of, value)


@pytest.mark.django_db
def test_the_triggers_write_the_text_that_python_does() -> None:
    course = Course.objects.create(title="Maths")
    tag = Tag.objects.create(slug="Ä:~ 🎓")
    Sale.objects.create(course=course, tag=tag, price="1", gift=True)
    Sale.objects.create(price="1", currency="usd")

    kept = {
        name: set(live.counters[name].breakdown())
        for name in ("sales_per_course", "sales_per_tag", "sales_per_gift", "sales_per_currency")
    }
    assert kept == {
        "sales_per_course": {text_of(field(Sale, "course"), course)},
        "sales_per_tag": {text_of(field(Sale, "tag"), tag)},
        "sales_per_gift": {text_of(field(Sale, "gift"), gift) for gift in (True, False)},
        "sales_per_currency": {"EUR", "usd"},
    }


def test_an_object_of_another_model_is_no_key() -> None:
    declared = Registry()
    declared.add(Attempt, type("Declared", (live.LiveModel,), {"n": live.Count(per="quiz")}))

    with pytest.raises((TypeError, ValueError)):
        Counter(declared.counters.get("n")).scope(User(pk=3))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("note", "'x' is a TextField; its values cannot name a group."),
        ("completed_at", "'x' is a DateTimeField; its values cannot name a group."),
    ],
)
def test_what_cannot_name_a_group(name: str, reason: str) -> None:
    with pytest.raises(Unmeasurable) as caught:
        textual(field(Attempt, name), "'x'")
    assert (caught.value.check_id, str(caught.value)) == ("E007", reason)


@pytest.mark.parametrize(("length", "holds"), [(255, True), (256, False), (None, False)])
def test_how_long_a_key_may_be(length: int | None, holds: bool) -> None:
    key: Any = models.CharField(max_length=length)
    if holds:
        assert textual(key, "'x'") is key
        return
    with pytest.raises(Unmeasurable, match="'x' may be longer than 255 characters"):
        textual(key, "'x'")


# What a trigger can keep


@pytest.mark.parametrize(
    ("where", "check_id", "reason"),
    [
        (Q(nothing=1), "E002", "Cannot resolve keyword 'nothing' into field"),
        (Q(score="many"), "E002", "Field 'score' expected a number but got 'many'"),
        (Q(quiz__published=True), "E004", "it goes over a relation to the table 'host_quiz'"),
        (Q(pk__in=Attempt.objects.all()), "E005", "a subquery cannot be kept"),
        (Q(Exists(Quiz.objects.filter(pk=OuterRef("quiz")))), "E005", "a subquery"),
        (~Q(quiz__tags="x"), "E005", "a subquery"),
        (Q(completed_at__lt=Now()), "E005", "Now() gives another answer each time"),
        (Q(score__gt=Random()), "E005", "Random() gives another answer"),
        (Q(completed_at__lt=LATE), "E005", f"the filter holds the fixed moment {LATE!r}"),
        (~Q(Q(score=1) | Q(completed_at__date=LATE.date())), "E005", "the fixed moment"),
        (Q(completed_at__range=(LATE, LATE)), "E005", "the fixed moment"),
        (Q(completed_at__in=[LATE]), "E005", "the fixed moment"),
        (Q(completed_at__lt=Coalesce(Value(LATE), F("completed_at"))), "E005", "the fixed moment"),
    ],
)
def test_a_filter_that_is_refused(where: Q, check_id: str, reason: str) -> None:
    with pytest.raises(Unmeasurable) as caught:
        rows(Attempt, where, {"one": Value(1)})
    assert caught.value.check_id == check_id
    assert reason in str(caught.value)
    assert caught.value.hint


def test_a_field_of_the_parent_is_refused_with_the_way() -> None:
    with pytest.raises(Unmeasurable, match="has from its parent Place") as caught:
        rows(Cafe, Q(rank__gt=3), {"one": Value(1)})
    assert caught.value.check_id == "E004"
    assert "@live.register(Place)" in caught.value.hint


@pytest.mark.parametrize(
    ("table", "column"), [("50%", "n"), ('"s"."t"', "n"), ("t", "100%"), ("t", 'a"b')]
)
@isolate_apps("tests.zoo")
def test_a_name_that_no_query_can_say_is_refused(table: str, column: str) -> None:
    class Named(models.Model):
        number = models.IntegerField(db_column=column)
        other = models.IntegerField(db_column="50% other")

        class Meta:
            app_label = "zoo"
            db_table = table

    with pytest.raises(Unmeasurable, match="has a percent sign or a quotation mark") as caught:
        rows(Named, Q(), {"value": "number"})
    assert caught.value.check_id == "E012"


def test_a_key_of_two_columns_names_nothing() -> None:
    with pytest.raises(Unmeasurable, match="'pk' is a key of several columns") as caught:
        textual(Pair._meta.pk, "'pk'")
    assert caught.value.check_id == "E007"
    declared = Registry()
    declared.add(Pair, type("Declared", (live.LiveModel,), {"told": live.Activity("x")}))
    with pytest.raises(Unmeasurable, match="key of several columns"):
        telling_of(declared.activities.get("told"))


@pytest.mark.parametrize(
    ("value", "fails"),
    [
        ("small", False),
        (F("small") + F("big"), True),
        (F("exact") * F("wide"), False),
        (F("exact") / F("wide"), True),
        (F("exact") * (F("small") * F("small")), True),
        (Coalesce("small", 0), False),
        (NullIf("small", Value(0)), False),
        (Cast("text", models.IntegerField()), True),
        (Cast("small", models.CharField()), False),
        (Case(When(small__gt=1, then=F("big") / 2), default=0), True),
    ],
)
def test_what_may_fail_for_a_row(value: Any, fails: bool) -> None:
    assert may_fail(rows(Large, Q(), {"value": value})) is fails


def test_what_may_fail_in_a_filter() -> None:
    assert not may_fail(rows(Large, Q(text__startswith="x", big__gt=F("small")), {"one": Value(1)}))
    assert may_fail(rows(Large, ~Q(Q(big=3) | Q(text__regex="x(")), {"one": Value(1)}))


@pytest.mark.parametrize(
    ("columns", "check_id"),
    [
        ({"at": Now()}, "E005"),
        ({"at": F("nothing")}, "E002"),
        ({"at": 5}, "E002"),
        ({"value": "quiz__title"}, "E004"),
        ({"value": Case(When(completed_at__lt=LATE, then=1), default=0)}, "E005"),
        ({"value": Exists(Quiz.objects.all())}, "E005"),
        ({"value": Sum("score")}, "E005"),
        ({"value": Window(RowNumber())}, "E005"),
    ],
)
def test_a_column_that_is_refused(columns: dict[str, Any], check_id: str) -> None:
    with pytest.raises(Unmeasurable) as caught:
        rows(Attempt, Q(), columns)
    assert caught.value.check_id == check_id


def test_relations_to_one_row_where_they_are_allowed() -> None:
    found = rows(Attempt, Q(quiz__published=True), {"label": "quiz__course__title"}, joins=True)

    assert used_tables(found) == {"host_attempt", "host_quiz", "host_course"}
    assert source_columns(found) == ["quiz_id"]


@pytest.mark.parametrize("path", ["quiz__tags__slug", "quiz__attempt__score"])
def test_relations_to_many_rows_never_are(path: str) -> None:
    with pytest.raises(Unmeasurable, match="it goes over a relation to many rows of") as caught:
        rows(Attempt, Q(), {"label": path}, joins=True)
    assert caught.value.check_id == "E004"


def test_only_the_columns_that_are_named_are_watched() -> None:
    found = rows(
        Attempt, Q(completed=True) | Q(note__gt=Length("code")), {"scope": "user", "one": Value(1)}
    )

    assert source_columns(found) == ["user_id", "code", "completed", "note"]
    assert used_tables(found) == {"host_attempt"}


def test_a_foreign_key_needs_no_join_and_keeps_its_model() -> None:
    found = rows(Attempt, Q(), {"scope": "quiz", "far": "quiz__course", "n": "score"}, joins=True)

    assert related_model(found, "scope") == "host.quiz"
    assert related_model(found, "far") == "host.course"
    assert related_model(found, "n") == ""
    assert used_tables(rows(Attempt, Q(), {"scope": "quiz_id"})) == {"host_attempt"}


@pytest.mark.django_db
def test_the_query_is_django_s_own() -> None:
    quiz = Quiz.objects.create(title="Fractions")
    Attempt.objects.create(quiz=quiz, completed=True, completed_at=timezone.now(), score=7)
    Attempt.objects.create(quiz=quiz)

    found = rows(Attempt, Q(completed=True), {"scope": "quiz", "double": F("score") * 2})

    assert list(found.using(connection.alias)) == [(quiz.pk, 14)]
