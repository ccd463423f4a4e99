"""People: found by their keys, and nobody by what is no key."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

import livecounters as live
from livecounters import awards, forgetting, letters, people
from tests.host.practice import declared

pytestmark = pytest.mark.django_db


def test_a_user_and_the_key_have_one_text() -> None:
    ada = User.objects.create(username="ada")

    assert people.key_of(ada) == people.key_of(ada.pk) == str(ada.pk)


def test_whoever_is_gone_or_forgotten_is_left_out(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ada, bob = (User.objects.create(username=name) for name in ("ada", "bob"))

    with django_assert_num_queries(1):
        found = list(people.users([str(ada.pk), "-x7Qz", str(bob.pk), "999999"]))

    assert set(found) == {ada, bob}


def test_a_forgotten_person_is_in_nobodys_way() -> None:
    with declared():
        for name in ("ada", "bob"):
            user = User.objects.create(username=name)
            live.emit("session_completed", actor=user, data={"score": 60})
        forgetting.forget(forgetting.Person.of(user))

        assert [week.user.username for week in letters.due_reports()] == ["ada"]
        awards.award_past()
