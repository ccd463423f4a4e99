"""The pump: one look at a time, by a clock that the test holds."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from livecounters import capture, feed, installation, leases, pump
from livecounters.announce import Announcement
from livecounters.lookout import VIEWERS
from livecounters.models import ActivityEvent, Bucket, Delta, Lease, Measured, Stream
from livecounters.numbers import counters
from livecounters.pump import (
    FOLD_AT,
    FOLD_EVERY,
    HEAL_EVERY,
    LEASE,
    PRUNE_EVERY,
    PRUNE_LOOK,
    Pump,
    drive,
)
from livecounters.telemetry import LAG, tally
from tests.host.models import Attempt, Quiz
from tests.oracle import assert_exact

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def later(seconds: float) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


def complete(number: int = 1) -> None:
    quiz, _ = Quiz.objects.get_or_create(title="Fractions")
    Attempt.objects.bulk_create(
        [Attempt(quiz=quiz, completed=True, completed_at=NOW, score=100) for _ in range(number)]
    )


def test_what_changed_is_announced_once() -> None:
    work = Pump()
    work.tick(NOW)
    complete()

    announcement, watched = work.tick(later(0.1))

    assert announcement is not None
    assert not watched
    measure = counters["attempts"].measure.key
    assert set(announcement.numbers[measure] or ()) == {""}
    assert announcement.seq == 1
    assert work.tick(later(0.2)) == (None, False)


def test_events_are_numbered() -> None:
    complete(3)

    announcement, _ = Pump().tick(NOW)

    assert announcement is not None
    assert announcement.seq == 3
    perfect = ActivityEvent.objects.filter(kind="host.perfect").order_by("id")
    assert [event.seq for event in perfect] == [1, 2, 3]


def test_folding_waits_where_it_could_hold_up_the_host() -> None:
    work = Pump()
    complete()
    work.tick(NOW)
    assert not Delta.objects.exists()
    complete()

    work.tick(later(1))
    if connection.vendor == "sqlite":
        assert Delta.objects.exists()
    work.tick(later(FOLD_EVERY + 1))

    assert not Delta.objects.exists()
    assert counters["attempts"].value() == 2


def test_much_is_folded_at_once() -> None:
    work = Pump()
    complete()
    work.tick(NOW)
    complete(FOLD_AT)

    work.tick(later(0.1))

    assert not Delta.objects.exists()


def test_how_long_a_change_has_waited() -> None:
    work = Pump()
    tally.take_peaks()
    work.tick(NOW)
    work.tick(later(3))
    assert tally.take_peaks() == {}
    complete()

    work.tick(later(5))

    # It came after the last look.
    assert tally.take_peaks() == {LAG: 2.0}
    complete()
    work.tick(later(5.5))
    assert tally.take_peaks() == {LAG: 0.5}


def test_a_pump_that_comes_to_no_end_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Pump()
    work.tick(NOW)

    def fail(*given: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(pump, "look", fail)
        for seconds in (6, 12):
            with pytest.raises(RuntimeError):
                work.tick(later(seconds))
    assert leases.held(leases.FAILING, later(13), "default")

    work.tick(later(18))
    work.tick(later(28))
    assert not leases.held(leases.FAILING, later(34), "default")


def test_one_pump_is_active() -> None:
    first, second = Pump(), Pump()
    first.tick(NOW)
    complete()

    assert second.tick(NOW)[0] is None
    assert first.tick(later(1))[0] is not None


def test_another_takes_over_when_it_is_gone() -> None:
    first, second = Pump(), Pump()
    first.tick(NOW)
    second.tick(NOW)
    complete()

    assert second.tick(later(LEASE - 1))[0] is None
    assert second.tick(later(2 * LEASE))[0] is not None
    assert first.tick(later(2 * LEASE + 1))[0] is None


def test_closed_it_makes_room_at_once() -> None:
    first = Pump()
    first.tick(NOW)
    first.close()
    complete()

    assert Pump().tick(later(0.1))[0] is not None


def test_it_knows_of_viewers_elsewhere() -> None:
    leases.hold(f"{VIEWERS}there", "there", NOW, 30, "default")

    assert Pump().tick(NOW)[1]
    assert not Pump().tick(later(31))[1]


def test_a_look_at_nothing_costs_little(django_assert_max_num_queries: Any) -> None:
    work = Pump()
    work.tick(NOW)

    with django_assert_max_num_queries(1):
        work.tick(later(0.1))


def test_a_muted_event_is_not_numbered() -> None:
    complete()
    ActivityEvent.objects.update(seq=0)

    assert feed.number().seq == 0 or connection.vendor == "sqlite"


@pytest.mark.django_db(transaction=True)
def test_it_prunes_once_a_day() -> None:
    complete()
    Attempt.objects.all().delete()
    old = Bucket.objects.create(
        measure=counters["attempts"].measure.key, scope="", grain=1, start=0
    )
    first, second = Pump(), Pump()

    def old_is_there_after(pump: Pump, seconds: float) -> bool:
        pump.tick(later(seconds))
        pump.rest()
        return Bucket.objects.filter(pk=old.pk).exists()

    assert old_is_there_after(first, 0)
    assert not old_is_there_after(first, PRUNE_LOOK)
    old.save(force_insert=True)
    assert old_is_there_after(first, 2 * PRUNE_LOOK)
    # Whichever process is the next.
    first.close()
    assert old_is_there_after(second, 3 * PRUNE_LOOK)
    assert old_is_there_after(second, 4 * PRUNE_LOOK)
    assert not old_is_there_after(second, PRUNE_LOOK + PRUNE_EVERY)


def test_a_pump_that_starts_sees_that_it_is_another_database() -> None:
    Pump().tick(NOW)
    Stream.objects.update(home="elsewhere")
    old = feed.head()

    Pump().tick(later(2 * LEASE))

    assert feed.head().epoch != old.epoch


# Driving


@pytest.mark.django_db(transaction=True)
async def test_it_looks_again_after_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pump, "IDLE", 0.01)
    looks: list[int] = []
    heard: asyncio.Queue[Announcement] = asyncio.Queue()

    class Failing(Pump):
        def tick(self, now: dt.datetime) -> tuple[Announcement | None, bool]:
            looks.append(1)
            if len(looks) == 1:
                raise ConnectionError("the database is away")
            return Announcement("e", len(looks)), False

    with ThreadPoolExecutor(1) as threads, caplog.at_level(logging.ERROR, "livecounters"):
        work = asyncio.create_task(
            drive(Failing(), heard.put, threads, lambda: True, asyncio.Event())
        )
        async with asyncio.timeout(10):
            assert (await heard.get()).seq == 2
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work

    assert "the pump failed" in caplog.text


@pytest.mark.django_db(transaction=True)
async def test_stopped_it_gives_the_lease_back() -> None:
    looked = asyncio.Event()

    async def announce(announcement: Announcement) -> None:
        looked.set()

    with ThreadPoolExecutor(1) as threads:
        work = asyncio.create_task(drive(Pump(), announce, threads, lambda: True, asyncio.Event()))
        async with asyncio.timeout(10):
            await looked.wait()
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work

    assert not await Lease.objects.filter(expires_at__gt=timezone.now()).aexists()


# Healing


@pytest.mark.django_db(transaction=True)
def test_lost_triggers_are_put_back(caplog: pytest.LogCaptureFixture) -> None:
    complete(3)
    work = Pump()
    work.tick(NOW)
    dialect = capture.dialect_of("default")
    for name in capture.installed(dialect)["host_attempt"]:
        capture.execute(dialect, dialect.remove_sql("host_attempt", name))
    complete(2)

    work.tick(later(1))
    assert "were taken away" not in caplog.text
    # In its time, and beside its other work.
    work.tick(later(HEAL_EVERY + 1))
    work.rest()

    assert "the triggers on host_attempt were taken away" in caplog.text
    assert {state.state for state in capture.states("default")} == {"installed"}
    assert not installation.ailing("default")
    assert_exact()
    work.close()


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_backfill_left_is_finished() -> None:
    capture.detach("default", ["host_attempt"])
    complete(3)
    for watch in capture.watches("default"):
        capture.install(capture.dialect_of("default"), watch)
    assert Measured.objects.filter(ready=False).exists()
    work = Pump()

    work.tick(NOW)
    work.rest()

    assert not Measured.objects.filter(ready=False).exists()
    assert_exact()
    work.close()


@pytest.mark.django_db(transaction=True)
def test_it_leaves_in_the_middle_of_a_backfill() -> None:
    capture.detach("default", ["host_attempt"])
    complete(3)
    for watch in capture.watches("default"):
        capture.install(capture.dialect_of("default"), watch)
    work = Pump()
    work.leave()

    work.tick(NOW)
    work.rest()
    work.close()

    assert installation.ailing("default")
    assert not leases.held(leases.PUMP, NOW, "default")
    assert_exact()
    installation.heal("default")


def test_while_all_is_well_little_is_asked(django_assert_max_num_queries: Any) -> None:
    work = Pump()
    work.tick(NOW)

    with django_assert_max_num_queries(14):
        work.tick(later(LEASE / 3 + 1))
