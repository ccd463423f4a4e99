"""``GET live/counters/``: the numbers as the API says them, and to whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

import livecounters as live
from livecounters.api.counters import window_of
from livecounters.registry import registry
from tests.host.models import Attempt, Course, Quiz, Sale, Tag

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> APIClient:
    return APIClient()


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


def complete(quiz: Quiz, **given: Any) -> None:
    given = {"completed": True, "completed_at": timezone.now(), "score": 70} | given
    Attempt.objects.create(quiz=quiz, **given)


def get(client: APIClient, path: str = "", **query: Any) -> Any:
    return client.get(f"/live/counters/{path}", query)


def user(name: str, **given: Any) -> User:
    return User.objects.create(username=name, **given)


# The list


def test_everybody_sees_what_is_public_and_staff_sees_all(client: APIClient, quiz: Quiz) -> None:
    complete(quiz)

    answer = get(client).json()
    names = [counter["name"] for counter in answer["counters"]]
    assert names == [e.name for e in registry.counters if e.declared.public]
    assert answer["counters"][0] == {
        "name": "quizzes_today",
        "label": "Quizzes today",
        "unit": "count",
        "per": None,
        "value": 1,
    }
    client.force_authenticate(user("staff", is_staff=True))
    assert len(get(client).json()["counters"]) == len(registry.counters)


def test_a_counter_per_object_has_no_value_in_the_list(client: APIClient) -> None:
    described = {counter["name"]: counter for counter in get(client).json()["counters"]}

    assert described["per_quiz"]["per"] == "quiz"
    assert "value" not in described["per_quiz"]
    assert described["score_avg"] == {
        "name": "score_avg",
        "label": "Average score",
        "unit": "mean",
        "per": None,
        "value": None,
    }
    assert described["revenue"]["unit"] == "sum"


def test_the_list_is_few_queries(client: APIClient, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        get(client)


# One counter


def test_a_value(client: APIClient, quiz: Quiz) -> None:
    complete(quiz, score=50)
    complete(quiz, score=51)

    answer = get(client, "score_avg/")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    found = answer.json()
    assert (found["name"], found["value"]) == ("score_avg", 50.5)
    assert found["at"].endswith("Z")
    assert get(client, "host.score_avg/").json()["value"] == 50.5


def test_money_is_said_exactly(client: APIClient) -> None:
    Sale.objects.create(price="0.10", quantity=3)

    assert get(client, "revenue/").json()["value"] == "0.30"


def test_one_object_and_several(client: APIClient, quiz: Quiz) -> None:
    other = Quiz.objects.create(title="Other")
    complete(quiz)
    complete(quiz)

    assert get(client, "per_quiz/", of=quiz.pk).json()["value"] == 2
    assert get(client, "per_quiz/", of=other.pk).json()["value"] == 0
    assert get(client, "per_quiz/", of=987654).json()["value"] == 0
    values = get(client, "per_quiz/", of=[quiz.pk, other.pk]).json()
    assert values["values"] == {str(quiz.pk): 2, str(other.pk): 0}
    assert "value" not in values


@pytest.mark.parametrize("of", [[], [1], [1, 2, 3]])
def test_a_public_counter_is_one_query_however_many(
    client: APIClient, django_assert_num_queries: Any, of: list[int]
) -> None:
    with django_assert_num_queries(1):
        answer = get(client, "per_quiz/" if of else "attempts/", of=of)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("window", "value"),
    [("ever", 2), ("today", 1), ("this_month", None), ("1m", 1), ("24h", 1), ("3000d", 2), ("", 2)],
)
def test_windows(client: APIClient, quiz: Quiz, window: str, value: int | None) -> None:
    complete(quiz)
    complete(quiz, completed_at=timezone.now() - dt.timedelta(days=2000))

    found = get(client, "attempts/", window=window).json()["value"]
    assert found == value or value is None


@pytest.mark.parametrize(
    "window",
    ["tomorrow", "0d", "-1d", "1.5h", "1w", "100000d", "d", "1 d", "000001" + "9" * 400 + "d"],
)
def test_an_unknown_window(client: APIClient, window: str) -> None:
    answer = get(client, "attempts/", window=window)

    assert answer.status_code == 400
    assert answer.json() == {
        "window": "Give one of ever, today, this_week, this_month, or a number with m, h or d "
        "such as 30d."
    }


def test_windows_in_words() -> None:
    assert window_of("12h") == live.last(hours=12)
    assert window_of("90m") == live.last(minutes=90)
    assert window_of("this_week") is live.this_week
    assert window_of(None) is window_of("") is None


@pytest.mark.parametrize(
    ("path", "of", "said"),
    [
        ("per_quiz/", "seven", "This counter is counted per quiz; give of= with its key."),
        ("per_quiz/", "", "This counter is counted per quiz; give of= with its key."),
        ("per_quiz/", None, "This counter is counted per quiz; give of= with its key."),
        ("attempts/", "1", "This counter is one number for the site; leave of= away."),
        ("per_quiz/", ["1"] * 201, "At most 200 at a time."),
    ],
)
def test_an_of_that_is_none(client: APIClient, path: str, of: Any, said: str) -> None:
    answer = get(client, path, **({} if of is None else {"of": of}))

    assert answer.status_code == 400
    assert answer.json() == {"of": said}


@pytest.mark.parametrize("of", ["\x00", "a\x00b", "9" * 400, "🎓", "x" * 4000, "%", "{}"])
def test_any_key_is_answered(client: APIClient, of: str) -> None:
    answer = get(client, "quizzes_by_target/", of=of)

    assert answer.status_code in (200, 400)


def test_a_number_beyond_any_key(client: APIClient) -> None:
    answer = get(client, "per_quiz/", of="9" * 400)

    assert answer.status_code in (200, 400)


# What is not public

PRIVATE = ["sales/", "per_user/?of=1", "per_user/", "sales/?of=1", "sales_per_course/?of=x"]


@pytest.mark.parametrize("path", PRIVATE)
def test_what_is_not_public_is_not_there(client: APIClient, path: str) -> None:
    unknown = get(client, "nothing/?" + path.partition("?")[2])
    client.force_authenticate(user("somebody", pk=99))

    for answer in (get(client, path), get(APIClient(), path)):
        assert answer.status_code == unknown.status_code == 404
        assert answer.content == unknown.content


def test_no_header_tells_that_it_is_there(client: APIClient) -> None:
    assert get(client, "sales/").headers == get(client, "nothing/").headers


def test_wrong_credentials_do_not_tell_that_it_is_there(client: APIClient) -> None:
    client.credentials(HTTP_AUTHORIZATION="Basic eDp5")

    codes = {get(client, path).status_code for path in ("sales/", "nothing/")}
    assert len(codes) == 1


def test_owners_and_staff_see(client: APIClient, quiz: Quiz) -> None:
    ada, bob = user("ada"), user("bob")
    complete(quiz, user=ada)

    client.force_login(ada)
    assert get(client, "per_user/", of=ada.pk).json()["value"] == 1
    assert get(client, "per_user/", of=bob.pk).status_code == 404
    assert get(client, "per_user/", of=[ada.pk, bob.pk]).status_code == 404
    assert get(client, "sales/").status_code == 404
    client.force_login(user("staff", is_staff=True))
    assert get(client, "per_user/", of=[ada.pk, bob.pk]).json()["values"] == {
        str(ada.pk): 1,
        str(bob.pk): 0,
    }
    assert get(client, "sales/").json()["value"] == 0
    assert get(client, "per_user/").status_code == 400


def test_several_are_found_by_the_keys_that_were_asked_for(client: APIClient) -> None:
    courses = [Course.objects.create(title=title) for title in "ab"]
    client.force_authenticate(user("staff", is_staff=True))

    values = get(client, "sales_per_course/", of=[course.pk for course in courses]).json()["values"]

    assert set(values) == {str(course.pk) for course in courses}


@pytest.fixture
def declared() -> Iterator[None]:
    class Declared(live.LiveModel):
        mine = live.Count(audience=lambda user, of: user.username == "ada", label="<b>Mine</b>")

    live.register(Tag)(Declared)
    yield
    registry.remove(Declared)


@pytest.mark.usefixtures("declared")
def test_an_audience_decides(client: APIClient) -> None:
    assert get(client, "mine/").status_code == 404
    client.force_authenticate(user("staff", is_staff=True))
    assert get(client, "mine/").status_code == 404
    client.force_authenticate(user("ada"))
    assert get(client, "mine/").json()["label"] == "<b>Mine</b>"
    assert "mine" in {counter["name"] for counter in get(client).json()["counters"]}


def test_an_audience_is_asked_only_about_what_is_there(client: APIClient, quiz: Quiz) -> None:
    class Declared(live.LiveModel):
        judged = live.Count(per="quiz", audience=lambda user, quiz: quiz.title == "Fractions")

    live.register(Attempt)(Declared)
    try:
        assert get(client, "judged/", of=quiz.pk).json()["value"] == 0
        assert get(client, "judged/", of=quiz.pk + 1).status_code == 404
        assert get(client, "judged/").status_code == 404
        assert get(client).status_code == 200
    finally:
        registry.remove(Declared)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_numbers_are_read_only(client: APIClient, method: str) -> None:
    for path in ("", "attempts/"):
        assert getattr(client, method)(f"/live/counters/{path}").status_code == 405


# Leaderboards


@pytest.fixture
def ranked() -> Iterator[None]:
    class Ranked(live.LiveModel):
        at = "completed_at"

        sessions = live.Count(per="user", public=True)
        own_sessions = live.Count(per="user")
        by_tag = live.Count(per=("quiz__tags", "user"), public=True)

    registry.add(Attempt, Ranked)
    yield
    registry.remove(Ranked)


@pytest.fixture
def people(quiz: Quiz) -> list[User]:
    """Five of them, who have done 5, 4, 4, 2 and nothing."""
    found = [user(name) for name in "abcde"]
    quiz.tags.add(Tag.objects.create(slug="easy"))
    for one, number in zip(found, [5, 4, 4, 2], strict=False):
        for _ in range(number):
            complete(quiz, user=one)
    return found


@pytest.mark.usefixtures("ranked")
def test_the_first_places(client: APIClient, people: list[User]) -> None:
    answer = get(client, "sessions/top/", limit=2, window="week").json()

    assert answer["places"] == [
        {"rank": 1, "of": str(people[0].pk), "name": "a", "value": 5, "own": False},
        {"rank": 2, "of": str(people[1].pk), "name": "b", "value": 4, "own": False},
    ]
    assert (answer["name"], answer["per"]) == ("sessions", "user")
    assert answer["at"].endswith("Z")
    assert len(get(client, "sessions/top/").json()["places"]) == 4
    client.force_authenticate(people[1])
    answer = get(client, "sessions/top/")
    assert [place["own"] for place in answer.json()["places"]] == [False, True, False, False]
    assert "private" in answer["Cache-Control"]


@pytest.mark.usefixtures("ranked")
def test_who_may_see_the_first_places(client: APIClient, people: list[User]) -> None:
    assert get(client, "own_sessions/top/").status_code == 404
    client.force_authenticate(people[0])
    assert get(client, "own_sessions/top/").status_code == 404
    client.force_authenticate(user("staff", is_staff=True))
    assert len(get(client, "own_sessions/top/").json()["places"]) == 4
    for path in ("nothing/top/", "attempts/top/", "attempts/rank/", "nothing/rank/"):
        assert get(client, path).status_code == 404


@pytest.mark.usefixtures("ranked")
def test_where_one_stands(client: APIClient, people: list[User]) -> None:
    assert get(client, "sessions/rank/").status_code in (401, 403)
    client.force_authenticate(people[3])
    answer = get(client, "sessions/rank/", near=1)

    found = answer.json()
    assert (found["rank"], found["value"], found["listed"]) == (4, 2, True)
    assert [(place["name"], place["rank"]) for place in found["places"]] == [("c", 2), ("d", 4)]
    assert "private" in answer["Cache-Control"]
    client.force_authenticate(people[4])
    found = get(client, "sessions/rank/").json()
    assert (found["rank"], found["value"], found["places"]) == (None, None, [])


@pytest.mark.usefixtures("ranked")
def test_one_s_own_rank_without_the_others(client: APIClient, people: list[User]) -> None:
    client.force_authenticate(people[3])
    found = get(client, "own_sessions/rank/").json()

    assert found["rank"] == 4
    assert [place["name"] for place in found["places"]] == ["d"]
    assert get(client, "own_sessions/rank/", within="easy").status_code == 404


@pytest.mark.usefixtures("ranked")
def test_places_within_the_first_keys(client: APIClient, people: list[User]) -> None:
    found = get(client, "by_tag/top/", within="easy", limit=1).json()["places"]
    assert [(place["name"], place["value"]) for place in found] == [("a", 5)]
    client.force_authenticate(people[3])
    assert get(client, "by_tag/rank/", within="easy").json()["rank"] == 4
    assert get(client, "by_tag/rank/").status_code == 400


@pytest.mark.usefixtures("ranked", "people")
@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "x"},
        {"window": "tomorrow"},
        {"within": ["a", "b"]},
    ],
)
def test_wrong_questions_about_places(client: APIClient, query: dict[str, Any]) -> None:
    assert get(client, "sessions/top/", **query).status_code == 400


# Series and breakdowns


def test_a_series(client: APIClient, quiz: Quiz) -> None:
    complete(quiz)
    complete(quiz, completed_at=timezone.now() - dt.timedelta(hours=1))

    answer = get(client, "attempts/series/").json()

    assert (answer["name"], answer["step"], len(answer["points"])) == ("attempts", "hour", 24)
    assert [point["value"] for point in answer["points"]] == [0] * 22 + [1, 1]
    assert [point["running"] for point in answer["points"]] == [False] * 23 + [True]
    assert answer["points"][0]["start"].endswith(":00:00.000Z")


def test_a_series_of_an_object(client: APIClient, quiz: Quiz) -> None:
    complete(quiz)

    points = get(client, "per_quiz/series/", of=quiz.pk, window="2d", step="hour").json()["points"]
    assert len(points) == 48
    assert points[-1]["value"] == 1
    assert get(client, "per_quiz/series/", of=[1, 2]).json() == {"of": "At most 1 at a time."}


@pytest.mark.usefixtures("rooms")
def test_a_series_of_who_is_online(client: APIClient) -> None:
    client.force_authenticate(user("staff", is_staff=True))

    points = get(client, "online/series/", window="2h").json()["points"]
    assert [point["value"] for point in points] == [None, None]
    assert get(client, "per_room/series/", of=1).status_code in (400, 404)


@pytest.mark.parametrize(
    ("query", "about"),
    [
        ({"window": "ever"}, "window"),
        ({"window": "x"}, "window"),
        ({"step": "second"}, "step"),
        ({"window": "99999d"}, "step"),
        ({"window": "99999d", "step": "day"}, "step"),
        ({"window": "3000d", "step": "minute"}, "step"),
        ({"window": "5d", "step": "minute"}, "window"),
        ({"of": "1"}, "of"),
    ],
)
def test_a_series_that_there_is_not(client: APIClient, query: dict[str, str], about: str) -> None:
    answer = get(client, "attempts/series/", **query)

    assert answer.status_code == 400
    assert list(answer.json()) == [about]


def test_a_breakdown(client: APIClient, quiz: Quiz) -> None:
    other = Quiz.objects.create(title="Other")
    complete(quiz)
    complete(other)
    complete(other)

    answer = get(client, "per_quiz/breakdown/").json()
    assert answer["parts"] == [
        {"of": str(other.pk), "value": 2},
        {"of": str(quiz.pk), "value": 1},
    ]
    assert answer["more"] is False
    answer = get(client, "per_quiz/breakdown/", limit=1, window="today").json()
    assert ([part["value"] for part in answer["parts"]], answer["more"]) == ([2], True)


@pytest.mark.usefixtures("ranked")
def test_a_breakdown_within_keys_and_never_of_people(client: APIClient, people: list[User]) -> None:
    client.force_authenticate(user("staff", is_staff=True))
    Sale.objects.create(price="1.00", quantity=1)

    assert get(client, "sales_per_currency/breakdown/").status_code == 200
    for path in ("sessions/breakdown/", "by_tag/breakdown/?within=easy"):
        assert get(client, path).status_code == 400


@pytest.mark.parametrize("query", [{}, {"within": "easy"}])
def test_a_rank_by_several_keys_that_is_not_public(
    client: APIClient, query: dict[str, str]
) -> None:
    client.force_authenticate(user("somebody"))

    assert get(client, "per_tag_and_user/rank/", **query).status_code == 404


@pytest.mark.parametrize("path", ["series/", "breakdown/", "top/"])
def test_what_is_not_public_has_no_history(client: APIClient, path: str) -> None:
    for name in ("sales_per_course", "sales_per_currency", "per_user", "sales"):
        answer = get(client, f"{name}/{path}")
        assert (answer.status_code, answer.content) == (404, get(client, "nothing/").content)


@pytest.mark.parametrize("path", ["series/", "breakdown/"])
def test_history_is_one_query(
    client: APIClient, quiz: Quiz, django_assert_num_queries: Any, path: str
) -> None:
    complete(quiz)
    with django_assert_num_queries(1):
        answer = get(client, f"per_quiz/{path}", **({"of": quiz.pk} if path == "series/" else {}))
    assert answer.status_code == 200
