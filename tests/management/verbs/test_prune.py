"""``livecounters prune`` (see test_retention for what goes and what stays)"""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from livecounters import feed, folding
from livecounters.models import ActivityEvent
from livecounters.numbers import counters
from tests.commands import run
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db


def test_it_says_what_it_removed() -> None:
    long_ago = timezone.now() - dt.timedelta(days=120)
    quiz = Quiz.objects.create(title="Fractions")
    Attempt.objects.create(quiz=quiz, completed=True, completed_at=long_ago, score=5)
    folding.fold("default")
    feed.number()

    said = run("prune", "--database", "default")

    assert said.startswith("default: removed ")
    assert " 1 events" in said or " 2 events" in said
    assert not ActivityEvent.objects.filter(seq__gt=0).exists()
    assert counters["score_told"].value() == 5
    nothing = "0 buckets, 0 members, 0 events, 0 samples, 0 scores"
    assert run("prune") == f"default: removed {nothing}\n"
