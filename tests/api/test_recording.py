"""``POST live/events/``: what a browser says that somebody did, counted once however often it is
said, and never of anybody else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connections
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.settings import api_settings
from rest_framework.test import APIClient

import livecounters as live
from livecounters import feed
from livecounters.models import ActivityEvent, EventSource
from livecounters.testing import assert_counter
from tests.host import practice
from tests.host.models import Quiz

pytestmark = pytest.mark.django_db

URL = "/live/events/"


@pytest.fixture(autouse=True)
def declared(db: None) -> Iterator[None]:
    cache.clear()
    with practice.declared():
        yield


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


@pytest.fixture
def client(ada: User) -> Client:
    """A browser in which she is signed in."""
    client = Client()
    client.force_login(ada)
    return client


def post(client: Client, given: Any = None, **said: Any) -> Any:
    body = {"kind": "session_completed", "key": "k", **said} if given is None else given
    return client.post(URL, body, content_type="application/json")


def nothing_was_written() -> bool:
    return not (ActivityEvent.objects.exists() or EventSource.objects.exists())


# What is answered


def test_the_event_and_the_progress(client: Client, ada: User) -> None:
    live.emit("session_completed", actor=ada, data={"score": 90})

    answer = post(client, data={"score": 80})

    assert answer.status_code == 201
    found = answer.json()
    assert found.keys() == {"event", "progress"}
    at, seq = found["event"].pop("at"), found["event"].pop("seq")
    assert found["event"].pop("key") == str(seq)
    assert found["event"] == {
        "kind": "session_completed",
        "text": "ada finished a session with 80 points",
        "icon": "",
        "actor": "ada",
        "target": None,
        "data": {"score": 80},
        "url": None,
        "count": 1,
        "others": 0,
    }
    event = ActivityEvent.objects.latest("id")
    assert (at, seq, event.actor) == (feed.iso(event.at), feed.head().seq, str(ada.pk))
    assert found["progress"]["sessions"] == {
        "total": 2,
        "today": 2,
        "week": 2,
        "month": 2,
        "average": 85.0,
        "streak": {"current": 1, "longest": 1},
        "goals": {
            "day": {"target": 3, "progress": 2, "percent": 66.7},
            "week": {"target": 15, "progress": 2, "percent": 13.3},
        },
        "next_milestone": 10,
    }
    assert found["progress"] == live.progress(ada).as_json()


def test_it_is_in_the_feed(client: Client) -> None:
    said = post(client).json()["event"]

    assert client.get(URL, {"kind": "session_completed"}).json()["results"] == [said]


# Once


def test_a_replay(client: Client, ada: User) -> None:
    first = post(client, data={"score": 80})
    again = [post(client, data={"score": n}) for n in (80, 99)]

    assert [answer.status_code for answer in (first, *again)] == [201, 200, 200]
    assert [answer.json() for answer in again] == [first.json()] * 2
    assert_counter("points", 80, of=ada)


def test_another_key_counts_again(client: Client, ada: User) -> None:
    assert [post(client, key=key).status_code for key in "abab"] == [201, 201, 200, 200]
    assert_counter("sessions", 2, of=ada)


def test_another_person_s_key_is_another(client: Client, ada: User) -> None:
    bob = User.objects.create(username="bob")
    other = Client()
    other.force_login(bob)

    assert [post(one).status_code for one in (client, other)] == [201, 201]
    assert_counter("sessions", 1, of=ada)
    assert_counter("sessions", 1, of=bob)


def test_the_server_s_key_is_the_same(client: Client, ada: User) -> None:
    live.emit("session_completed", actor=ada, key="k")

    assert post(client).status_code == 200
    assert_counter("sessions", 1, of=ada)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(keys=st.lists(st.sampled_from(["a", "b", "A", "a ", "ä", "\0", "💚"]), max_size=8))
def test_as_often_as_there_are_keys(keys: list[str], client: Client, ada: User) -> None:
    ActivityEvent.objects.all().delete()
    EventSource.objects.all().delete()
    cache.clear()

    codes = [post(client, key=key).status_code for key in keys]

    assert codes.count(201) == len(set(keys)) == ActivityEvent.objects.count()
    assert set(codes) <= {200, 201}


@pytest.mark.django_db(transaction=True)
def test_two_devices_at_the_same_instant(ada: User) -> None:
    number, rounds = 4, 4
    devices = [Client() for _ in range(number)]
    for device in devices:
        device.force_login(ada)
    begin = threading.Barrier(number)
    answers: list[Any] = []

    def play(device: Client) -> None:
        try:
            for n in range(rounds):
                begin.wait(30)
                answers.append((n, post(device, key=f"session {n}", data={"score": 10})))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=play, args=(device,)) for device in devices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for n in range(rounds):
        codes = sorted(answer.status_code for m, answer in answers if m == n)
        assert codes == [200] * (number - 1) + [201]
        said = [answer.json()["event"]["at"] for m, answer in answers if m == n]
        assert len(set(said)) == 1
    assert live.progress(ada)["sessions"].total == rounds
    assert_counter("points", 10 * rounds, of=ada)


# Who may


def test_nobody_signed_in() -> None:
    assert post(Client()).status_code in (401, 403)
    assert nothing_was_written()


def test_a_session_needs_the_csrf_token(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    assert post(client).status_code == 403
    assert nothing_was_written()

    client.cookies["csrftoken"] = token = "x" * 32
    answer = client.post(
        URL,
        {"kind": "session_completed", "key": "k"},
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )
    assert answer.status_code == 201


def test_no_form_of_another_site(client: Client) -> None:
    given = {"kind": "session_completed", "key": "k"}

    assert client.post(URL, given).status_code == 415
    assert client.post(URL, json.dumps(given), content_type="text/plain").status_code == 415
    assert nothing_was_written()


def test_any_authentication_of_rest_framework(ada: User) -> None:
    client = APIClient()
    client.force_authenticate(ada)

    answer = client.post(URL, {"kind": "session_completed", "key": "k"}, format="json")
    assert answer.status_code == 201
    assert_counter("sessions", 1, of=ada)


@pytest.mark.parametrize(
    "kind", ["arrived", "imported", "quiz_completed", "host.quiz_completed", "nothing", ""]
)
def test_a_kind_that_no_browser_records(client: Client, kind: str) -> None:
    answer = post(client, kind=kind)

    assert answer.status_code == 404
    assert answer.content == client.get("/live/counters/nothing/").content
    assert nothing_was_written()


@pytest.mark.parametrize("word", ["actor", "at", "seq", "user"])
def test_neither_who_nor_when_can_be_chosen(client: Client, word: str) -> None:
    answer = post(client, **{word: 1})

    assert answer.status_code == 400
    assert answer.json() == {word: "A browser cannot give this."}
    assert nothing_was_written()


def test_of_what(client: Client) -> None:
    quiz = Quiz.objects.create(title="Fractions")
    hidden = Quiz.objects.create(title="Secret", published=False)

    def rate(**given: Any) -> Any:
        return post(client, kind="quiz_rated", **given)

    answer = rate(target=str(quiz.pk), data={"worth": "2.50"})
    assert answer.status_code == 201
    assert answer.json()["event"]["text"] == "ada rated Fractions"
    assert_counter("ratings", 1, of=quiz)
    assert rate(key="l", target=quiz.pk).status_code == 201
    for target in (hidden.pk, 404):
        answer = rate(key="m", target=str(target))
        assert answer.status_code == 400
        assert answer.json() == {"target": f"There is no Quiz '{target}'."}
    assert rate(key="m").status_code == 404
    for wrong in (True, [], {}, 1.5):
        assert rate(key="m", target=wrong).json() == {"target": "Give the key of an object."}
    answer = post(client, key="m", target="1")
    assert answer.json()["target"].startswith("session_completed does not say of which model")
    assert_counter("ratings", 2, of=quiz)


# What is refused


@pytest.mark.parametrize(
    ("given", "about"),
    [
        ({"kind": "session_completed"}, {"key"}),
        ({"kind": "session_completed", "key": ""}, {"key"}),
        ({"kind": "session_completed", "key": "k" * 101}, {"key"}),
        ({"kind": "session_completed", "key": 5}, {"key"}),
        ({"key": "k"}, {"kind"}),
        ({"kind": ["session_completed"], "key": "k"}, {"kind"}),
        ({}, {"kind", "key"}),
        ([], {"non_field_errors"}),
        ("x", {"non_field_errors"}),
        (None, {"non_field_errors"}),
        ({"kind": "session_completed", "key": "k", "data": []}, {"data"}),
        ({"kind": "session_completed", "key": "k", "data": {"mail": "x"}}, {"data"}),
        ({"kind": "session_completed", "key": "k", "data": {"score": "many"}}, {"data"}),
        ({"kind": "session_completed", "key": "k", "data": {"minutes": -1}}, {"data"}),
        ({"kind": "session_completed", "key": "k", "data": {"mode": "\0"}}, {"data"}),
        ({"kind": "session_completed", "key": "k", "data": {"mode": "\ud800"}}, {"data"}),
    ],
)
def test_what_is_refused(client: Client, given: Any, about: set[str]) -> None:
    answer = client.post(URL, json.dumps(given), content_type="application/json")

    assert answer.status_code == 400
    assert set(answer.json()) == about
    assert nothing_was_written()


@pytest.mark.parametrize("body", ["", "{", "[" * 4000, '{"kind": NaN}', "\xff"])
def test_what_is_no_json(client: Client, body: str) -> None:
    answer = client.post(URL, body.encode("latin-1"), content_type="application/json")

    assert answer.status_code == 400
    assert nothing_was_written()


def test_too_much(client: Client) -> None:
    assert post(client, data={"mode": "x" * 8000}).status_code == 201
    answer = post(client, key="l", data={"mode": "x" * 9000})

    assert answer.status_code == 413
    assert answer.json() == {"detail": "At most 8192 bytes."}
    assert ActivityEvent.objects.count() == 1


def test_too_often(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {**api_settings.DEFAULT_THROTTLE_RATES, "livecounters_events": "3/min"}
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", rates)

    answers = [post(client, key=str(n)) for n in range(5)]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 429, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert_counter("sessions", 3, of=ada)
    # Whoever reads is not slowed.
    assert client.get(URL).status_code == 200
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", {"livecounters_events": None})
    assert post(client, key="on").status_code == 201


def test_sixty_a_minute_without_a_word(client: Client) -> None:
    codes = [post(client).status_code for _ in range(61)]

    assert codes == [201] + [200] * 59 + [429]
