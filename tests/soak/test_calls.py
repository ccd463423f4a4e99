"""Calls of the API made from its schema, of a server that runs: none is an error, each is answered
as promised, and the server does not grow.

``LIVECOUNTERS_SOAK_CALLS`` says how many, a hundred thousand otherwise; ``LIVECOUNTERS_SOAK_SEED``
which.
"""

from __future__ import annotations

import os
from random import Random

import pytest

from tests.callers import called
from tests.memory import MEASURED, resident, slope

pytestmark = [
    pytest.mark.soak,
    # The server sees what is committed.
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rooms"),
]

CALLS = int(os.environ.get("LIVECOUNTERS_SOAK_CALLS", "100000"))
SEED = int(os.environ.get("LIVECOUNTERS_SOAK_SEED", "1"))
WARM = CALLS // 3
"""Calls after which all kinds have been made, and caches are as full as they may be."""
SAMPLES = 100
GROWTH = 100.0
"""Bytes a call by which a server that is warm may seem to grow; it goes up and down by a megabyte."""


@MEASURED
def test_any_call_is_answered_and_leaves_nothing(process_environment: dict[str, str]) -> None:
    chance = Random(SEED)
    samples: list[tuple[float, float]] = []
    with called(process_environment) as callers:
        for number in range(CALLS):
            if number % (CALLS // SAMPLES) == 0:
                samples.append((number, resident(callers.server.pid)))
            callers.call(chance)

    print(f"{CALLS} calls: {dict(callers.codes)}, slowest {callers.slowest:.2f} s")
    print(f"written: {dict(callers.written)}")
    print("MB:", *(f"{size:.1f}" for _, size in samples[::5]))
    warm = [sample for sample in samples if sample[0] >= WARM]
    grown = slope(warm) * 2**20
    print(f"{grown:+.0f} bytes a call")
    assert grown < GROWTH
    assert callers.written["/live/events/"] > CALLS / 100
    assert callers.written["/live/progress/goals/"] > CALLS / 100
