"""How often may be asked: bounds that a host can set, each for its kind of request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from rest_framework.settings import api_settings

from livecounters.api.throttles import HistoryThrottle

pytestmark = pytest.mark.django_db

INTERNET = "8.8.8.8"
ELSEWHERE = "9.9.9.9"


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """The host's own."""
    found: dict[str, str | None] = dict(api_settings.DEFAULT_THROTTLE_RATES)
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", found)
    return found


def ask(path: str, address: str = "127.0.0.1", method: str = "get", client: Any = None) -> Any:
    return getattr(client or Client(), method)(f"/live/{path}", REMOTE_ADDR=address)


READS = ["counters/", "counters/attempts/", "events/", "presence/", "snapshot/?topic=feed"]
HISTORY = [
    "counters/attempts/series/",
    "counters/attempts/series/?format=csv",
    "counters/per_quiz/breakdown/",
    "counters/per_quiz/top/",
]


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        *(("livecounters_reads", path) for path in READS),
        *(("livecounters_history", path) for path in HISTORY),
    ],
)
def test_what_is_read_is_bound_for_each_address(
    scope: str, path: str, rates: dict[str, str | None]
) -> None:
    rates[scope] = "2/min"

    assert [ask(path).status_code for _ in range(3)] == [200, 200, 429]
    answer = ask(path)
    assert 0 < int(answer["Retry-After"]) <= 60
    assert answer["Cache-Control"] == "private, no-store"
    assert b"throttled" in answer.content
    assert ask(path, ELSEWHERE).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("patch", "progress/goals/"),
        ("patch", "progress/preferences/"),
        ("post", "shares/"),
        ("delete", "shares/"),
        ("post", "achievements/seen/"),
        ("post", "achievements/1/read/"),
    ],
)
def test_what_is_changed_is_bound_for_each_person(
    method: str, path: str, rates: dict[str, str | None]
) -> None:
    rates["livecounters_changes"] = "2/min"
    ada, bob = Client(), Client()
    ada.force_login(User.objects.create(username="ada"))
    bob.force_login(User.objects.create(username="bob"))

    codes = [ask(path, method=method, client=ada).status_code for _ in range(3)]
    assert 429 not in codes[:2]
    assert codes[2] == 429
    assert ask(path, method=method, client=bob).status_code != 429
    assert ask("progress/", client=ada).status_code == 200


def test_visitors_are_bound_for_each_address(rates: dict[str, str | None]) -> None:
    rates["livecounters_visitors"] = "1/min"

    assert [ask("visitor/", method="post").status_code for _ in range(2)] == [200, 429]


def test_the_default_is_for_addresses_of_the_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HistoryThrottle, "default", "2/min")
    path = HISTORY[0]

    assert [ask(path, INTERNET).status_code for _ in range(3)] == [200, 200, 429]
    # A proxy that is not told apart from its clients would be all of them.
    assert {ask(path, "10.0.0.1").status_code for _ in range(4)} == {200}


def test_a_host_may_take_a_bound_away(
    rates: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HistoryThrottle, "default", "1/min")
    rates["livecounters_history"] = None

    assert {ask(HISTORY[0], INTERNET).status_code for _ in range(4)} == {200}


def test_nobody_s_session_is_looked_at(
    rates: dict[str, str | None], django_assert_num_queries: Any
) -> None:
    rates["livecounters_reads"] = "100/min"
    client = Client()
    client.force_login(User.objects.create(username="ada"))

    with django_assert_num_queries(1):
        answer = ask("counters/attempts/", client=client)
    assert "public" in answer["Cache-Control"]


def test_what_is_not_bound_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "set", None)

    assert ask("counters/attempts/", INTERNET).status_code == 200
