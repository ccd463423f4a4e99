"""``GET live/presence/`` and ``POST live/visitor/``"""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from rest_framework.test import APIClient

from livecounters.presence import Changes, Device, Kind, Who, store
from livecounters.presence.base import Came
from livecounters.visitors import COOKIE, visitor_of
from tests.host.models import Quiz

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rooms")]


@pytest.fixture
def client() -> APIClient:
    return APIClient()


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


def come(room: str, *users: User, guests: int = 0) -> None:
    now = time.time()
    whos = [Who(Kind.PERSON, str(user.pk)) for user in users]
    whos += [Who(Kind.GUEST, f"g{n}") for n in range(guests)]
    came = [Came(room, who, now + n) for n, who in enumerate(whos)]
    assert store().beat(f"p{room}", Changes(came, (), {room: len(whos) + 1}, True), now, 60.0)


def test_rooms_that_everybody_may_see(client: APIClient, ada: User) -> None:
    come("site", ada, guests=2)
    come("classroom", ada)

    answer = client.get("/live/presence/")

    assert answer.json()["rooms"] == {
        "online": {
            "room": "site",
            "label": "Online now",
            "people": 1,
            "guests": 2,
            "connections": 4,
        }
    }
    assert "ETag" in answer.headers


def test_rooms_that_staff_may_see(client: APIClient) -> None:
    client.force_authenticate(User.objects.create(username="s", is_staff=True))

    found = client.get("/live/presence/").json()["rooms"]
    assert set(found) == {"online", "classroom", "staffroom"}


def test_a_roster(client: APIClient, ada: User, django_assert_max_num_queries: Any) -> None:
    others = [User.objects.create(username=f"u{n}") for n in range(60)]
    come("classroom", ada, *others)
    client.force_authenticate(User.objects.create(username="s", is_staff=True))

    with django_assert_max_num_queries(8):
        answer = client.get("/live/presence/classroom/").json()

    assert (answer["people"], len(answer["roster"])) == (61, 50)
    assert answer["roster"][0]["name"] == "ada"
    assert set(answer["roster"][0]) == {"name", "since", "state"}
    rest = client.get("/live/presence/classroom/?start=50").json()["roster"]
    assert [one["name"] for one in rest] == [f"u{n}" for n in range(49, 60)]


def test_without_a_roster_nobody_is_named(client: APIClient, ada: User) -> None:
    come("site", ada)

    assert "roster" not in client.get("/live/presence/online/").json()


def test_an_object(client: APIClient, ada: User) -> None:
    quiz = Quiz.objects.create(title="Fractions")
    come(f"host.readers:{quiz.pk}", ada)
    client.force_authenticate(User.objects.create(username="s", is_staff=True))

    assert client.get(f"/live/presence/readers/?of={quiz.pk}").json()["people"] == 1
    assert client.get("/live/presence/readers/").status_code == 404
    assert client.get("/live/presence/readers/?of=x").status_code == 404


@pytest.mark.parametrize("name", ["classroom", "staffroom", "nothing", "attempts", "active"])
def test_what_is_not_there_and_what_is_not_shown_are_one(client: APIClient, name: str) -> None:
    assert client.get(f"/live/presence/{name}/").status_code == 404


@pytest.mark.parametrize("start", ["x", "-1", "9" * 50, "\N{SUPERSCRIPT TWO}", "1.5", "100001"])
def test_a_wrong_start(client: APIClient, start: str) -> None:
    assert client.get(f"/live/presence/online/?start={start}").status_code == 400


def test_gauges_are_counters(client: APIClient, ada: User) -> None:
    come("site", ada, guests=1)

    answer = client.get("/live/counters/online/").json()
    assert (answer["value"], answer["unit"], answer["per"]) == (2, "people and guests", None)
    assert client.get("/live/counters/online/?window=today").status_code == 400
    listed = {one["name"]: one for one in client.get("/live/counters/").json()["counters"]}
    assert (listed["online"]["value"], listed["active"]["value"]) == (2, 0)
    polled = client.get("/live/snapshot/?topic=online:site&topic=counter:online").json()["values"]
    assert polled == {
        "online:site": {"people": 1, "guests": 1, "connections": 3},
        "counter:online": 2,
    }


def test_a_browser_asks_for_its_cookie() -> None:
    cache.clear()
    client = APIClient(enforce_csrf_checks=True)

    answer = client.post("/live/visitor/")

    token = answer.json()["visitor"]
    assert visitor_of(token)
    assert client.cookies[COOKIE].value == token
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert client.post("/live/visitor/").json() == {"visitor": token}
    assert client.get("/live/visitor/").status_code == 405


def test_devices_are_their_owners_alone(client: APIClient, ada: User) -> None:
    staff = User.objects.create(username="s", is_staff=True, is_superuser=True)
    now = time.time()
    here = {str(ada.pk): (Device("b1", "Firefox/Linux", now, 2, True, ("site",)),)}
    assert store().beat("p", Changes((), (), {}, True, here), now, 60.0)

    assert client.get("/live/presence/devices/").status_code in (401, 403)
    client.force_authenticate(staff)
    assert client.get("/live/presence/devices/").json()["devices"] == []
    client.force_authenticate(ada)
    answer = client.get("/live/presence/devices/")

    [found] = answer.json()["devices"]
    assert found.pop("since")
    assert found == {"kind": "Firefox on Linux", "state": "away", "pages": 2, "rooms": ["site"]}
    assert "private" in answer.headers["Cache-Control"]
