"""What all answers share: the ETag, the session left alone, and who may keep them."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, override_settings
from django.utils import timezone

from livecounters import feed
from livecounters.api.base import etag
from livecounters.testing import freeze
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

PUBLIC = [
    "/live/counters/attempts/",
    "/live/counters/score_avg/",
    "/live/events/?kind=quiz_completed",
    "/live/snapshot/?topic=counter:attempts&topic=feed:quiz_completed",
]


def complete() -> None:
    ada, _ = User.objects.get_or_create(username="ada")
    quiz = Quiz.objects.create(title="Fractions")
    Attempt.objects.create(
        quiz=quiz,
        user=ada,
        completed=True,
        completed_at=timezone.now(),
        score=Attempt.objects.count(),
    )


def again(client: Client, path: str, tag: str, **headers: str) -> Any:
    return client.get(path, headers={"If-None-Match": tag, **headers})


@pytest.mark.parametrize("path", [*PUBLIC, "/live/counters/", "/live/events/"])
def test_nothing_new_is_304(client: Client, path: str) -> None:
    complete()
    first = client.get(path)
    assert first.status_code == 200

    same = again(client, path, first["ETag"])

    assert (same.status_code, same.content) == (304, b"")
    assert same["ETag"] == first["ETag"]
    assert same["Cache-Control"] == first["Cache-Control"]


@pytest.mark.parametrize("path", PUBLIC)
def test_something_new_is_200(client: Client, path: str) -> None:
    complete()
    tag = client.get(path)["ETag"]
    complete()

    answer = again(client, path, tag)

    assert answer.status_code == 200
    assert answer["ETag"] != tag


@pytest.mark.parametrize("header", ['"x", {tag}', "W/{tag}", '{tag} , "x"', 'W/"a",W/{tag}', "*"])
def test_a_tag_among_others(client: Client, header: str) -> None:
    tag = client.get(PUBLIC[0])["ETag"]

    assert again(client, PUBLIC[0], header.format(tag=tag)).status_code == 304


@pytest.mark.parametrize("header", ["", '"x"', "nonsense", ","])
def test_another_tag(client: Client, header: str) -> None:
    assert again(client, PUBLIC[0], header).status_code == 200


def test_head_is_answered_like_get(client: Client) -> None:
    answer = client.head(PUBLIC[0])

    assert answer.status_code == 200
    assert answer["ETag"] == client.get(PUBLIC[0])["ETag"]


def test_errors_have_no_tag(client: Client) -> None:
    assert "ETag" not in client.get("/live/counters/nothing/")


def test_the_time_of_an_answer_is_no_part_of_its_tag() -> None:
    assert etag({"value": 1, "at": "now"}) == etag({"at": "then", "value": 1})
    assert etag({"value": 1}) != etag({"value": 2})
    assert etag({"value": 1}) != etag({"value": "1"})
    # The form is.
    assert etag({"value": 1}) != etag({"value": 1}, "csv")
    # The time of an event is.
    assert etag({"results": [{"at": 1}]}) != etag({"results": [{"at": 2}]})


@pytest.mark.parametrize("path", PUBLIC)
def test_what_everybody_may_read_does_not_look_at_the_session(
    client: Client, path: str, django_assert_max_num_queries: Any
) -> None:
    client.force_login(User.objects.create(username="somebody"))
    complete()
    feed.number()

    with django_assert_max_num_queries(5) as queries:
        answer = client.get(path)

    assert answer.status_code == 200
    assert not [query for query in queries if "django_session" in query["sql"]]
    assert "Cookie" not in answer.get("Vary", "")
    assert not answer.cookies


@pytest.mark.parametrize("path", ["/live/counters/", "/live/snapshot/?topic=counter:sales"])
def test_what_depends_on_who_asks_says_so(client: Client, path: str) -> None:
    assert "Cookie" in client.get(path)["Vary"]


def test_json_whatever_is_asked_for(client: Client) -> None:
    answer = client.get(PUBLIC[0], headers={"Accept": "application/json, text/html"})

    assert answer["Content-Type"] == "application/json"


# Caches

OWN = [
    "/live/counters/",
    "/live/counters/attempts/",
    "/live/counters/per_quiz/?of=1",
    "/live/counters/per_quiz/breakdown/",
    "/live/counters/per_quiz/top/",
    "/live/counters/per_user/rank/",
    "/live/counters/sales/",
    "/live/counters/sales/series/",
    "/live/counters/attempts/series/?format=csv",
    "/live/counters/nothing/",
    "/live/counters/attempts/?window=never",
    "/live/events/",
    "/live/events/?kind=quiz_completed",
    "/live/events/?kind=perfect",
    "/live/presence/",
    "/live/presence/online/",
    "/live/progress/",
    "/live/progress/preferences/",
    "/live/achievements/",
    "/live/snapshot/?topic=counter:attempts",
    "/live/snapshot/?topic=counter:sales",
    "/live/snapshot/?topic=progress",
]

EVERYBODY_S = [
    "/live/presence/online/",
    "/live/counters/attempts/",
    "/live/counters/per_quiz/?of=1",
    "/live/counters/per_quiz/breakdown/",
    "/live/counters/attempts/series/?format=csv",
    "/live/events/?kind=quiz_completed",
    "/live/snapshot/?topic=counter:attempts",
]


@pytest.fixture
def callers(settings: Any) -> dict[str, Client]:
    """Nobody, somebody and staff: by session, and by a header without a cookie; all behind
    Django's cache, which keeps what it may for ten minutes."""
    cache.clear()
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    found = {"nobody": Client()}
    for name, is_staff in (("staff", True), ("somebody", False)):
        user = User.objects.create(username=name, is_staff=is_staff)
        user.set_password("x")
        user.save()
        found[name] = Client()
        found[name].force_login(user)
        basic = b64encode(f"{name}:x".encode()).decode()
        found[f"{name} by header"] = Client(headers={"Authorization": f"Basic {basic}"})
    return found


