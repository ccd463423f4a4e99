"""Several processes: what one writes, the sockets of the others hear."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.request import urlopen

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone
from websockets.asyncio.client import ClientConnection, connect

from livecounters import leases
from livecounters.models import Delta
from tests.host.models import Quiz
from tests.processes import process, uvicorn, wsgi
from tests.servers import Redis
from tests.servers.server import free_port
from tests.settings import LAYERS

pytestmark = pytest.mark.django_db(transaction=True)

WAIT = 15


@asynccontextmanager
async def page(address: str) -> AsyncIterator[ClientConnection]:
    async with connect(address.replace("http", "ws", 1) + "/ws/live/?v=1", max_size=None) as found:
        yield found


async def until(found: ClientConnection, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(WAIT):
        while True:
            frame: dict[str, Any] = json.loads(await found.recv())
            if holds(frame):
                return frame


async def value(found: ClientConnection, topic: str, number: int) -> None:
    await until(found, lambda frame: frame.get("values", {}).get(topic) == number)


async def subscribe(found: ClientConnection, *topics: str, **place: Any) -> None:
    await found.send(json.dumps({"op": "subscribe", "topics": topics, **place}))


async def at_work() -> None:
    """Until a pump is: pages follow without one, too, only later."""
    async with asyncio.timeout(WAIT):
        while not await sync_to_async(leases.held)(leases.PUMP, timezone.now(), "default"):
            await asyncio.sleep(0.1)


async def get(address: str) -> bytes:
    return await asyncio.to_thread(lambda: urlopen(address, timeout=WAIT).read())


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


@pytest.fixture
def shared(process_environment: dict[str, str], redis_server: Redis) -> dict[str, str]:
    return process_environment | {"LIVECOUNTERS_TEST_REDIS": redis_server.url}


@pytest.fixture
def pumping(shared: dict[str, str]) -> dict[str, str]:
    return shared | {"LIVECOUNTERS_TEST_PUMP": "1"}


@pytest.mark.parametrize("layer", LAYERS)
async def test_two_servers_tell_each_other(pumping: dict[str, str], quiz: Quiz, layer: str) -> None:
    pumping |= {"LIVECOUNTERS_TEST_LAYER": layer}
    with uvicorn(pumping) as first, uvicorn(pumping) as second:
        async with page(first) as here, page(second) as there:
            for one in (here, there):
                await subscribe(one, "counter:attempts", "counter:quizzes_today")
                await value(one, "counter:attempts", 0)

            await get(f"{first}/complete/{quiz.pk}/")

            for one in (here, there):
                await value(one, "counter:attempts", 1)
            await get(f"{second}/complete/{quiz.pk}/")
            for one in (here, there):
                await value(one, "counter:quizzes_today", 2)


async def test_a_pump_of_its_own(shared: dict[str, str], quiz: Quiz) -> None:
    run = ["-m", "django", "livecounters", "run"]
    with uvicorn(shared) as server, process(run, shared) as pump:
        async with page(server) as found:
            await subscribe(found, "counter:attempts")
            await value(found, "counter:attempts", 0)

            await get(f"{server}/complete/{quiz.pk}/")

            await value(found, "counter:attempts", 1)
            await at_work()
        pump.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(pump.wait, WAIT) == 0
    if connection.vendor == "postgresql":
        assert not await sync_to_async(Delta.objects.exists)()


async def test_a_killed_pump_is_followed_by_another(pumping: dict[str, str], quiz: Quiz) -> None:
    run = ["-m", "django", "livecounters", "run"]
    with process(run, pumping) as pump, uvicorn(pumping) as server:
        async with page(server) as found:
            await subscribe(found, "counter:attempts")
            await value(found, "counter:attempts", 0)
            pump.kill()
            for number in (1, 2, 3):
                await get(f"{server}/complete/{quiz.pk}/")
                await value(found, "counter:attempts", number)


async def test_a_page_resumes_over_a_restart(pumping: dict[str, str], quiz: Quiz) -> None:
    port = free_port()
    with uvicorn(pumping, port) as server:
        async with page(server) as found:
            await subscribe(found, "feed:quiz_completed", "counter:attempts")
            seen = await until(found, lambda frame: frame["op"] == "reset")
            await value(found, "counter:attempts", 0)
    with uvicorn(pumping, port) as server:
        await get(f"{server}/complete/{quiz.pk}/")
        async with page(server) as found:
            await subscribe(found, "counter:attempts", epoch=seen["epoch"], seq=seen["seq"])
            await value(found, "counter:attempts", 1)


@pytest.mark.parametrize("layer", LAYERS)
async def test_redis_may_go_and_come(pumping: dict[str, str], quiz: Quiz, layer: str) -> None:
    """One layer breaks off when Redis is gone, the other says nothing of it."""
    with Redis() as redis:
        environment = pumping | {"LIVECOUNTERS_TEST_REDIS": redis.url}
        environment |= {"LIVECOUNTERS_TEST_LAYER": layer}
        with uvicorn(environment) as first, uvicorn(environment) as second:
            async with page(first) as here, page(second) as there:
                for one in (here, there):
                    await subscribe(one, "counter:attempts")
                    await value(one, "counter:attempts", 0)
                redis.stop()
                await get(f"{first}/complete/{quiz.pk}/")
                for one in (here, there):
                    await value(one, "counter:attempts", 1)
                redis.start()
                await get(f"{first}/complete/{quiz.pk}/")
                for one in (here, there):
                    await value(one, "counter:attempts", 2)


async def test_without_a_pump_and_sockets_a_page_is_right(
    process_environment: dict[str, str], quiz: Quiz
) -> None:
    with wsgi(process_environment) as server:
        address = f"{server}/live/snapshot/?topic=counter:attempts&topic=feed:quiz_completed"
        assert json.loads(await get(address))["values"] == {"counter:attempts": 0}
        await get(f"{server}/complete/{quiz.pk}/")

        answer = json.loads(await get(address))

    assert answer["values"] == {"counter:attempts": 1}
    assert answer["reset"] == ["feed:quiz_completed"]
