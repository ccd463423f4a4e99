"""Who is online, across server processes that come and go."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection
from websockets.asyncio.client import ClientConnection, connect

from livecounters.numbers import counters
from livecounters.topics import OnlineTopic, sign
from livecounters.visitors import COOKIE, mint
from tests.processes import uvicorn
from tests.servers import Redis
from tests.servers.server import free_port
from tests.test_online import signed_in
from tests.test_processes import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rooms")]

ONLINE = "online:site"


# What takes long is tried on one database with one store; the soak tries all.
ONCE = {
    "test_a_roster_is_the_same_everywhere": ("redis",),
    "test_a_server_that_is_killed_is_forgotten_in_time": ("redis",),
    "test_a_restart_makes_no_ghosts": ("database",),
    "test_people_are_told_to_the_host_once": ("database",),
}


@pytest.fixture(params=["database", "redis"])
def crowd(
    request: pytest.FixtureRequest, process_environment: dict[str, str]
) -> Iterator[dict[str, str]]:
    """The environment of servers with a store that nobody else uses."""
    name = request.node.originalname
    stores = ONCE.get(name, ("database", "redis"))
    once = connection.vendor == "sqlite" and request.param in stores
    servers = name not in ONCE and (
        request.param == "database" or connection.vendor == "postgresql"
    )
    if not (once or servers or request.config.getoption("--soak")):
        pytest.skip("tried elsewhere, and by the soak")
    with Redis() as redis:
        yield process_environment | {
            "LIVECOUNTERS_TEST_REDIS": redis.url,
            "LIVECOUNTERS_TEST_PUMP": "1",
            "LIVECOUNTERS_TEST_PRESENCE": request.param,
        }


def guest() -> str:
    return f"{COOKIE}={mint()}"


@asynccontextmanager
async def page(address: str, cookie: str) -> AsyncIterator[ClientConnection]:
    """A page that is there."""
    url = address.replace("http", "ws", 1) + "/ws/live/?v=1"
    async with connect(url, additional_headers={"Cookie": cookie}) as found:
        await found.send(json.dumps({"op": "subscribe", "topics": [ONLINE]}))
        yield found


async def counted(found: ClientConnection, people: int, guests: int, connections: int) -> float:
    """Until a page is told so; answers how long it took."""
    began = time.monotonic()
    wanted = {"people": people, "guests": guests, "connections": connections}
    await until(found, lambda frame: frame.get("values", {}).get(ONLINE) == wanted)
    return time.monotonic() - began


def header(cookies: Any) -> str:
    return str(cookies[0][1].decode())


async def test_two_servers_count_the_same(crowd: dict[str, str]) -> None:
    eve = guest()
    ada = header(await signed_in("ada"))
    with uvicorn(crowd) as first, uvicorn(crowd) as second:
        async with page(first, ada) as here, page(second, eve) as there:
            for one in (here, there):
                await counted(one, 1, 1, 2)
            async with page(first, eve), page(second, ada):
                for one in (here, there):
                    await counted(one, 1, 1, 4)
            # Closing some tabs of each changes only the connections.
            for one in (here, there):
                await counted(one, 1, 1, 2)


async def test_a_roster_is_the_same_everywhere(crowd: dict[str, str]) -> None:
    ada, bob = header(await signed_in("ada")), header(await signed_in("bob"))
    staff = header(await signed_in("staff", is_staff=True))
    room = sign(OnlineTopic(counters["classroom"]))
    with uvicorn(crowd) as first, uvicorn(crowd) as second:
        async with page(first, ada) as here, page(second, bob) as there:
            for one in (here, there):
                await one.send(json.dumps({"op": "presence", "room": room}))
                await one.send(json.dumps({"op": "subscribe", "topics": [room]}))
            for one in (here, there):
                await until(
                    one,
                    lambda f: f.get("values", {}).get("online:classroom", {}).get("people") == 2,
                )

            found = [await _roster(server, staff) for server in (first, second)]

    assert found[0] == found[1]
    assert sorted(found[0]) == ["ada", "bob"]


async def _roster(server: str, cookie: str) -> list[str]:
    from urllib.request import Request, urlopen

    asked = Request(f"{server}/live/presence/classroom/", headers={"Cookie": cookie})
    answer = json.loads(await asyncio.to_thread(lambda: urlopen(asked, timeout=10).read()))
    return [one["name"] for one in answer["roster"]]


async def test_a_server_that_is_killed_is_forgotten_in_time(crowd: dict[str, str]) -> None:
    from tests.processes import process, wait_for

    port = free_port()
    arguments = ["-m", "uvicorn", "tests.asgi:application", "--port", str(port)]
    with uvicorn(crowd) as first, process([*arguments, "--log-level", "warning"], crowd) as killed:
        wait_for(port, killed)
        async with page(first, guest()) as here, page(f"http://127.0.0.1:{port}", guest()):
            await counted(here, 0, 2, 2)
            killed.kill()
            killed.wait()

            async with asyncio.timeout(16):
                seconds = await counted(here, 0, 1, 1)

    assert seconds < 15


async def test_a_restart_makes_no_ghosts(crowd: dict[str, str]) -> None:
    port = free_port()
    eve = guest()
    with uvicorn(crowd) as watching:
        async with page(watching, guest()) as here:
            with uvicorn(crowd, port) as server:
                async with page(server, eve):
                    await counted(here, 0, 2, 2)
            frames: list[Any] = []
            with uvicorn(crowd, port) as server:
                async with page(server, eve) as again:
                    # First with what the old process has told, then without.
                    async with asyncio.timeout(20):
                        while not frames or frames[-1] != {
                            "people": 0,
                            "guests": 2,
                            "connections": 2,
                        }:
                            frame = json.loads(await here.recv())
                            if ONLINE in frame.get("values", {}):
                                frames.append(frame["values"][ONLINE])
                    await again.send(json.dumps({"op": "ping"}))

    # Nobody was seen leaving, and nobody was counted twice.
    assert {frame["guests"] for frame in frames} == {2}


async def test_people_are_told_to_the_host_once(crowd: dict[str, str]) -> None:
    from livecounters import sightings

    ada = header(await signed_in("ada"))
    key = str((await User.objects.aget(username="ada")).pk)
    with uvicorn(crowd) as first, uvicorn(crowd) as second:
        async with page(first, ada) as here, page(second, ada):
            await counted(here, 1, 0, 2)
            async with asyncio.timeout(15):
                while set(await sync_to_async(sightings.online)()) != {key}:
                    await asyncio.sleep(0.1)
        async with asyncio.timeout(15):
            while await sync_to_async(sightings.online)():
                await asyncio.sleep(0.1)