def said(answer: Any) -> Any:
    """The answer without its time."""
    if answer["Content-Type"] == "application/json":
        return answer.status_code, etag(answer.json())
    return answer.status_code, answer.content


@pytest.mark.parametrize("path", OWN)
@pytest.mark.usefixtures("rooms")
def test_nobody_is_given_another_s_answer(path: str, callers: dict[str, Client]) -> None:
    complete()
    feed.number()
    with override_settings(MIDDLEWARE=[m for m in settings.MIDDLEWARE if "Cache" not in m]):
        wanted = {name: said(client.get(path)) for name, client in callers.items()}

    # Whoever came first, and who comes again.
    for first in callers.values():
        cache.clear()
        first.get(path)
        assert {name: said(client.get(path)) for name, client in callers.items()} == wanted


@pytest.mark.parametrize("path", OWN)
@pytest.mark.usefixtures("rooms")
def test_what_is_somebody_s_own_says_so(path: str, callers: dict[str, Client]) -> None:
    for client in callers.values():
        answer = client.get(path)
        kept = answer["Cache-Control"]
        if path in EVERYBODY_S:
            assert (kept, answer.status_code) == ("public, max-age=1", 200)
            assert not {"Cookie", "Authorization"} & set(answer.get("Vary", "").split(", "))
        elif answer.status_code == 200:
            assert kept == "private, no-cache"
            assert {"Cookie", "Authorization"} <= set(answer["Vary"].split(", "))
        else:
            assert kept == "private, no-store"
        assert not answer.cookies


@pytest.mark.parametrize("path", EVERYBODY_S)
@pytest.mark.usefixtures("rooms")
def test_what_is_everybody_s_is_answered_once(
    path: str, callers: dict[str, Client], django_assert_num_queries: Any
) -> None:
    with freeze(timezone.now()):
        first = callers["nobody"].get(path)
        assert first.status_code == 200
        with django_assert_num_queries(0):
            for client in callers.values():
                assert client.get(path).content == first.content


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/live/events/"),
        ("post", "/live/visitor/"),
        ("post", "/live/shares/"),
        ("post", "/live/achievements/seen/"),
        ("patch", "/live/progress/goals/"),
        ("put", "/live/counters/"),
    ],
)
def test_what_changes_something_is_kept_nowhere(
    method: str, path: str, callers: dict[str, Client]
) -> None:
    for client in callers.values():
        assert getattr(client, method)(path)["Cache-Control"] == "private, no-store"
