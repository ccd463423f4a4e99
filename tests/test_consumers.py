"""Sockets, from the handshake to the frames, with the embedded pump at work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.utils import timezone

from livecounters import consumers, relay
from livecounters.consumers import LiveConsumer
from livecounters.frames import Close
from livecounters.numbers import counters
from livecounters.topics import CounterTopic, FeedTopic, sign
from tests.host.models import Attempt, Quiz
from tests.sockets import running, socket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture
async def live(settings: Any) -> AsyncIterator[relay.Relay]:
    settings.LIVECOUNTERS = {"EMBEDDED_PUMP": True}
    async with running() as found:
        yield found


@sync_to_async
def complete(**given: Any) -> Attempt:
    quiz, _ = Quiz.objects.get_or_create(title="Fractions")
    given = {"completed": True, "completed_at": timezone.now(), "score": 50} | given
    return Attempt.objects.create(quiz=quiz, **given)


@sync_to_async
def person(name: str, **given: Any) -> User:
    return User.objects.create_user(name, **given)


@sync_to_async
def session_of(user: User) -> list[tuple[bytes, bytes]]:
    client = Client()
    client.force_login(user)
    key = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    return [(b"cookie", f"{django_settings.SESSION_COOKIE_NAME}={key}".encode())]


async def test_a_number_moves(live: relay.Relay) -> None:
    async with socket() as page:
        await page.subscribe("counter:attempts")
        first = await page.op("values")
        assert first["values"] == {"counter:attempts": 0}
        assert first["epoch"]

        await complete()

        frame = await page.value("counter:attempts", 1)
        assert frame["at"].endswith("Z")


async def test_a_feed_is_told(live: relay.Relay) -> None:
    ada = await person("ada")
    async with socket() as page, socket("v=1&lang=de") as german:
        for one in (page, german):
            await one.subscribe(sign(FeedTopic()))
            assert (await one.op("reset"))["events"] == []

        await complete(user=ada)

        for one in (page, german):
            frame = await one.op("events")
            assert frame["events"][0]["text"] == "ada just completed Fractions!"
            assert frame["seq"] == frame["events"][-1]["seq"]


async def test_a_page_resumes_what_it_missed(live: relay.Relay) -> None:
    ada = await person("ada")
    async with socket() as page:
        await page.subscribe("feed:quiz_completed")
        seen = await page.op("reset")
        await complete(user=ada)
        seen = await page.op("events")
    await complete(user=ada)

    async with socket() as page:
        await page.subscribe("feed:quiz_completed", epoch=seen["epoch"], seq=seen["seq"])
        missed = await page.until(lambda frame: bool(frame.get("events")))

    assert missed["op"] == "events"
    assert [event["seq"] > seen["seq"] for event in missed["events"]] == [True]


async def test_a_late_page_costs_no_query(live: relay.Relay) -> None:
    async with socket() as page:
        await page.subscribe("counter:attempts")
        await page.op("values")
        before = live.hub.numbers["counter:attempts"].read
        async with socket() as late:
            await late.subscribe("counter:attempts")
            assert (await late.frame())["values"] == {"counter:attempts": 0}
        assert live.hub.numbers["counter:attempts"].read == before


async def test_the_last_page_leaves_nothing_behind(live: relay.Relay) -> None:
    async with socket() as page:
        await page.subscribe("counter:attempts", "feed:quiz_completed")
        await page.op("reset")
        await page.send(op="unsubscribe", topics=["counter:attempts"])
        await page.send(op="ping")
        await page.op("pong")
        assert list(live.topics) == ["feed:quiz_completed"]

    assert not live.sockets
    assert not live.topics
    assert not live.hub.feeds


# Who may


@pytest.mark.parametrize(
    "topic",
    ["counter:good", "counter:nothing", "counter:per_user:1", "feed:perfect", "x", ""],
)
async def test_what_is_not_offered_is_not_available(live: relay.Relay, topic: str) -> None:
    async with socket() as page:
        await page.subscribe(topic)

        frame = await page.frame()
        assert (frame["op"], frame["code"], frame["topic"]) == ("error", "unavailable", topic)


async def test_a_page_may_follow_what_it_was_shown(live: relay.Relay) -> None:
    token = sign(CounterTopic(counters["good"], ""))
    async with socket() as page:
        await page.subscribe(token, token[:-1] + "x")

        frames = [await page.frame(), await page.frame()]
    assert {frame["op"] for frame in frames} == {"error", "values"}
    assert {"counter:good": 0} in [frame.get("values") for frame in frames]


async def test_a_personal_number_is_its_owners(live: relay.Relay) -> None:
    ada, ben, staff = [
        await person(name, is_staff=name == "staff") for name in ("ada", "ben", "staff")
    ]
    topic = f"counter:per_user:{ada.pk}"
    token = sign(CounterTopic(counters["per_user"], str(ada.pk)))
    for user, allowed in ((ada, True), (staff, True), (ben, False)):
        async with socket(headers=await session_of(user)) as page:
            await page.subscribe(token)
            frame = await page.frame()
            assert frame["op"] == ("values" if allowed else "error")
    async with socket() as page:
        await page.subscribe(token, topic)
        assert (await page.frame())["code"] == "unavailable"
        assert (await page.frame())["code"] == "unavailable"


async def test_logged_out_a_personal_number_stops(
    live: relay.Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "JUDGE_EVERY", 0.05)
    ada = await person("ada")
    cookie = await session_of(ada)
    async with socket(headers=cookie) as page:
        await page.subscribe(f"counter:per_user:{ada.pk}", "counter:attempts")
        await page.value(f"counter:per_user:{ada.pk}", 0)

        await sync_to_async(SessionStore(cookie[0][1].decode().partition("=")[2]).flush)()

        frame = await page.op("error")
        assert frame["topic"] == f"counter:per_user:{ada.pk}"
        await complete(user=ada)
        await page.value("counter:attempts", 1)
        assert f"counter:per_user:{ada.pk}" not in live.topics


async def test_a_foreign_page_is_closed_for_good(live: relay.Relay) -> None:
    headers = [(b"host", b"site.example"), (b"origin", b"https://evil.example")]
    async with socket(headers=headers) as page:
        closed = await page.message()

    assert closed == {"type": "websocket.close", "code": Close.FORBIDDEN}
    assert Close.FORBIDDEN.final


async def test_another_version_is_told_to_upgrade(live: relay.Relay) -> None:
    async with socket("v=999") as page:
        closed = await page.message()

    assert closed["code"] == Close.UPGRADE


# Malformed


HOSTILE = [
    "",
    "[]",
    "null",
    "{",
    "NaN",
    '{"op":"subscribe"}',
    '{"op":"subscribe","topics":"x"}',
    '{"op":"subscribe","topics":[1]}',
    '{"op":"eat"}',
    '{"op":{}}',
    "[" * 100_000,
    '{"op":"subscribe","topics":[],"seq":' + "9" * 5000 + "}",
    '{"op":"subscribe","topics":["' + "x" * 20_000 + '"]}',
    '{"op":"subscribe","topics":' + json.dumps(["x"] * 500) + "}",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_malformed_frame_gets_an_error(live: relay.Relay, text: str) -> None:
    async with socket() as page:
        await page.give(text)
        assert (await page.frame())["op"] == "error"
        await page.give(data=b"\x00\x01")
        assert (await page.frame())["code"] == "malformed"

        await page.subscribe("counter:attempts")
        assert (await page.frame())["values"] == {"counter:attempts": 0}


async def test_surrogates_are_answered(live: relay.Relay) -> None:
    async with socket() as page:
        await page.give('{"op":"subscribe","topics":["\\ud800"]}')

        assert (await page.frame())["code"] == "unavailable"


async def test_who_only_sends_rubbish_is_closed(live: relay.Relay) -> None:
    async with socket() as page:
        for _ in range(consumers.MAX_ERRORS + 1):
            await page.give("rubbish")
        async with asyncio.timeout(5):
            while (message := await page.message())["type"] == "websocket.send":
                pass

    assert message["code"] == Close.PROTOCOL


async def test_too_many_topics(live: relay.Relay, settings: Any) -> None:
    settings.LIVECOUNTERS = {"LIMITS": {"topics": 2}}
    async with socket() as page:
        await page.subscribe(*(f"counter:per_quiz:{n}" for n in range(4)))

        assert (await page.op("error"))["code"] == "too_many_topics"


async def test_who_does_not_connect_is_not_served() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "websocket.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        raise AssertionError

    await LiveConsumer.as_asgi()({"type": "websocket"}, receive, send)
