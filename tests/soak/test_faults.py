"""What fails under load: processes are killed, Redis and the database go away and come back.

``LIVECOUNTERS_SOAK_KILLS`` says how often processes are killed; a hundred times otherwise.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.request import urlopen

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.utils import timezone

from tests.host.models import Attempt, Quiz, Tag
from tests.processes import process, uvicorn, wait_for
from tests.servers import PostgreSQL, Redis
from tests.servers.server import free_port
from tests.soak.pages import Page, opened, within
from tests.soak.test_writers import settle, writers

pytestmark = [
    pytest.mark.soak,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rooms"),
]

KILLS = int(os.environ.get("LIVECOUNTERS_SOAK_KILLS", "100"))
AWAY = 30.0
ONLINE, ATTEMPTS, FEED = "online:site", "counter:attempts", "feed:quiz_completed"


@pytest.fixture
def redis() -> Iterator[Redis]:
    with Redis() as found:
        yield found


@pytest.fixture
def shared(process_environment: dict[str, str], redis: Redis) -> dict[str, str]:
    return process_environment | {
        "LIVECOUNTERS_TEST_REDIS": redis.url,
        "LIVECOUNTERS_TEST_PRESENCE": "redis",
        "LIVECOUNTERS_TEST_PUMP": "1",
    }


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


@sync_to_async
def counted() -> int:
    return Attempt.objects.filter(completed=True).count()


async def all_right(pages: Sequence[Page], seconds: float) -> float:
    """Until every page shows the right number."""
    right = await counted()
    return await within(
        seconds,
        lambda: all(page.values.get(ATTEMPTS) == right for page in pages),
        lambda: (right, [page.values.get(ATTEMPTS) for page in pages]),
    )


# Killed at random


class Service:
    """A process that is started again when it was killed."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = [sys.executable, *arguments]
        self._environment = dict(environment)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, env=self._environment)

    def kill(self) -> None:
        assert self.process.poll() is None, f"it ended by itself: {self._command}"
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def services(
    environment: Mapping[str, str], ports: Sequence[int]
) -> Iterator[tuple[list[Service], Service]]:
    """Web servers with a pump in each, and a pump of its own."""
    web = [
        Service(
            ["-m", "uvicorn", "tests.asgi:application", f"--port={port}", "--log-level=critical"],
            environment,
        )
        for port in ports
    ]
    pump = Service(["-m", "django", "livecounters", "run"], environment)
    try:
        yield web, pump
    finally:
        for service in (*web, pump):
            if service.process.poll() is None:
                service.kill()


async def test_killed_at_random_moments(shared: dict[str, str]) -> None:
    for slug in ("a", "b"):
        await Tag.objects.acreate(slug=slug)
    for n in range(4):
        await Quiz.objects.acreate(title=str(n))
    chance = random.Random(3)
    ports = [free_port() for _ in range(2)]
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    pace = 0.15 if connection.vendor == "sqlite" else 0.05
    with services(shared, ports) as (web, pump):
        for port, service in zip(ports, web, strict=True):
            await asyncio.to_thread(wait_for, port, service.process)
        async with opened(20, addresses, ONLINE, ATTEMPTS) as pages:
            seconds = 3.5 * KILLS
            # Entered and left in a thread: both wait for processes.
            load = writers(2, seconds, shared, pace)
            await asyncio.to_thread(load.__enter__)
            end = time.monotonic() + seconds
            for _ in range(KILLS):
                victim = chance.choice([*web, pump])
                await asyncio.sleep(chance.uniform(0.2, 3.0))
                victim.kill()
                victim.start()
            print(f"{KILLS} kills, {end - time.monotonic():.0f} s before the load ends")
            killed = time.monotonic()
            here = {"people": 0, "guests": len(pages), "connections": len(pages)}
            for port, service in zip(ports, web, strict=True):
                await asyncio.to_thread(wait_for, port, service.process)
            took = await within(
                30,
                lambda: all(page.values.get(ONLINE) == here for page in pages),
                lambda: [page.values.get(ONLINE) for page in pages],
            )
            print(f"presence is right {time.monotonic() - killed:.1f} s after the last kill")
            assert took < 15
            await asyncio.to_thread(load.__exit__, None, None, None)
            print(f"numbers are right after {await all_right(pages, 15):.1f} s")
            print(f"pages came back {sum(page.opened for page in pages)} times")
    await sync_to_async(settle)()


