"""What the scopes of a counter are called, and by whom they may be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import models

import livecounters as live
from livecounters.names import names_of
from livecounters.numbers import counters
from livecounters.preferences import LEADERBOARD, set_preference
from livecounters.registry import registry
from tests.host.models import Attempt, Quiz, Sale, Tag

pytestmark = pytest.mark.django_db


class Sold(live.LiveModel):
    by_gift = live.Count(per="gift")
    by_currency = live.Count(per="currency")


class Named(live.LiveModel):
    by_quiz = live.Count(per="quiz")
    by_user = live.Count(per="user")
    by_tag = live.Count(per=("user", "quiz__tags"))


@pytest.fixture(autouse=True)
def declared(db: None) -> Iterator[None]:
    registry.add(Sale, Sold)
    registry.add(Attempt, Named)
    yield
    registry.remove(Sold)
    registry.remove(Named)


def test_objects_by_their_text(django_assert_num_queries: Any) -> None:
    quizzes = [Quiz.objects.create(title=title) for title in "ab"]

    with django_assert_num_queries(1):
        found = names_of(counters["by_quiz"], [str(quiz.pk) for quiz in quizzes] + ["0", "x"])

    assert found.all == {str(quiz.pk): str(quiz) for quiz in quizzes}
    assert found.listed == set(found.all)


def test_of_several_keys_the_last() -> None:
    Tag.objects.create(slug="easy")

    assert names_of(counters["by_tag"], ["easy"]).all == {"easy": "Tag object (easy)"}


def test_people_are_asked(settings: Any, django_assert_num_queries: Any) -> None:
    shown, shy, gone = (User.objects.create(username=name) for name in ("shown", "shy", "gone"))
    set_preference(str(shy.pk), LEADERBOARD, False)
    User.objects.filter(pk=gone.pk).update(is_active=False)

    with django_assert_num_queries(2):
        found = names_of(counters["by_user"], [str(user.pk) for user in (shown, shy, gone)])

    assert sorted(found.all.values()) == ["gone", "shown", "shy"]
    assert found.listed == {str(shown.pk)}


def test_values_are_their_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert names_of(counters["by_currency"], ["EUR", "<b>"]).all == {"EUR": "EUR", "<b>": "<b>"}
    assert names_of(counters["by_currency"], [""]).all == {"": "\N{EN DASH}"}
    assert names_of(counters["by_gift"], ["1", "0"]).all == {"1": "Yes", "0": "No"}


def test_choices_have_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    field: models.Field[Any, Any] = Sale._meta.get_field("currency")
    monkeypatch.setattr(field, "choices", [("EUR", "Euro"), ("Others", [("USD", "Dollar")])])

    found = names_of(counters["by_currency"], ["EUR", "USD", "CHF"])

    assert found.all == {"EUR": "Euro", "USD": "Dollar", "CHF": "CHF"}
