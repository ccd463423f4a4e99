"""``live.muted()``: where it begins and ends; what it keeps silent is in the capture tests."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

import livecounters as live
from livecounters import feed, timeline
from livecounters.models import Muting
from livecounters.muting import is_muted
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db


def complete(quiz: Quiz, code: str | None = None) -> None:
    Attempt.objects.create(
        quiz=quiz, completed=True, completed_at=timezone.now(), score=100, code=code
    )


def told() -> int:
    feed.number()
    return len([event for event in timeline.newest(99) if event.kind == "perfect"])


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


def test_it_ends_with_its_block(quiz: Quiz) -> None:
    with live.muted():
        complete(quiz)
    assert told() == 0

    complete(quiz)
    assert told() == 1
    assert not Muting.objects.exists()


def test_whether_it_is() -> None:
    assert not is_muted("default")
    with live.muted():
        assert is_muted("default")
        assert not is_muted("other")
    assert not is_muted("default")


def test_it_is_one_transaction(quiz: Quiz) -> None:
    complete(quiz, "same")
    with pytest.raises(IntegrityError), live.muted():
        complete(quiz)
        complete(quiz, "same")

    assert Attempt.objects.count() == 1
    assert live.counters["attempts"].value() == 1


def test_blocks_in_blocks_end_with_the_outer_one(quiz: Quiz) -> None:
    with live.muted():
        with live.muted(using="default"):
            complete(quiz)
        with pytest.raises(ZeroDivisionError), live.muted(), transaction.atomic():
            raise ZeroDivisionError
        complete(quiz)
    complete(quiz)

    assert told() == 1
    assert live.counters["attempts"].value() == 3


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction(quiz: Quiz) -> None:
    assert not connection.in_atomic_block
    with live.muted():
        assert connection.in_atomic_block
        complete(quiz)
    complete(quiz)

    assert told() == 1


def test_a_savepoint_rolled_back_inside_does_not_unmute(quiz: Quiz) -> None:
    with live.muted():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            complete(quiz)
            raise ZeroDivisionError
        complete(quiz)

    assert told() == 0
