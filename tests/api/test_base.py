"""What all answers share: the ETag, and the session left alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from livecounters import feed
from livecounters.api.base import etag
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
    assert "no-cache" in same["Cache-Control"]


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
