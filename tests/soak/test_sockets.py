"""A thousand sockets for long: some come and go all the time, some never read, some say rubbish.

``LIVECOUNTERS_SOAK_SECONDS`` says for how long; ten minutes otherwise.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import time
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from livecounters.announce import GROUP
from tests.crowd import Crowd, frame, live
from tests.host.models import Attempt, Quiz
from tests.memory import MEASURED, resident, slope
from tests.processes import web
from tests.servers import Redis
from tests.servers.server import free_port
from tests.soak.pages import opened, within

pytestmark = [
    pytest.mark.soak,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rooms"),
]

SECONDS = float(os.environ.get("LIVECOUNTERS_SOAK_SECONDS", "600"))
STEADY, CHURNING, DEAF, MAD = 700, 200, 50, 50
ONLINE, ATTEMPTS = "online:site", "counter:attempts"
WARM = 120.0
GROWTH = 1.0
"""Megabytes a minute by which a process that is warm may seem to grow."""
MOST = 250.0
"""Megabytes that one may have which is watched for a shorter time."""
HELLO = json.dumps({"op": "subscribe", "topics": [ONLINE, ATTEMPTS]})
HERE = '{"op":"presence"}'


async def churn(port: int, chance: random.Random) -> None:
    """Comes, looks for a moment and leaves, politely or not."""
    while True:
        try:
            async with connect(f"ws://127.0.0.1:{port}/ws/live/?v=1") as page:
                await page.send(HELLO)
                await page.send(HERE)
                async with asyncio.timeout(chance.uniform(0.5, 4)):
                    while True:
                        await page.recv()
        except TimeoutError:
            if chance.random() < 0.3:
                page.transport.abort()
        except (OSError, WebSocketException):
            await asyncio.sleep(chance.random())


async def be_deaf(port: int, chance: random.Random) -> None:
    """Asks for all there is and never reads; after a while another one."""
    while True:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_connect(deaf, ("127.0.0.1", port))
            await loop.sock_sendall(
                deaf,
                b"GET /ws/live/?v=1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                b"Sec-WebSocket-Version: 13\r\n\r\n",
            )
            # Not earlier: a server reads nothing that comes with the handshake.
            await asyncio.sleep(1)
            await loop.sock_sendall(deaf, frame(1, HELLO.encode()) + frame(1, HERE.encode()))
            await asyncio.sleep(chance.uniform(20, 60))
        except OSError:
            await asyncio.sleep(1)
        finally:
            deaf.close()


async def be_mad(port: int, chance: random.Random) -> None:
    """Says what nobody understands, until it is thrown out."""
    rubbish: list[Any] = [
        "",
        "[]",
        '{"op":"subscribe"}',
        '{"op":"subscribe","topics":["counter:nothing","x:\\ud800"]}',
        '{"op":"presence","room":"forged:x","tabs":99999999}',
        "x" * 20_000,
        b"\0\1\2",
        HELLO,
        '{"op":"unsubscribe","topics":["' + "y" * 500 + '"]}',
    ]
    while True:
        try:
            async with connect(f"ws://127.0.0.1:{port}/ws/live/?v=1") as page:
                while True:
                    await page.send(chance.choice(rubbish))
                    await asyncio.sleep(chance.uniform(0, 0.3))
        except (OSError, WebSocketException):
            await asyncio.sleep(chance.random())


async def write() -> None:
    """The host's writes."""
    quiz = await Quiz.objects.acreate(title="Fractions")
    while True:
        try:
            await Attempt.objects.acreate(
                quiz=quiz, completed=True, completed_at=timezone.now(), score=50
            )
        except OperationalError as error:
            if "locked" not in str(error):
                raise
        await asyncio.sleep(0.2)


@MEASURED
@pytest.mark.parametrize("store", ["redis", "database"])
async def test_a_thousand_sockets(process_environment: dict[str, str], store: str) -> None:
    port = free_port()
    with Redis() as server:
        environment = process_environment | {
            "LIVECOUNTERS_TEST_REDIS": server.url,
            "LIVECOUNTERS_TEST_PUMP": "1",
            "LIVECOUNTERS_TEST_PRESENCE": store,
        }
        with web(environment, port, "--backlog", "2048") as started:
            await _soak(port, started.pid, redis.Redis.from_url(server.url))


async def _soak(port: int, pid: int, store: Any) -> None:
    chance = random.Random(4)
    page = live([ATTEMPTS, ONLINE])
    page["hello"] = [*page["hello"], HERE]
    with Crowd(port, STEADY, **page) as crowd:
        await asyncio.to_thread(crowd.ask, "open")
        await asyncio.to_thread(crowd.ask, "served")
        jobs = [asyncio.create_task(write())]
        for number, job in ((CHURNING, churn), (DEAF, be_deaf), (MAD, be_mad)):
            jobs += [
                asyncio.create_task(job(port, random.Random(chance.random())))
                for _ in range(number)
            ]
        began = time.monotonic()
        samples: list[tuple[float, float]] = []
        while (now := time.monotonic() - began) < SECONDS:
            await asyncio.sleep(1)
            assert not jobs[0].done(), jobs[0].exception()
            samples.append((now, resident(pid)))
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)

        print("MB:", *(f"{size:.0f}" for _, size in samples[::10]))
        assert (await asyncio.to_thread(crowd.ask, "count"))["lost"] == 0
        right = await sync_to_async(Attempt.objects.filter(completed=True).count)()
        async with opened(1, [f"http://127.0.0.1:{port}"], ONLINE, ATTEMPTS) as pages:
            # Those that never read are noticed by the server's own pings.
            connections = STEADY + 1
            took = await within(
                60,
                lambda: pages[0].values.get(ONLINE, {}).get("connections") == connections,
                lambda: pages[0].values,
            )
            print(f"presence was right after {took:.1f} s")
            await within(10, lambda: pages[0].values[ATTEMPTS] == right, lambda: pages[0].values)
            # One member of the group: this process. And nothing that a socket has left behind.
            assert store.zcard(f"asgi:group:{GROUP}") == 1
            keys = store.keys("*")
            assert len(keys) < 20, keys
    # Until every kind of socket has come and gone there is something to grow for.
    settled = [sample for sample in samples if sample[0] > WARM]
    if settled and settled[-1][0] - settled[0][0] > WARM:
        grown = slope(settled) * 60
        print(f"{grown:+.3f} MB a minute")
        assert grown < GROWTH
    else:
        assert samples[-1][1] < MOST