# Redis


class Host(threading.Thread):
    """Writes of the host, one after the other; how long each took, and when."""

    def __init__(self, quiz: Quiz) -> None:
        super().__init__(daemon=True)
        self.took: list[tuple[float, float]] = []
        self.errors: list[Exception] = []
        self._quiz = quiz
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.05):
            began = time.monotonic()
            try:
                Attempt.objects.create(
                    quiz=self._quiz, completed=True, completed_at=timezone.now(), score=50
                )
            except Exception as error:
                self.errors.append(error)
            self.took.append((began, time.monotonic() - began))
        connections.close_all()

    def median(self, start: float, end: float) -> float:
        return statistics.median(took for began, took in self.took if start <= began < end)

    def most(self, start: float, end: float) -> float:
        return max(took for began, took in self.took if start <= began < end)

    def end(self) -> None:
        self._ended.set()
        self.join()


async def answered(address: str) -> float:
    """How long a page of the host takes."""
    began = time.monotonic()
    body = await asyncio.to_thread(lambda: urlopen(f"{address}/", timeout=10).read())
    assert b"<" in body
    return time.monotonic() - began


async def test_redis_goes_and_comes_under_load(
    shared: dict[str, str], redis: Redis, quiz: Quiz
) -> None:
    with uvicorn(shared) as first, uvicorn(shared) as second:
        async with opened(20, [first, second], ONLINE, ATTEMPTS) as pages:
            host = Host(quiz)
            host.start()
            try:
                began = time.monotonic()
                await asyncio.sleep(10)
                away = time.monotonic()
                await asyncio.to_thread(redis.stop)
                waits = []
                while time.monotonic() < away + AWAY:
                    waits += [await answered(first), await answered(second)]
                    await asyncio.sleep(0.5)
                shown = min(page.values[ATTEMPTS] for page in pages)
                back = time.monotonic()
                await asyncio.to_thread(redis.start)
                await asyncio.sleep(5)
                now = time.monotonic()
            finally:
                await asyncio.to_thread(host.end)
            took = await all_right(pages, 5)
            here = {"people": 0, "guests": len(pages), "connections": len(pages)}
            present = await within(
                15,
                lambda: all(page.values.get(ONLINE) == here for page in pages),
                lambda: [page.values.get(ONLINE) for page in pages],
            )
            visits = sum(page.opened for page in pages)
    before, meanwhile = host.median(began, away), host.median(away, back)
    print(
        f"a write takes {before * 1000:.1f} ms, without Redis {meanwhile * 1000:.1f} ms (most "
        f"{host.most(away, back) * 1000:.0f} ms, before {host.most(began, away) * 1000:.0f} ms); "
        f"pages answer in {max(waits):.2f} s at most; right {back and now - back + took:.1f} s "
        f"after it came back, presence {now - back + took + present:.1f} s"
    )
    assert host.errors == []
    assert meanwhile < 1.5 * before + 0.005
    assert max(waits) < 5
    # Nobody had to connect anew, and pages followed meanwhile.
    assert visits == len(pages)
    assert shown > 0.5 * len([1 for at, _ in host.took if at < back])


# The server, the database


