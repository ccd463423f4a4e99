"""Who is online, as pages see it: through real sockets, with a real relay behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore

from livecounters import keeper, relay
from livecounters.browsers import devices
from livecounters.frames import Close
from livecounters.numbers import counters
from livecounters.topics import OnlineTopic, sign
from livecounters.visitors import COOKIE, mint
from tests.host.models import Quiz
from tests.sockets import Socket, running, socket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rooms")]

ONLINE = "online:site"


@pytest.fixture
async def live(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[relay.Relay]:
    monkeypatch.setattr(keeper, "AGAIN", 0.1)
    monkeypatch.setattr(keeper, "GRACE", 0.3)
    monkeypatch.setattr(relay, "INTERVALS", {})
    async with running() as found:
        yield found


def cookie(*pairs: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    return [(b"cookie", "; ".join(f"{name}={value}" for name, value in pairs).encode())]


def guest() -> list[tuple[bytes, bytes]]:
    return cookie((COOKIE, mint()))


@sync_to_async
def signed_in(name: str, *more: tuple[str, str], **given: Any) -> list[tuple[bytes, bytes]]:
    user = User.objects.create(username=name, **given)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = django_settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return cookie((django_settings.SESSION_COOKIE_NAME, session.session_key or ""), *more)


async def counted(page: Socket, people: int, guests: int, connections: int) -> None:
    await page.value(ONLINE, {"people": people, "guests": guests, "connections": connections})


async def test_people_guests_and_connections(live: relay.Relay) -> None:
    ada, eve = await signed_in("ada"), guest()
    async with socket(headers=ada) as one:
        await one.subscribe(ONLINE)
        await counted(one, 1, 0, 1)
        async with socket(headers=ada) as other, socket(headers=eve) as third:
            await other.send(op="presence")
            await third.subscribe(ONLINE)
            await counted(one, 1, 1, 3)
            await counted(third, 1, 1, 3)
            await third.subscribe("counter:online")
            await third.value("counter:online", 2)
        await counted(one, 1, 0, 1)


async def test_who_says_nothing_is_not_here(live: relay.Relay) -> None:
    async with socket(headers=guest()), socket(headers=guest()) as page:
        await page.subscribe(ONLINE)

        await counted(page, 0, 1, 1)


async def test_signing_in_changes_no_sum(live: relay.Relay) -> None:
    browser = (COOKIE, mint())
    seen: list[int] = []
    ada = await signed_in("ada", browser)
    async with socket(headers=guest()) as watching:
        await watching.subscribe("counter:online")
        async with socket(headers=cookie(browser)) as page:
            await page.send(op="presence")
            await watching.value("counter:online", 2)
            watching.frames.clear()
        async with socket(headers=ada) as page:
            await page.subscribe(ONLINE)
            await counted(page, 1, 1, 2)
            # The guest's grace ends in here.
            await asyncio.sleep(0.6)
        await watching.value("counter:online", 1)
        seen = [
            frame["values"].get("counter:online") for frame in watching.frames if "values" in frame
        ]

    assert seen == [1]


async def test_a_browser_without_a_cookie_is_asked_to_get_one(live: relay.Relay) -> None:
    async with socket() as page:
        await page.subscribe(ONLINE)
        await page.op("visitor")
        await counted(page, 0, 0, 1)

        await page.send(op="presence", visitor="forged")
        await page.send(op="presence", visitor=mint())

        await counted(page, 0, 1, 1)


async def test_rooms_are_entered_and_left(live: relay.Relay) -> None:
    token = sign(OnlineTopic(counters["classroom"]))
    async with socket(headers=await signed_in("ada")) as page:
        await page.subscribe(token)
        await page.value("online:classroom", {"people": 0, "guests": 0, "connections": 0})
        await page.send(op="presence", room=token)
        await page.value("online:classroom", {"people": 1, "guests": 0, "connections": 1})
        roster = await sync_to_async(counters["classroom"].roster)()
        assert [one.user.username for one in roster] == ["ada"]

        await page.send(op="presence", state="away", tabs=2)
        await page.value("online:classroom", {"people": 1, "guests": 0, "connections": 2})
        await page.send(op="presence", room=token, here=False)
        await page.value("online:classroom", {"people": 0, "guests": 0, "connections": 0})


async def test_devices(live: relay.Relay) -> None:
    firefox = [(b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0")]
    ada = await signed_in("ada")
    async with socket(headers=[*ada, *firefox]) as one, socket(headers=ada) as other:
        await one.send(op="presence", tabs=2)
        await other.send(op="presence", state="away")
        await one.subscribe(ONLINE)
        await counted(one, 1, 0, 3)
        user = await User.objects.aget(username="ada")
        laptop, unknown = await sync_to_async(devices)(user)

        assert (laptop.kind, laptop.pages, laptop.away) == ("Firefox on Linux", 2, False)
        assert (unknown.kind, unknown.pages, unknown.away) == ("Other browser", 1, True)
        assert laptop.rooms == unknown.rooms == ("site",)


async def test_readers_of_an_object(live: relay.Relay) -> None:
    quiz = await Quiz.objects.acreate(title="Fractions")
    token = sign(OnlineTopic(counters["readers"], str(quiz.pk)))
    async with socket(headers=guest()) as page:
        await page.subscribe(token)
        await page.send(op="presence", room=token)

        await page.value(f"online:readers:{quiz.pk}", {"people": 0, "guests": 1, "connections": 1})
    assert (await sync_to_async(counters["readers"].values)(of=[quiz]))[quiz] in (0, 1)


@pytest.mark.parametrize("room", ["classroom", "staffroom", "nowhere", "online:x:1", "a~b"])
async def test_a_room_that_is_not_open(live: relay.Relay, room: str) -> None:
    async with socket(headers=guest()) as page:
        await page.send(op="presence", room=room)

        assert (await page.op("error"))["code"] == "unavailable"


async def test_an_audience_decides_who_comes_in(live: relay.Relay) -> None:
    token = sign(OnlineTopic(counters["staffroom"]))
    async with socket(headers=await signed_in("ada")) as page:
        await page.send(op="presence", room=token)
        assert (await page.op("error"))["code"] == "unavailable"
    async with socket(headers=await signed_in("bob", is_staff=True)) as page:
        await page.send(op="presence", room="staffroom")
        await page.subscribe("online:staffroom")
        await page.value("online:staffroom", {"people": 1, "guests": 0, "connections": 1})


async def test_who_hides_is_not_counted(live: relay.Relay, settings: Any) -> None:
    settings.LIVECOUNTERS = {"MAY_BE_SEEN": "tests.test_online.not_eve"}
    async with socket(headers=await signed_in("eve")) as page:
        await page.subscribe(ONLINE)

        await counted(page, 0, 0, 1)
        assert all(frame["op"] != "visitor" for frame in page.frames)


def not_eve(user: Any) -> bool:
    return user.username != "eve"


async def test_a_client_that_answered_and_does_not_any_more(
    live: relay.Relay, settings: Any
) -> None:
    settings.LIVECOUNTERS = {"PRESENCE": {"TTL": 1}}
    async with socket(headers=guest()) as mute:
        await mute.subscribe(ONLINE)
        await counted(mute, 0, 1, 1)
        await mute.op("beat")
        await mute.send(op="presence")

        async with asyncio.timeout(10):
            while (message := await mute.message())["type"] != "websocket.close":
                pass

    assert message["code"] == Close.SILENT


async def test_many_who_come_at_once_are_told_once_a_second(
    live: relay.Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "INTERVALS", {"online": 1.0, "active": 1.0})
    monkeypatch.setattr(keeper, "AGAIN", 1.0)
    async with socket(headers=guest()) as watching:
        await watching.subscribe(ONLINE)
        await counted(watching, 0, 1, 1)
        watching.frames.clear()
        pages = [Socket(headers=guest()) for _ in range(100)]
        for page in pages:
            await page.asgi.send_input({"type": "websocket.connect"})
            await page.send(op="presence")

        await counted(watching, 0, 101, 101)
        assert len(watching.frames) <= 4
        for page in pages:
            await page.asgi.send_input({"type": "websocket.disconnect", "code": 1000})
            await page.asgi.wait()


async def test_too_many_sockets(live: relay.Relay, settings: Any) -> None:
    settings.LIVECOUNTERS = {"LIMITS": {"sockets_per_user": 1, "sockets_per_address": 2}}
    ada = await signed_in("ada")
    async with socket(headers=ada) as one, socket(headers=ada) as other:
        await one.send(op="presence")
        await one.subscribe(ONLINE)
        await counted(one, 1, 0, 1)
        await other.send(op="presence")
        async with asyncio.timeout(10):
            while (message := await other.message())["type"] != "websocket.close":
                pass
        assert message["code"] == Close.TOO_MANY

        third = Socket()
        await third.asgi.send_input({"type": "websocket.connect"})
        assert await third.message() == {"type": "websocket.accept"}
        assert (await third.message())["code"] == Close.TOO_MANY
        await third.asgi.wait()


async def test_a_flood_of_frames_is_closed(live: relay.Relay, settings: Any) -> None:
    settings.LIVECOUNTERS = {"LIMITS": {"frames_per_second": 1}}
    async with socket() as page:
        for _ in range(20):
            await page.send(op="ping")
        async with asyncio.timeout(10):
            while (message := await page.message())["type"] != "websocket.close":
                pass

    assert message["code"] == Close.TOO_MANY


async def test_who_never_speaks_is_closed(
    live: relay.Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    from livecounters import consumers

    monkeypatch.setattr(consumers, "SILENT", 0.1)
    async with socket() as page:
        assert (await page.message())["code"] == Close.SILENT
