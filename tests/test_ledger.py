"""Reading in one statement, whatever waits to be folded (see test_readers for what is read)."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

import livecounters as live
from livecounters import ledger
from livecounters.models import Delta
from tests.host.models import Attempt, Quiz
from tests.oracle import assert_exact

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


def complete(quiz: Quiz, number: int = 1) -> None:
    Attempt.objects.bulk_create(
        [
            Attempt(quiz=quiz, completed=True, completed_at=timezone.now(), score=n)
            for n in range(number)
        ]
    )


def test_many_questions_are_cut_into_statements(
    quiz: Quiz, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(quiz, 2)
    monkeypatch.setattr(ledger, "TERMS", 3)

    assert_exact()


def test_who_has_to_add_up_much_folds(quiz: Quiz, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "FOLD_ON_READ", 3)
    for _ in range(3):
        complete(quiz)
    assert live.counters["attempts"].value() == 3
    assert Delta.objects.exists()

    complete(quiz)
    with transaction.atomic():
        assert live.counters["attempts"].value() == 4
        assert Delta.objects.exists()

    assert not Delta.objects.exists()
    assert_exact()