async def test_a_restart_misses_no_event(shared: dict[str, str], quiz: Quiz) -> None:
    port = free_port()
    async with opened(10, [f"http://127.0.0.1:{port}"], ATTEMPTS, FEED) as pages:
        host = Host(quiz)
        try:
            for turn in range(5):
                with uvicorn(shared, port):
                    if not turn:
                        host.start()
                    opened_before = [page.opened for page in pages]
                    await within(
                        20,
                        lambda: all(
                            page.opened > before
                            for page, before in zip(pages, opened_before, strict=True)  # noqa: B023
                        ),
                        lambda: [page.opened for page in pages],
                    )
                    await asyncio.sleep(2)
                    if turn == 4:
                        await asyncio.to_thread(host.end)
                        await all_right(pages, 10)
                        newest = await told()
                        await within(
                            10,
                            lambda: all(page.shown[-50:] == newest for page in pages),  # noqa: B023
                            lambda: (newest, [page.shown[-50:] for page in pages]),  # noqa: B023
                        )
        finally:
            if host.ident:
                await asyncio.to_thread(host.end)
    assert host.errors == []


@sync_to_async
def told() -> list[int]:
    """The numbers of the newest events."""
    from livecounters.models import ActivityEvent

    kind = ActivityEvent.objects.filter(kind="host.quiz_completed", seq__gt=0)
    return list(kind.order_by("-seq").values_list("seq", flat=True)[:50])[::-1]


LOAD = """
import time
import django; django.setup()
from django.db import connection, DatabaseError, InterfaceError
from django.utils import timezone
from tests.host.models import Attempt, Quiz
quiz = Quiz.objects.create(title="Fractions")
print("ready", flush=True)
while True:
    try:
        Attempt.objects.create(quiz=quiz, completed=True, completed_at=timezone.now(), score=50)
    except (DatabaseError, InterfaceError):
        connection.close()
    time.sleep(0.05)
"""


async def test_the_database_goes_and_comes_under_load(
    postgresql_server: PostgreSQL, redis: Redis
) -> None:
    with PostgreSQL() as server:
        settings = {name: str(server.settings[name]) for name in ("HOST", "PORT", "USER", "NAME")}
        environment = os.environ | {
            "LIVECOUNTERS_TEST_DATABASE": "postgresql",
            "LIVECOUNTERS_TEST_REDIS": redis.url,
            "LIVECOUNTERS_TEST_PRESENCE": "database",
            "LIVECOUNTERS_TEST_PUMP": "1",
            **{f"LIVECOUNTERS_TEST_DATABASE_{name}": value for name, value in settings.items()},
        }
        migrate = [sys.executable, "-m", "django", "migrate", "--verbosity=0", "--skip-checks"]
        await asyncio.to_thread(subprocess.run, migrate, env=environment, check=True)
        with uvicorn(environment) as first, uvicorn(environment) as second:
            async with opened(20, [first, second], ONLINE, ATTEMPTS) as pages:
                with process(["-c", LOAD], environment) as load:
                    await within(30, lambda: any(p.values.get(ATTEMPTS) for p in pages), pages.copy)
                    for _ in range(3):
                        await asyncio.to_thread(server.stop)
                        await asyncio.sleep(5)
                        await asyncio.to_thread(server.start)
                        began = time.monotonic()
                        before = max(page.values[ATTEMPTS] for page in pages)
                        await within(
                            20,
                            lambda: all(p.values[ATTEMPTS] > before for p in pages),  # noqa: B023
                            lambda: [p.values for p in pages],
                        )
                        print(f"pages go on {time.monotonic() - began:.1f} s after the database")
                    load.kill()
                right = await asyncio.to_thread(_count, server)
                await within(
                    10,
                    lambda: all(page.values[ATTEMPTS] == right for page in pages),
                    lambda: (right, [page.values[ATTEMPTS] for page in pages]),
                )
                here = {"people": 0, "guests": len(pages), "connections": len(pages)}
                await within(
                    15,
                    lambda: all(page.values[ONLINE] == here for page in pages),
                    lambda: [page.values[ONLINE] for page in pages],
                )
                # Nobody was thrown out.
                assert sum(page.opened for page in pages) == len(pages)


def _count(server: PostgreSQL) -> int:
    with psycopg.connect(server.url) as found:
        row = found.execute("SELECT COUNT(*) FROM host_attempt WHERE completed").fetchone()
    assert row is not None
    return int(row[0])
