"""The relay: announcements over the layer, healing without them, life and death."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from django.utils import timezone

from livecounters import leases, readout, relay
from livecounters.announce import GROUP, TYPE, Announcement
from livecounters.lookout import VIEWERS
from livecounters.numbers import counters
from tests.host.models import Attempt, Quiz
from tests.servers import Redis
from tests.sockets import running, socket

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def complete(number: int = 1) -> None:
    quiz, _ = Quiz.objects.get_or_create(title="Fractions")
    Attempt.objects.bulk_create(
        [
            Attempt(quiz=quiz, completed=True, completed_at=timezone.now(), score=100)
            for _ in range(number)
        ]
    )


async def test_a_lost_announcement_heals(monkeypatch: pytest.MonkeyPatch) -> None:
    # No pump runs here: only reading again can find what was written.
    monkeypatch.setattr(relay, "RESYNC", 0.1)
    async with running(), socket() as page:
        await page.subscribe("counter:attempts")
        await page.value("counter:attempts", 0)

        await complete()

        await page.value("counter:attempts", 1)


async def test_an_announcement_comes_over_the_layer() -> None:
    async with running(), socket() as page:
        await page.subscribe("counter:attempts")
        await page.value("counter:attempts", 0)
        await complete()

        layer = get_channel_layer()
        measure = counters["attempts"].measure.key
        await layer.group_send(GROUP, Announcement("e", 1, {measure: {""}}).message())

        await page.value("counter:attempts", 1)


async def test_rubbish_on_the_layer_is_ignored() -> None:
    async with running(), socket() as page:
        await page.subscribe("counter:attempts")
        await page.value("counter:attempts", 0)
        layer = get_channel_layer()
        for message in (
            {"type": "websocket.close"},
            {"type": TYPE},
            {"type": TYPE, "numbers": {}, "epoch": 1, "seq": "x"},
        ):
            await layer.group_send(GROUP, message)

        await page.send(op="ping")
        assert (await page.frame())["op"] == "pong"


async def test_a_layer_that_fails_stops_nothing(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LIVECOUNTERS = {"EMBEDDED_PUMP": True}
    monkeypatch.setattr(relay, "RETRY", 0.05)
    layer = get_channel_layer()

    async def fail(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("away")

    for name in ("group_send", "group_add", "receive"):
        monkeypatch.setattr(layer, name, fail)
    with caplog.at_level(logging.WARNING, "livecounters"):
        async with running(), socket() as page:
            await page.subscribe("counter:attempts")
            await page.value("counter:attempts", 0)
            await complete()
            await page.value("counter:attempts", 1)

    assert "not to be heard" in caplog.text


async def test_a_layer_whose_silence_is_an_error_leaves_nothing_behind(
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    redis_server: Redis,
) -> None:
    """As redis-py does after five seconds."""
    host = {"address": redis_server.url, "socket_timeout": 0.2}
    backend = "channels_redis.core.RedisChannelLayer"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": {"hosts": [host]}}}
    channel_layers.backends.clear()
    monkeypatch.setattr(relay, "CUT", 0.1)
    group = f"asgi:group:{GROUP}"
    with redis.Redis.from_url(redis_server.url) as store, caplog.at_level(logging.WARNING):
        store.delete(group)
        async with running(), socket() as page:
            await page.subscribe("counter:attempts")
            await page.value("counter:attempts", 0)
            await asyncio.sleep(1)
            members = store.zcard(group)
            await complete()
            measure = counters["attempts"].measure.key
            layer = get_channel_layer()
            await layer.group_send(GROUP, Announcement("e", 1, {measure: {""}}).message())
            async with asyncio.timeout(relay.RESYNC / 2):
                await page.value("counter:attempts", 1)

    assert members == 1
    assert not caplog.records


async def test_without_a_layer_there_is_this_process(settings: Any) -> None:
    settings.CHANNEL_LAYERS = {}
    settings.LIVECOUNTERS = {"EMBEDDED_PUMP": True}
    channel_layers.backends.clear()
    async with running(), socket() as page:
        await page.subscribe("counter:attempts")
        await page.value("counter:attempts", 0)
        await complete()
        await page.value("counter:attempts", 1)


async def test_a_burst_is_told_by_a_reset(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.LIVECOUNTERS = {"EMBEDDED_PUMP": True}
    async with running(), socket() as page:
        await page.subscribe("feed:quiz_completed")
        await page.op("reset")
        monkeypatch.setattr(readout, "BURST", 3)
        await page.send(op="unsubscribe", topics=["feed:quiz_completed"])
        await page.subscribe(_feed())
        await page.op("reset")

        await complete(10)

        frame = await page.op("reset")
        assert len(frame["events"]) == 10


def _feed() -> str:
    from livecounters.topics import FeedTopic, sign

    return sign(FeedTopic())


async def test_viewers_are_known_elsewhere() -> None:
    async with running(), socket() as page:
        await page.subscribe("counter:attempts")
        await page.op("values")
        held = sync_to_async(leases.held)
        assert await held(VIEWERS, timezone.now(), "default")

    assert not await held(VIEWERS, timezone.now(), "default")


async def test_an_error_while_reading_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(relay, "RETRY", 0.05)
    real, failed = relay.read_out, []

    def once(*args: Any) -> Any:
        if not failed:
            failed.append(1)
            raise ConnectionError("the database is away")
        return real(*args)

    monkeypatch.setattr(relay, "read_out", once)
    with caplog.at_level(logging.ERROR, "livecounters"):
        async with running(), socket() as page:
            await page.subscribe("counter:attempts", "feed:quiz_completed")
            await page.value("counter:attempts", 0)

    assert "tried again" in caplog.text


async def test_the_membership_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "RENEW_GROUP", 0.01)
    layer = get_channel_layer()
    added = asyncio.Semaphore(0)
    real = layer.group_add

    async def counted(*args: Any) -> None:
        added.release()
        await real(*args)

    monkeypatch.setattr(layer, "group_add", counted)
    async with running() as found:
        found.start()
        found.start()
        async with asyncio.timeout(5):
            for _ in range(3):
                await added.acquire()
