"""``livecounters forget`` (see test_forgetting for what is forgotten)"""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from livecounters.models import ActivityEvent
from tests.commands import refused, run
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    user = User.objects.create(username="ada")
    quiz = Quiz.objects.create(title="Fractions")
    Attempt.objects.create(
        quiz=quiz, user=user, completed=True, completed_at=timezone.now(), score=5
    )
    return user


def acted(user: User) -> bool:
    return ActivityEvent.objects.filter(actor=str(user.pk)).exists()


def test_by_name(ada: User) -> None:
    said = run("forget", "ada")

    assert not acted(ada)
    assert f"auth.User {ada.pk} acted in 2 events" in said
    assert "a token takes the place in: host.completed_by_actor" in said
    assert "counted, and so kept in the events' data: score" in said
    assert "numbers that go when the site's own rows go: host.per_user" in said
    assert said.endswith("Forgotten.\n")


def test_by_key_of_one_who_is_deleted(ada: User) -> None:
    key = str(ada.pk)
    ada.delete()

    run("forget", key)

    assert not ActivityEvent.objects.filter(actor=key).exists()


def test_a_dry_run(ada: User) -> None:
    said = run("forget", "ada", "--dry-run")

    assert acted(ada)
    assert "acted in 2 events" in said
    assert "nothing is changed" in said


def test_what_is_kept(ada: User) -> None:
    found = json.loads(run("forget", "ada", "--export"))

    assert acted(ada)
    assert found["key"] == str(ada.pk)
    assert len(found["events"]) == 2


def test_nobody(db: None) -> None:
    assert refused("forget", "nobody") == (
        "",
        "'nobody' is no user's name, and cannot be a key either.",
    )
