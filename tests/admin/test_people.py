"""What people have reached in the admin: to be read, to be revoked; goals that are set for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from livecounters.models import Achievement, PersonalGoal
from livecounters.registry import registry
from tests.host.learners import Learning
from tests.host.models import Attempt

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


@pytest.fixture
def sessions() -> Iterator[None]:
    registry.add(Attempt, Learning)
    yield
    registry.remove(Learning)


def reached(person: str, number: int = 1) -> None:
    Achievement.objects.bulk_create(
        Achievement(person=person, counter="host.sessions", kind="total", step=n, at=timezone.now())
        for n in range(1, number + 1)
    )


def test_achievements_have_peoples_names_by_one_query(
    staff: Client, ada: User, django_assert_max_num_queries: Any
) -> None:
    reached(str(ada.pk), 20)
    reached("forgotten")
    address = "/admin/livecounters/achievement/"
    staff.get(address)

    with django_assert_max_num_queries(10):
        page = staff.get(address).content.decode()

    assert page.count(">ada<") == 20
    assert ">forgotten<" in page
    assert staff.get(address, {"q": "AD"}).context["cl"].result_count == 20
    assert staff.get(address, {"q": "forgotten"}).context["cl"].result_count == 1
    assert staff.get(address, {"q": "nobody"}).context["cl"].result_count == 0


def test_achievements_are_revoked(staff: Client, ada: User) -> None:
    reached(str(ada.pk))
    one = Achievement.objects.get()

    staff.post(
        "/admin/livecounters/achievement/", {"action": "revoke", "_selected_action": [one.pk]}
    )

    assert Achievement.objects.get().revoked_at is not None


@pytest.mark.usefixtures("sessions")
def test_a_goal_is_set_for_somebody(staff: Client, ada: User) -> None:
    address = "/admin/livecounters/personalgoal/add/"
    given = {"person": ada.pk, "counter": "host.sessions", "period": "week", "since": "2026-03-02"}

    refused = staff.post(address, given | {"target": 51})
    assert "Give a whole number from 5 to 50." in refused.content.decode()
    assert staff.post(address, given | {"target": 20}).status_code == 302

    goal = PersonalGoal.objects.get()
    assert (goal.person, goal.target) == (str(ada.pk), 20)
    change = f"/admin/livecounters/personalgoal/{goal.pk}/change/"
    assert staff.get(change).context["adminform"].form["person"].value() == str(ada.pk)
    assert staff.post(change, given | {"target": 25}).status_code == 302
    assert PersonalGoal.objects.get().target == 25
    assert ">ada<" in staff.get("/admin/livecounters/personalgoal/").content.decode()
