"""The dashboard: who may see it, what it shows, what each is not shown."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

import livecounters as live
from livecounters import leases, samples
from livecounters.models import Measured
from livecounters.presence import Changes, Device, Kind, Who, store
from livecounters.presence.base import Came
from livecounters.registry import registry
from livecounters.reporter import PREFIX
from tests.host.models import Attempt, Quiz

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rooms")]

DASHBOARD = "/admin/livecounters/dashboard/"
PEOPLE = f"{DASHBOARD}people/"
SAMPLES = f"{DASHBOARD}samples/{PREFIX}sockets/"
NEEDS = {
    DASHBOARD: "view_dashboard",
    PEOPLE: "view_presence",
    f"{PEOPLE}1/": "view_presence",
    SAMPLES: "view_sample",
}


def log_in(client: Client, *permissions: str, **given: Any) -> User:
    user = User.objects.create(**{"username": "someone", "is_staff": True, **given})
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return user


@pytest.fixture
def operator(client: Client) -> Client:
    log_in(client, is_superuser=True)
    return client


@pytest.mark.parametrize("address", NEEDS)
def test_who_may_look(client: Client, address: str) -> None:
    User.objects.create(pk=1, username="ada")
    assert "/login/" in client.get(address).headers["Location"]

    user = log_in(client, *NEEDS.values(), is_staff=False)
    assert "/login/" in client.get(address).headers["Location"]

    user.is_staff = True
    user.save()
    user.user_permissions.set(
        Permission.objects.filter(codename__in=set(NEEDS.values()) - {NEEDS[address]})
    )
    assert client.get(address).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename=NEEDS[address]))
    assert client.get(address).status_code == 200


def test_the_index_of_the_admin_leads_there(client: Client) -> None:
    log_in(client, "view_dashboard")

    assert DASHBOARD in client.get("/admin/").content.decode()


def test_numbers_history_and_feed(operator: Client) -> None:
    quiz = Quiz.objects.create(title="Fractions")
    ada = User.objects.create(username="ada")
    Attempt.objects.create(quiz=quiz, user=ada, completed=True, completed_at=timezone.now())

    page = operator.get(DASHBOARD).content.decode()

    assert 'data-name="quizzes_today"' in page
    assert "<live-feed" in page
    assert "<live-online" in page
    assert "ada just completed Fractions" in page
    assert "Quizzes today" in page
    assert "live_assets" not in page
    assert " style=" not in page


def test_history_is_of_the_database(operator: Client) -> None:
    samples.report({PREFIX + "sockets": 12.0}, time.time())
    samples.report({PREFIX + "sockets": 30.0}, time.time())

    page = operator.get(DASHBOARD).content.decode()

    assert "<strong>42</strong>" in page
    assert "<td>2</td>" in operator.get(SAMPLES).content.decode()
    assert operator.get(f"{DASHBOARD}samples/secret/").status_code == 404


class Secrets(live.LiveSite):
    secret = live.Online(room="secret", audience=lambda user, of: user.username == "boss")


@pytest.mark.parametrize(("who", "shown"), [("boss", True), ("someone", False)])
def test_numbers_that_a_user_may_not_read_are_not_shown(
    client: Client, who: str, shown: bool
) -> None:
    registry.add_site(Secrets)
    try:
        log_in(client, "view_dashboard", "view_sample", username=who)
        page = client.get(DASHBOARD).content.decode()
        [name] = [one.full_name for one in registry.gauges if one.live is Secrets]
        samples_of = client.get(f"{DASHBOARD}samples/{name}/").status_code
    finally:
        registry.remove(Secrets)

    assert ('data-name="secret"' in page) is shown
    assert samples_of == (200 if shown else 404)


def test_what_a_user_may_not_see_is_not_linked(client: Client) -> None:
    log_in(client, "view_dashboard")

    page = client.get(DASHBOARD).content.decode()

    assert "<live-feed" not in page
    assert PEOPLE not in page
    assert "/measured/" not in page
    assert "/samples/" not in page


def test_health(operator: Client) -> None:
    assert "not at work" in operator.get(DASHBOARD).content.decode()

    leases.hold(leases.PUMP, "pump 1", timezone.now(), 15, "default")
    Measured.objects.filter(names__contains="host.attempts").update(drift=3)

    page = operator.get(DASHBOARD).content.decode()
    assert "not at work" not in page
    assert "3 wrong buckets at the last audit" in page


def test_people_and_their_devices(operator: Client) -> None:
    ada = User.objects.create(username="ada")
    key, now = str(ada.pk), time.time()
    who = Who(Kind.PERSON, key)
    devices = {key: (Device("b1", "Firefox/Linux", now - 60, 2, False, ("classroom", "site")),)}
    came = [Came("site", who, now - 60)]
    assert store().beat("p", Changes(came, (), {"site": 2}, True, devices), now, 60.0)

    page = operator.get(PEOPLE).content.decode()
    assert "ada" in page
    assert f"{PEOPLE}{key}/" in page

    page = operator.get(f"{PEOPLE}{key}/").content.decode()
    assert "Firefox on Linux" in page
    assert "classroom, site" in page
    assert operator.get(f"{PEOPLE}999999/").status_code == 404


def test_a_store_that_is_away(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(type(store()), "roster", fail)
    monkeypatch.setattr(type(store()), "counts", fail)

    page = operator.get(PEOPLE)
    assert page.status_code == 200
    assert "does not answer" in page.content.decode()
