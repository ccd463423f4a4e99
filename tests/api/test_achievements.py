"""``GET live/achievements/`` and what marks them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from livecounters.models import Achievement
from livecounters.registry import registry
from tests.host.learners import Learning
from tests.host.models import Attempt

pytestmark = pytest.mark.django_db

URL = "/live/achievements/"


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    registry.add(Attempt, Learning)
    yield
    registry.remove(Learning)


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


@pytest.fixture
def client(ada: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ada)
    return client


def reach(user: User, kind: str = "total", step: int = 10, period: str = "") -> Achievement:
    return Achievement.objects.create(
        person=str(user.pk),
        counter="host.sessions",
        kind=kind,
        step=step,
        period=period,
        at=timezone.now(),
    )


def test_what_was_reached(client: APIClient, ada: User) -> None:
    reach(ada)
    newest = reach(ada, "streak", 7)
    reach(User.objects.create(username="bob"))

    answer = client.get(URL)

    assert [one["text"] for one in answer.json()["results"]] == [
        "Sessions: 7 days in a row",
        "Sessions: 10 in all",
    ]
    first = answer.json()["results"][0]
    assert (first["id"], first["counter"], first["great"]) == (newest.pk, "sessions", True)
    assert (answer.json()["unseen"], answer.json()["unread"]) == (2, 2)
    assert "private" in answer.headers["Cache-Control"]


def test_page_by_page(client: APIClient, ada: User) -> None:
    for step in range(1, 61):
        reach(ada, step=step)

    page = client.get(URL).json()
    rest = client.get(URL, {"before": page["next"]}).json()

    assert (len(page["results"]), len(rest["results"]), rest["next"]) == (50, 10, None)
    assert client.get(URL, {"before": "x"}).status_code == 400


def test_shown_on_one_device_is_shown_on_all(client: APIClient, ada: User) -> None:
    one, other = reach(ada), reach(ada, step=25)

    for new in (1, 0):
        answer = client.post(f"{URL}{one.pk}/seen/").json()
        assert answer == {"new": new, "unseen": 1, "unread": 2}
    assert [o["id"] for o in client.get(URL, {"unseen": "1"}).json()["results"]] == [other.pk]
    assert client.post(f"{URL}{one.pk}/read/").json() == {"new": 1, "unseen": 1, "unread": 1}
    assert client.post(f"{URL}seen/").json() == {"new": 1, "unseen": 0, "unread": 1}
    assert client.post(f"{URL}read/").json() == {"new": 1, "unseen": 0, "unread": 0}


def test_nobody_else_s(client: APIClient) -> None:
    theirs = reach(User.objects.create(username="bob"))

    assert client.post(f"{URL}{theirs.pk}/seen/").status_code == 404
    assert client.post(f"{URL}{10**17}/seen/").status_code == 404
    theirs.refresh_from_db()
    assert theirs.seen_at is None


def test_only_who_is_signed_in() -> None:
    assert APIClient().get(URL).status_code in (401, 403)
    assert APIClient().post(f"{URL}seen/").status_code in (401, 403)
