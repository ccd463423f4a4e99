"""Our tables in the admin: to be read, by those who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from livecounters import models
from livecounters.models import (
    Achievement,
    ActivityEvent,
    Dashboard,
    Delta,
    Measured,
    PersonalGoal,
)
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

EVENTS = "/admin/livecounters/activityevent/"
DELTAS = "/admin/livecounters/delta/"


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
    assert registered == {Achievement, ActivityEvent, Dashboard, Delta, Measured, PersonalGoal}


def test_the_list(staff: Client, event: ActivityEvent) -> None:
    page = staff.get(EVENTS).content.decode()

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
    found = staff.get(EVENTS, query).context["cl"]

    # The target has no label in events without a target.
    assert found.result_count == count


def test_the_newest_first(staff: Client, event: ActivityEvent) -> None:
    ids = [row.pk for row in staff.get(EVENTS).context["cl"].result_list]

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
    path = EVENTS + address.format(pk=event.pk)

    assert staff.get(path).status_code == 403
    assert staff.post(path, {"post": "yes"}).status_code == 403
    assert ActivityEvent.objects.filter(pk=event.pk).exists()


def test_no_action_deletes(staff: Client, event: ActivityEvent) -> None:
    staff.post(EVENTS, {"action": "delete_selected", "_selected_action": event.pk, "post": "yes"})

    assert ActivityEvent.objects.filter(pk=event.pk).exists()


@pytest.mark.parametrize(("may", "status"), [(True, 200), (False, 403)])
def test_who_may_look(client: Client, event: ActivityEvent, may: bool, status: int) -> None:
    clerk = User.objects.create(username="clerk", is_staff=True)
    if may:
        clerk.user_permissions.add(Permission.objects.get(codename="view_activityevent"))
    client.force_login(clerk)

    assert client.get(EVENTS).status_code == status


def test_the_list_is_few_queries_however_many(
    staff: Client, event: ActivityEvent, django_assert_max_num_queries: Any
) -> None:
    ActivityEvent.objects.bulk_create(
        [ActivityEvent(kind="host.perfect", at=timezone.now()) for _ in range(150)]
    )

    with django_assert_max_num_queries(9):
        staff.get(EVENTS)


def test_deltas_are_listed_with_their_counters(staff: Client, event: ActivityEvent) -> None:
    page = staff.get(DELTAS).content.decode()

    assert "host.attempts" in page
    assert staff.get(f"{DELTAS}add/").status_code == 403
    one = reverse("admin:livecounters_delta_delete", args=[Delta.objects.latest("id").pk])
    assert staff.post(one, {"post": "yes"}).status_code == 403
    assert Delta.objects.exists()


def test_deltas_are_for_who_may_see_them(client: Client) -> None:
    user = User.objects.create(username="reader", is_staff=True)
    client.force_login(user)
    assert client.get(DELTAS).status_code == 403

    user.user_permissions.add(Permission.objects.get(codename="view_delta"))
    assert client.get(DELTAS).status_code == 200
