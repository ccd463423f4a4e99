"""The counters in the admin: who may see them, who may do what, and that a GET does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

import livecounters as live
from livecounters.admin.counters import ACTIONS
from livecounters.measures import measure_of
from livecounters.models import Bucket, Measured
from livecounters.numbers import counters
from livecounters.registry import registry
from livecounters.testing import fold
from livecounters.windows import ever
from tests.host.livecounters import AttemptLive
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

LIST = "/admin/livecounters/measured/"


def key(name: str) -> str:
    return measure_of(registry.counters.get(name)).key


def at(name: str, action: str = "") -> str:
    return f"{LIST}{key(name)}/{action and action + '/'}"


def complete(number: int = 1) -> None:
    quiz, _ = Quiz.objects.get_or_create(title="Fractions")
    Attempt.objects.bulk_create(
        Attempt(quiz=quiz, completed=True, completed_at=timezone.now(), score=100)
        for _ in range(number)
    )


def log_in(client: Client, *permissions: str, **given: Any) -> User:
    user = User.objects.create(**{"username": "someone", "is_staff": True, **given})
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return user


def row(name: str) -> Measured:
    return Measured.objects.get(measure=key(name))


@pytest.mark.parametrize("action", ["", *ACTIONS])
@pytest.mark.parametrize("path", ["list", "one"])
def test_strangers_and_users_are_asked_to_log_in(client: Client, path: str, action: str) -> None:
    address = LIST if path == "list" else at("attempts", action)
    assert client.get(address).status_code == 302
    assert client.post(address).status_code == 302

    log_in(client, "view_measured", "repair_measured", is_staff=False)
    assert "/login/" in client.get(address).headers["Location"]


def test_staff_without_the_permission_see_nothing(client: Client) -> None:
    log_in(client, "repair_measured", "pause_measured", "reset_measured")

    for address in (LIST, at("attempts"), *(at("attempts", action) for action in ACTIONS)):
        assert client.get(address).status_code == 403
        assert client.post(address).status_code == 403


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_needs_its_own_permission(client: Client, action: str) -> None:
    others = {one.permission for one in ACTIONS.values()} - {ACTIONS[action].permission}
    user = log_in(client, "view_measured", *others)
    complete()
    address = at("quizzes_today", action)

    assert client.get(address).status_code == client.post(address).status_code == 403
    assert address not in client.get(at("quizzes_today")).content.decode()
    assert not LogEntry.objects.exists()

    user.user_permissions.add(Permission.objects.get(codename=ACTIONS[action].permission))
    assert client.get(address).status_code == 200
    assert client.post(address).status_code == 302


@pytest.fixture
def operator(client: Client) -> Client:
    log_in(client, is_superuser=True)
    return client


def test_the_list(operator: Client, django_assert_max_num_queries: Any) -> None:
    complete(3)

    with django_assert_max_num_queries(20):
        page = operator.get(LIST).content.decode()

    assert "host.attempts" in page
    assert "installed" in page
    assert "Never" in page or "audited" in page.lower()


class Secrets(live.LiveModel):
    """Numbers of what is counted anyway, for one person."""

    filter = AttemptLive.filter
    at = AttemptLive.at

    secret = live.Count(audience=lambda user, of: user.username == "boss")


@pytest.fixture
def secrets() -> Iterator[None]:
    registry.add(Attempt, Secrets)
    yield
    registry.remove(Secrets)


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(("who", "shown"), [("boss", True), ("someone", False)])
def test_numbers_that_staff_may_not_read_are_not_shown(
    client: Client, who: str, shown: bool
) -> None:
    log_in(client, is_superuser=True, username=who)
    assert key("secret") == key("attempts")

    for address in (LIST, at("attempts"), at("attempts", "pause")):
        assert ("host.secret" in client.get(address).content.decode()) is shown


def test_one_counter_and_its_account(operator: Client) -> None:
    complete(2)

    page = operator.get(at("attempts")).content.decode()
    assert "SELECT" not in page
    assert "number of rows" in page

    page = operator.get(at("attempts") + "?account").content.decode()
    assert "SELECT" in page
    assert "equal" in page


@pytest.mark.parametrize("action", ACTIONS)
def test_a_get_does_nothing(operator: Client, action: str) -> None:
    complete(2)
    fold()
    before = list(Measured.objects.order_by("pk").values())

    answer = operator.get(at("quizzes_today", action))

    assert answer.status_code == 200
    assert list(Measured.objects.order_by("pk").values()) == before
    assert not LogEntry.objects.exists()


def test_a_post_without_the_token_is_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    log_in(client, is_superuser=True)

    assert client.post(at("quizzes_today", "reset")).status_code == 403


def test_unknown(operator: Client) -> None:
    assert operator.get(f"{LIST}nothing/").status_code == 404
    assert operator.get(at("attempts", "delete")).status_code == 404


def test_paused_and_resumed(operator: Client) -> None:
    operator.post(at("attempts", "pause"))
    assert row("attempts").paused_at is not None
    page = operator.get(at("attempts")).content.decode()
    assert "Paused since" in page
    assert "It is paused." in page

    operator.post(at("attempts", "resume"))
    assert row("attempts").paused_at is None
    said = [entry.get_change_message() for entry in LogEntry.objects.order_by("id")]
    assert said == ["Paused", "Resumed"]
    assert {entry.user.username for entry in LogEntry.objects.all()} == {"someone"}


def test_verified_and_repaired(operator: Client) -> None:
    complete(2)
    fold()
    Bucket.objects.filter(measure=key("attempts")).update(count=7)

    answer = operator.post(at("attempts", "verify"), follow=True).content.decode()
    assert "wrong number" in answer
    assert (row("attempts").drift or 0) > 0
    assert counters["attempts"].value() == 7

    operator.post(at("attempts", "repair"))
    assert counters["attempts"].value() == 2
    assert row("attempts").drift == 0
    assert LogEntry.objects.count() == 2


def test_reset_or_the_reason_why_not(operator: Client) -> None:
    complete(2)
    fold()

    assert "number of rows" in operator.get(at("attempts", "reset")).content.decode()
    answer = operator.post(at("attempts", "reset"), follow=True).content.decode()
    assert "number of rows" in answer
    assert counters["attempts"].value() == 2
    assert not LogEntry.objects.exists()

    operator.post(at("quizzes_today", "reset"))
    assert counters["quizzes_today"].value(window=ever) == 0
    assert "Reset" in LogEntry.objects.get().get_change_message()
    assert "dropped" in operator.get(at("quizzes_today")).content.decode()


def test_states_troubles_and_accounts_are_in_the_readers_language(client: Client) -> None:
    complete(3)
    log_in(client, "view_measured", "repair_measured")
    client.cookies["django_language"] = "de"

    page = client.get(f"{at('attempts')}?account").content.decode()
    assert "installiert" in page
    assert "ausstehende Änderungen" in page
    assert "(gleich)" in page

    Measured.objects.filter(measure=key("attempts")).update(ready=False)
    page = client.get(LIST).content.decode()
    assert "noch nicht mitgezählt" in page


def test_a_delta_tells_its_time(client: Client) -> None:
    complete()
    log_in(client, is_superuser=True)

    page = client.get("/admin/livecounters/delta/").content.decode()

    assert str(timezone.localtime().year) in page
