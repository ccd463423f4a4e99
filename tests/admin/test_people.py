"""Events in the admin: to be read, by those who may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from livecounters import models
from livecounters.models import Achievement, ActivityEvent, PersonalGoal
from livecounters.registry import registry
from tests.host.learners import Learning
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

LIST = "/admin/livecounters/activityevent/"


@pytest.fixture
def event() -> ActivityEvent:
    ada = User.objects.create(username="ada")
    quiz = Quiz.objects.create(title="<script>alert(1)</script>")
    Attempt.objects.create(quiz=quiz, user=ada, completed=True, completed_at=timezone.now())
    return ActivityEvent.objects.get(kind="host.quiz_completed")


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    return client


def test_what_is_there() -> None:
    ours = {getattr(models, name) for name in models.__all__}

    registered = {model for model in ours if admin.site.is_registered(model)}
    assert registered == {Achievement, ActivityEvent, PersonalGoal}


def test_the_list(staff: Client, event: ActivityEvent) -> None:
    page = staff.get(LIST).content.decode()

    assert "host.quiz_completed" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"q": "alert"}, 1),
        ({"q": "nobody"}, 0),
        ({"kind": "host.quiz_completed"}, 1),
        ({"kind": "host.named_only"}, 1),
        ({"kind": "host.perfect"}, 0),
        ({}, 2),
    ],
)
def test_searched_and_filtered(
    staff: Client, event: ActivityEvent, query: dict[str, str], count: int
) -> None:
    found = staff.get(LIST, query).context["cl"]

    # The target has no label in events without a target.
    assert found.result_count == count


def test_the_newest_first(staff: Client, event: ActivityEvent) -> None:
    ids = [row.pk for row in staff.get(LIST).context["cl"].result_list]

    assert len(ids) == 2
    assert ids == sorted(ids, reverse=True)


def test_one_event_can_be_read_and_not_changed(staff: Client, event: ActivityEvent) -> None:
    address = reverse("admin:livecounters_activityevent_change", args=[event.pk])

    page = staff.get(address)
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert staff.post(address, {"kind": "host.other"}).status_code == 403
    event.refresh_from_db()
    assert event.kind == "host.quiz_completed"


@pytest.mark.parametrize("address", ["add/", "{pk}/delete/"])
def test_nothing_is_added_or_deleted(staff: Client, event: ActivityEvent, address: str) -> None:
    path = LIST + address.format(pk=event.pk)

    assert staff.get(path).status_code == 403
    assert staff.post(path, {"post": "yes"}).status_code == 403
    assert ActivityEvent.objects.filter(pk=event.pk).exists()


def test_no_action_deletes(staff: Client, event: ActivityEvent) -> None:
    staff.post(LIST, {"action": "delete_selected", "_selected_action": event.pk, "post": "yes"})

    assert ActivityEvent.objects.filter(pk=event.pk).exists()


@pytest.mark.parametrize(("may", "status"), [(True, 200), (False, 403)])
def test_who_may_look(client: Client, event: ActivityEvent, may: bool, status: int) -> None:
    clerk = User.objects.create(username="clerk", is_staff=True)
    if may:
        clerk.user_permissions.add(Permission.objects.get(codename="view_activityevent"))
    client.force_login(clerk)

    assert client.get(LIST).status_code == status


def test_the_list_is_few_queries_however_many(
    staff: Client, event: ActivityEvent, django_assert_max_num_queries: Any
) -> None:
    ActivityEvent.objects.bulk_create(
        [ActivityEvent(kind="host.perfect", at=timezone.now()) for _ in range(150)]
    )

    with django_assert_max_num_queries(9):
        staff.get(LIST)


# Achievements and goals


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
