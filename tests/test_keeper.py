"""The keeper: sockets of several processes, one truth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from livecounters import keeper, sightings
from livecounters.gauges import SITE
from livecounters.keeper import Keeper
from livecounters.numbers import counters
from livecounters.presence import Counts, Kind, Who, store
from livecounters.signals import went_offline, went_online

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rooms")]

ADA, BOB = Who(Kind.PERSON, "1", "b1"), Who(Kind.PERSON, "2")
GUEST = Who(Kind.GUEST, "b1")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "AGAIN", 0.05)
    monkeypatch.setattr(keeper, "GRACE", 0.2)


@pytest.fixture
def said() -> Iterator[list[Any]]:
    found: list[Any] = []

    def came(user_id: str, **given: Any) -> None:
        found.append(("online", user_id))

    def gone(user_id: str, **given: Any) -> None:
        found.append(("offline", user_id))

    went_online.connect(came)
    went_offline.connect(gone)
    yield found
    went_online.disconnect(came)
    went_offline.disconnect(gone)


class Process:
    """A keeper at work, and what it has announced."""

    def __init__(self, name: str) -> None:
        self.announced: list[set[str]] = []
        self.keeper = Keeper(name, self.announce)
        self.task = asyncio.create_task(self.keeper.work())

    async def announce(self, rooms: set[str]) -> None:
        self.announced.append(rooms)

    async def kill(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.keeper.close()

    def sit(self, seat: str, who: Who, room: str = SITE) -> None:
        self.keeper.enter(seat, room)
        self.keeper.identify(seat, who)


@pytest.fixture
async def start() -> AsyncIterator[Callable[[str], Process]]:
    started: list[Process] = []

    def begin(name: str) -> Process:
        started.append(Process(name))
        return started[-1]

    yield begin
    for one in started:
        if not one.task.done():
            await one.kill()


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not await sync_to_async(holds)():
            await asyncio.sleep(0.02)


def here(room: str = SITE) -> Counts:
    return store().counts([room], time.time())[room]


async def test_tabs_and_processes(start: Callable[[str], Process], said: list[Any]) -> None:
    one, other = start("p"), start("q")
    one.sit("tab 1", ADA)
    one.sit("tab 2", ADA)
    other.sit("phone", ADA)
    other.sit("tab", GUEST)
    await until(lambda: here() == Counts(1, 0, 4))
    await until(lambda: said == [("online", "1")])

    one.keeper.drop("tab 1", lost=False)
    await until(lambda: here() == Counts(1, 0, 3))
    one.keeper.drop("tab 2", lost=False)
    await until(lambda: here() == Counts(1, 0, 2))
    await until(lambda: not one.keeper._book.next_due())
    assert said == [("online", "1")]

    other.keeper.drop("phone", lost=False)
    await until(lambda: here() == Counts(0, 1, 1))
    await until(lambda: said == [("online", "1"), ("offline", "1")])


async def test_many_who_come_at_once_are_told_at_once(start: Callable[[str], Process]) -> None:
    one = start("p")
    for n in range(500):
        one.sit(f"{n}", Who(Kind.PERSON, str(n)))
    await until(lambda: here() == Counts(500, 0, 500))

    assert len(one.announced) <= 2


async def test_while_nobody_is_here_nothing_is_done(
    start: Callable[[str], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: list[Any] = []
    monkeypatch.setattr(Keeper, "_beat", lambda *given: beats.append(given) or True)
    one = start("p")
    one.keeper.every = 0.05
    await asyncio.sleep(0.3)
    assert beats == []

    one.sit("tab", ADA)
    await until(lambda: len(beats) >= 3)
    one.keeper.drop("tab", lost=False)
    await until(lambda: not one.keeper._book.next_due() and not one.keeper._book.due(time.time()))
    done = len(beats)
    await asyncio.sleep(0.3)
    assert len(beats) == done


async def test_a_process_that_was_held_for_dead(start: Callable[[str], Process]) -> None:
    one = start("p")
    one.sit("tab", ADA)
    await until(lambda: here() == Counts(1, 0, 1))

    await sync_to_async(store().withdraw)("p")
    one.keeper.every = 0.05
    one.keeper.enter("tab", "classroom")

    await until(lambda: here() == Counts(1, 0, 1) and here("classroom") == Counts(1, 0, 1))


async def test_a_store_that_fails_is_told_later(
    start: Callable[[str], Process], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    real, failures = Keeper._beat, [1, 2, 3]

    def beat(*given: Any) -> bool:
        if failures:
            failures.pop()
            raise ConnectionError("away")
        return real(*given)

    monkeypatch.setattr(Keeper, "_beat", beat)
    one = start("p")
    one.sit("tab", ADA)

    await until(lambda: here() == Counts(1, 0, 1))
    assert "presence could not be told" in caplog.text


async def test_who_was_at_a_process_that_was_killed(
    start: Callable[[str], Process], said: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "RECONCILE", 0.1)
    killed, other = start("p"), start("q")
    for one in (killed, other):
        one.keeper.lease, one.keeper.every = 1.0, 0.1
    killed.sit("tab", ADA)
    other.sit("tab", BOB)
    await until(lambda: here() == Counts(2, 0, 2))
    await until(lambda: other.keeper._lookout._known or killed.keeper._lookout._known)

    await killed.kill()

    await until(lambda: here() == Counts(1, 0, 1))
    await until(lambda: ("offline", "1") in said)
    assert ("offline", "2") not in said


async def test_a_restart_shows_nobody_leaving(
    start: Callable[[str], Process], said: list[Any]
) -> None:
    old = start("p")
    old.sit("tab", ADA)
    await until(lambda: here() == Counts(1, 0, 1))
    await until(lambda: said)
    await old.kill()
    assert await sync_to_async(here)() == Counts(1, 0, 1)

    new = start("q")
    new.sit("tab", ADA)
    await until(lambda: here().connections == 2)

    assert said == [("online", "1")]
    assert (await sync_to_async(here)()).people == 1


async def test_readers_of_the_numbers(start: Callable[[str], Process]) -> None:
    ada = await sync_to_async(User.objects.create)(username="ada")
    one = start("p")
    one.sit("tab", Who(Kind.PERSON, str(ada.pk)))
    one.sit("other", GUEST)
    one.keeper.enter("tab", "classroom")
    await until(lambda: here("classroom").people == 1)

    online = counters["online"]
    assert await online.avalue() == 2
    assert await sync_to_async(lambda: (online.people, online.guests, online.connections))() == (
        1,
        1,
        2,
    )
    roster = await sync_to_async(counters["classroom"].roster)()
    assert [person.user for person in roster] == [ada]
    await until(lambda: counters["active"].value() == 2)
    assert await sync_to_async(sightings.last_seen)(str(ada.pk))
