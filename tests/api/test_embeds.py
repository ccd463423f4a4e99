"""``GET live/embed/<name>``: a number for other sites, that has nothing to do with any session."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

import livecounters as live
from livecounters.registry import registry
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

FORMS = ["attempts.svg", "attempts.json", "attempts/"]
OURS = "https://blog.example"
XML = {"svg": "http://www.w3.org/2000/svg"}


@pytest.fixture(autouse=True)
def listed(settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "COUNTERS": ["attempts", "per_quiz", "score_avg"],
        "ORIGINS": [OURS, "https://other.example:8443"],
    }
    settings.LIVECOUNTERS = {**settings.LIVECOUNTERS, "EMBEDS": found}
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
    return found


def get(path: str, client: Any = None, **headers: str) -> Any:
    return (client or Client()).get(f"/live/embed/{path}", headers=headers)


def complete(number: int = 1) -> Quiz:
    quiz = Quiz.objects.create(title="Fractions")
    Attempt.objects.bulk_create(
        Attempt(quiz=quiz, completed=True, completed_at=timezone.now(), score=1)
        for _ in range(number)
    )
    return quiz


def test_json() -> None:
    complete(1234)

    found = get("attempts.json").json()
    assert found.pop("at").endswith("Z")
    assert found == {"label": "Attempts", "value": 1234, "text": "1,234"}
    assert get("attempts.json?lang=fr").json()["text"] == "1\u202f234"


def test_the_json_of_shields() -> None:
    assert get("attempts.json?as=shields").json() == {
        "schemaVersion": 1,
        "label": "Attempts",
        "message": "0",
    }


def test_a_badge_is_a_picture_that_says_itself() -> None:
    complete(2)

    answer = get("attempts.svg", Accept="image/avif,image/webp,*/*;q=0.8")

    assert answer["Content-Type"] == "image/svg+xml; charset=utf-8"
    picture = ElementTree.fromstring(answer.content)
    assert picture.attrib["role"] == "img"
    assert picture.attrib["aria-label"] == "Attempts: 2"
    assert picture.findtext("svg:title", namespaces=XML) == "Attempts: 2"
    assert [text.text for text in picture.iterfind("svg:text", XML)] == ["Attempts", "2"]
    # The letters fit into their fields, and the fields fill the picture.
    widths = [int(one.attrib["width"]) for one in picture.iterfind("svg:g/svg:rect", XML)]
    letters = [int(one.attrib["textLength"]) for one in picture.iterfind("svg:text", XML)]
    assert sum(widths) == int(picture.attrib["width"])
    assert all(letter < width for letter, width in zip(letters, widths, strict=True))
    assert "sandbox" in answer["Content-Security-Policy"]
    assert b"script" not in answer.content


def test_a_label_is_text_everywhere(listed: dict[str, Any]) -> None:
    class Declared(live.LiveModel):
        odd = live.Count(label='<script>"&\N{SNOWMAN}', public=True)

    registry.add(Attempt, Declared)
    listed["COUNTERS"].append("odd")
    try:
        picture = ElementTree.fromstring(get("odd.svg").content)
        assert picture.attrib["aria-label"] == '<script>"&\N{SNOWMAN}: 0'
        assert get("odd.json").json()["label"] == '<script>"&\N{SNOWMAN}'
        assert "<title>&lt;script&gt;" in get("odd/").content.decode()
    finally:
        registry.remove(Declared)


def test_of_an_object() -> None:
    quiz = complete(3)

    assert get(f"per_quiz.json?of={quiz.pk}").json()["value"] == 3
    assert get(f"host.per_quiz.json?of={quiz.pk}").json()["value"] == 3
    assert get("per_quiz.json").status_code == 404
    assert get(f"attempts.json?of={quiz.pk}").status_code == 404


def test_a_card_is_a_page_that_comes_alive() -> None:
    complete(2)

    page = get("attempts/?lang=de").content.decode()

    assert '<html lang="de">' in page
    assert 'topic="counter:attempts~' in page
    assert 'data-live="value" value="2">2</data>' in page
    assert 'data-socket="/ws/live/"' in page
    # It is nobody's, and asks for no cookie.
    assert 'data-visitor=""' in page
    assert 'data-viewer=""' in page


def test_who_may_frame_a_card(listed: dict[str, Any], settings: Any) -> None:
    answer = get("attempts/")
    assert (
        f"frame-ancestors 'self' {OURS} https://other.example:8443"
        in answer["Content-Security-Policy"]
    )
    assert "script-src 'self';" in answer["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer

    settings.STATIC_URL = "https://files.example/static/"
    assert "script-src 'self' https://files.example;" in get("attempts/")["Content-Security-Policy"]

    listed["ORIGINS"] = []
    answer = get("attempts/")
    assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("form", ["svg", "json"])
def test_whose_scripts_may_read_it(listed: dict[str, Any], form: str) -> None:
    allowed = get(f"attempts.{form}", Origin=OURS)
    assert allowed["Access-Control-Allow-Origin"] == OURS
    assert "Origin" in allowed["Vary"]
    assert "Access-Control-Allow-Credentials" not in allowed
    again = get(f"attempts.{form}", Origin=OURS, If_None_Match=allowed["ETag"])
    assert (again.status_code, again["Access-Control-Allow-Origin"]) == (304, OURS)

    for other in ("https://evil.example", "null", f"{OURS}.evil.example", "http://blog.example"):
        answer = get(f"attempts.{form}", Origin=other)
        assert "Access-Control-Allow-Origin" not in answer
        assert "Origin" in answer["Vary"]
        assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"

    listed["ORIGINS"] = ["*"]
    answer = get(f"attempts.{form}", Origin="https://evil.example")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Origin" not in answer["Vary"]


@pytest.mark.parametrize("path", FORMS)
def test_no_session_and_no_cookie(path: str, django_assert_num_queries: Any) -> None:
    client = Client()
    client.force_login(User.objects.create(username="ada"))

    queries = 2 if path.endswith("/") else 1
    with django_assert_num_queries(queries):
        answer = get(path, client, Authorization="Basic eDp5")

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "public, max-age=60"
    assert "Cookie" not in answer["Vary"]
    assert not answer.cookies
    assert answer["Content-Language"] == "en"


@pytest.mark.parametrize("path", FORMS)
def test_the_tag_is_of_what_it_says(path: str) -> None:
    first = get(path)

    again = get(path, If_None_Match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert get(path.replace("attempts", "score_avg"))["ETag"] != first["ETag"]
    complete()
    assert get(path, If_None_Match=first["ETag"]).status_code == 200


@pytest.mark.parametrize("name", ["sales", "quizzes_today", "nothing", "per_user", "a" * 300])
@pytest.mark.parametrize("form", [".svg", ".json", "/"])
def test_what_is_not_for_others_is_not_there(name: str, form: str) -> None:
    answer = get(name + form)

    assert answer.status_code == 404
    assert answer["Cache-Control"] == "private, no-store"
    assert answer.content == get(f"unknown{form}").content


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("path", FORMS)
def test_it_is_read_only(method: str, path: str) -> None:
    assert getattr(Client(), method)(f"/live/embed/{path}").status_code == 405


def test_a_cache_keeps_one_for_everybody(settings: Any, django_assert_num_queries: Any) -> None:
    cache.clear()
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    first = get("attempts.svg")
    client = Client()
    client.force_login(User.objects.create(username="ada"))

    with django_assert_num_queries(0):
        assert get("attempts.svg", client).content == first.content
    cache.clear()
