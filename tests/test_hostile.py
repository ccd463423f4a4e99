"""Whatever is called: no answer is an error of the server, each is as promised, and what is wrong
is said. A hundred thousand calls are in ``tests/soak/test_calls.py``."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from livecounters import consumers
from tests.callers import Callers, called
from tests.hostile import frame
from tests.sockets import running, socket

pytestmark = [
    # The relay reads in threads of its own, so what is asked about is committed.
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rooms"),
]


@pytest.fixture
def callers(process_environment: dict[str, str]) -> Iterator[Callers]:
    with called(process_environment) as found:
        yield found


def test_many_calls_are_answered(callers: Callers) -> None:
    chance = Random(1)
    for _ in range(300):
        callers.call(chance)

    # Neither only right ones, nor only wrong ones.
    assert {200, 400, 404, 405} <= callers.codes.keys()
    assert callers.codes[200] > 25
    assert callers.written["/live/events/"] > 2
    assert callers.written["/live/progress/goals/"] > 2


async def test_any_frame_is_answered(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is said, every frame that comes back is one that was promised."""
    settings.LIVECOUNTERS = {**settings.LIVECOUNTERS, "LIMITS": {"frames_per_second": None}}
    monkeypatch.setattr(consumers, "MAX_ERRORS", 10_000)
    chance = Random(1)
    async with running(), socket() as page:
        for _ in range(20):
            for _ in range(20):
                await page.give(frame(chance))
            await page.send(op="ping")
            await page.op("pong")
        # And a page that makes sense is served all the same.
        await page.subscribe("counter:learners", "counter:score_avg")
        await page.until(lambda said: "counter:score_avg" in said.get("values", {}))
    codes = {said.get("code") for said in page.frames}
    assert {"malformed", "unknown_op", "too_large", "too_many_topics", "unavailable"} <= codes
