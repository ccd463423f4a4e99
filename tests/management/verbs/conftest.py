"""A host with some rows."""

from __future__ import annotations

import pytest


@pytest.fixture
def filled(db: None) -> None:
    # pytest loads this file before Django is set up.
    from django.contrib.auth.models import User
    from django.utils import timezone

    from tests.host.models import Attempt, Quiz, Sale

    ada = User.objects.create(username="ada")
    quiz = Quiz.objects.create(title="Fractions")
    rows = [
        Attempt(quiz=quiz, user=ada, completed=True, completed_at=timezone.now(), score=n)
        for n in range(5)
    ]
    Attempt.objects.bulk_create(rows)
    Sale.objects.create(price="1.10", quantity=2)
