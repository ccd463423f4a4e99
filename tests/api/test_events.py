"""``GET live/events/``: the feed, page by page, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from livecounters import feed
from livecounters.topics import feed_of, parse, sign
from tests.host.club import declared, happen
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

URL = "/live/events/"


@pytest.fixture
def client() -> APIClient:
    return APIClient()


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


def complete(quiz: Quiz, ada: User | None, times: int = 1, **given: Any) -> None:
    start = Attempt.objects.count()
    for n in range(start, start + times):
        values = {"completed": True, "completed_at": timezone.now(), "score": n % 90} | given
        Attempt.objects.create(quiz=quiz, user=ada, **values)


def hide(user: Any) -> bool:
    return False


def scores(answer: Any) -> list[int]:
    return [event["data"]["score"] for event in answer.json()["results"]]


def test_what_an_event_says(client: APIClient, quiz: Quiz, ada: User) -> None:
    at = timezone.now().replace(microsecond=120_000)
    complete(quiz, ada, score=61, completed_at=at)

    found = client.get(URL).json()

    (event,) = found["results"]
    assert 0 < event["seq"] <= found["seq"]
    assert event.pop("key") == str(event.pop("seq"))
    assert event == {
        "kind": "quiz_completed",
        "text": "ada just completed Fractions!",
        "icon": "check",
        "at": feed.iso(at),
        "actor": "ada",
        "target": "Fractions",
        "data": {"score": 61},
        "url": None,
        "count": 1,
        "others": 0,
    }
    assert found["next"] is None
    assert found["epoch"] == feed.head().epoch


def test_nothing_yet(client: APIClient) -> None:
    found = client.get(URL).json()

    assert (found["results"], found["next"]) == ([], None)


def test_newest_first(client: APIClient, quiz: Quiz, ada: User) -> None:
    complete(quiz, ada, 5)

    answer = client.get(URL)
    assert scores(answer) == [4, 3, 2, 1, 0]
    numbers = [event["seq"] for event in answer.json()["results"]]
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_to_the_end_without_holes_or_repeats(
    client: APIClient, quiz: Quiz, ada: User, limit: int
) -> None:
    complete(quiz, ada, 17)
    found, address = [], f"{URL}?kind=quiz_completed&limit={limit}"
    while address:
        answer = client.get(address)
        assert answer.status_code == 200
        found += scores(answer)
        address = answer.json()["next"]
        # Others go on meanwhile, and a reader of pages is not disturbed.
        complete(quiz, ada, 2)

    assert found == list(range(16, -1, -1))


def test_the_address_of_the_next_page_keeps_what_was_asked_for(
    client: APIClient, quiz: Quiz, ada: User
) -> None:
    complete(quiz, ada, 3)

    address = client.get(URL, {"kind": ["quiz_completed"], "limit": 1, "x": "ä&b"}).json()["next"]

    assert address.startswith("http://testserver/live/events/?kind=quiz_completed&limit=1&x=%C3%A4")
    assert address.count("cursor=") == 1
    assert client.get(address).json()["next"].count("cursor=") == 1


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "1",
        "-1",
        "ab-",
        "ab--1",
        "AB-1",
        "ab-1",
        "ab-1-1x",
        "ab-1-1 ",
        "ab-\u0661-1",
        "ab-9999999999999999999",
        "ab-1-",
        "ab-1-x",
        "ab-1-2-3",
    ],
)
def test_a_cursor_that_was_tampered_with(client: APIClient, cursor: str) -> None:
    answer = client.get(URL, {"cursor": cursor})

    assert answer.status_code == 400
    assert answer.json() == {"cursor": "Use the address in next as it is."}


def test_a_cursor_of_another_epoch(client: APIClient, quiz: Quiz, ada: User) -> None:
    complete(quiz, ada, 3)
    address = client.get(URL, {"limit": 1}).json()["next"]

    feed.renumber("default")

    answer = client.get(address)
    assert answer.status_code == 400
    assert answer.json() == {"cursor": "The feed was renumbered; begin again without a cursor."}


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (100, 100), (None, 20)])
def test_how_many(client: APIClient, quiz: Quiz, ada: User, limit: int | None, count: int) -> None:
    Attempt.objects.bulk_create([Attempt(quiz=quiz, user=ada, completed=True) for _ in range(105)])

    answer = client.get(URL, {} if limit is None else {"limit": limit})
    assert len(answer.json()["results"]) == count


@pytest.mark.parametrize("limit", ["0", "-1", "101", "x", "", "1.5", "99999"])
def test_how_many_not(client: APIClient, limit: str) -> None:
    answer = client.get(URL, {"limit": limit})

    assert answer.status_code == 400
    assert answer.json() == {"limit": "Give a number from 1 to 100."}


# Kinds


def test_everybody_reads_what_is_public_and_staff_all(
    client: APIClient, quiz: Quiz, ada: User
) -> None:
    complete(quiz, ada, score=100)

    def kinds(**query: Any) -> list[str]:
        return sorted(event["kind"] for event in client.get(URL, query).json()["results"])

    assert kinds() == kinds(kind="quiz_completed") == ["quiz_completed"]
    client.force_authenticate(ada)
    assert kinds() == ["quiz_completed"]
    client.force_authenticate(User.objects.create(username="staff", is_staff=True))
    assert kinds() == ["named_only", "perfect", "quiz_completed"]
    assert kinds(kind=["perfect", "host.named_only"]) == ["named_only", "perfect"]


@pytest.mark.parametrize("kind", ["perfect", "host.perfect", "nothing", ""])
def test_a_kind_that_is_not_there(client: APIClient, kind: str) -> None:
    answer = client.get(URL, {"kind": ["quiz_completed", kind]})

    assert answer.status_code == 404
    assert answer.content == client.get("/live/counters/nothing/").content


def test_no_header_tells_that_a_kind_is_there(client: APIClient) -> None:
    private, unknown = (client.get(URL, {"kind": kind}) for kind in ("perfect", "nothing"))

    assert private.headers == unknown.headers


def test_what_is_muted_or_anonymous_is_not_told(client: APIClient, quiz: Quiz) -> None:
    complete(quiz, None)

    assert client.get(URL).json()["results"] == []


# Queries


@pytest.mark.parametrize("events", [0, 1, 60])
def test_three_queries_at_the_most(
    client: APIClient, quiz: Quiz, django_assert_max_num_queries: Any, events: int
) -> None:
    people = [User.objects.create(username=f"u{n}") for n in range(events)]
    for person in people:
        complete(quiz, person)
    feed.number()

    with django_assert_max_num_queries(3):
        answer = client.get(URL, {"kind": "quiz_completed", "limit": 100})
    assert len(answer.json()["results"]) == events


def test_names_are_those_of_today(client: APIClient, quiz: Quiz, ada: User, settings: Any) -> None:
    complete(quiz, ada)
    ada.username = "<script>ada</script>"
    ada.save()

    assert client.get(URL).json()["results"][0]["actor"] == "<script>ada</script>"
    settings.LIVECOUNTERS = {"MAY_BE_SEEN": f"{__name__}.hide"}
    assert client.get(URL).json()["results"][0]["actor"] is None
    settings.LIVECOUNTERS = {}
    ada.delete()
    assert client.get(URL).json()["results"][0]["text"] == "Someone just completed Fractions!"


# What is narrowed, what belongs together


@pytest.fixture
def club() -> Iterator[None]:
    with declared():
        yield


@pytest.mark.usefixtures("club")
def test_of_objects_and_of_actors(client: APIClient, quiz: Quiz, ada: User) -> None:
    bob, other = User.objects.create(username="bob"), Quiz.objects.create(title="Algebra")
    happen("practised", ada, of=quiz)
    happen("practised", bob, ada, of=other)

    def actors(**query: Any) -> list[str]:
        return [event["actor"] for event in client.get(URL, query).json()["results"]]

    assert actors(target=f"host.quiz:{quiz.pk}") == ["ada"]
    assert actors(target=[f"host.quiz:{each.pk}" for each in (quiz, other)]) == ["ada", "bob"]
    assert actors(actor=bob.pk) == actors(actor=f"auth.user:{bob.pk}") == ["bob"]
    assert actors(actor=ada.pk, target=f"host.quiz:{other.pk}", kind="practised") == ["ada"]
    assert actors(actor=987654) == []


@pytest.mark.parametrize(
    "query",
    [
        {"target": "x"},
        {"target": "host.quiz"},
        {"target": "host.quiz:x"},
        {"target": "host.nothing:1"},
        {"target": ["host.quiz:1"] * 51},
        {"target": "host.quiz:" + "9" * 100_000},
        {"actor": "x"},
        {"actor": ""},
        {"actor": "auth.user:\x00"},
        {"group": "x"},
        {"group": "-1"},
        {"group": "9" * 19},
    ],
)
def test_what_cannot_be_asked_for(client: APIClient, query: dict[str, Any]) -> None:
    answer = client.get(URL, query)

    assert answer.status_code == 400
    assert answer.json().keys() == query.keys()


@pytest.mark.usefixtures("club")
def test_groups_and_what_is_in_them(client: APIClient, quiz: Quiz, ada: User) -> None:
    bob = User.objects.create(username="bob")
    happen("finished", ada, bob, of=quiz)
    happen("visited", ada)

    def told(**query: Any) -> list[tuple[int, int]]:
        found = client.get(URL, query).json()["results"]
        return [(event["seq"], event["count"]) for event in found]

    assert told() == [(3, 1), (2, 2)]
    assert told(group="none") == [(3, 1), (2, 1), (1, 1)]
    assert told(group=1) == told(group=2) == [(2, 1), (1, 1)]
    assert client.get(URL, {"group": 77}).status_code == 404


def test_what_a_page_was_given(client: APIClient, quiz: Quiz, ada: User) -> None:
    complete(quiz, ada, score=100)
    token = sign(feed_of(["perfect"]))

    found = client.get(URL, {"topic": token}).json()["results"]
    assert [event["kind"] for event in found] == ["perfect"]
    for refused in (
        "feed:perfect",
        token[:-2] + "xx",
        "feed:nothing",
        sign(parse("counter:sales")),
    ):
        assert client.get(URL, {"topic": refused}).status_code == 404


def test_who_may_keep_the_answer(client: APIClient, quiz: Quiz, ada: User) -> None:
    public = client.get(URL, {"kind": "quiz_completed"})
    assert public["Cache-Control"] == "public, max-age=1"
    assert "Cookie" not in public.get("Vary", "")

    mixed = client.get(URL)
    assert "private" in mixed["Cache-Control"]
    assert "Cookie" in mixed["Vary"]
    again = client.get(URL, headers={"If-None-Match": mixed["ETag"]})
    assert (again.status_code, "private" in again["Cache-Control"]) == (304, True)
