"""A hundred thousand calls of the API, made from its schema: none is an error of the server, each
is answered as promised, and the process does not grow.

``LIVECOUNTERS_SOAK_CALLS`` says how many; ``LIVECOUNTERS_SOAK_SEED`` which.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from django.db import connection, reset_queries

from tests.callers import Callers, unbounded

pytestmark = [
    pytest.mark.soak,
    pytest.mark.django_db,
    pytest.mark.usefixtures("rooms"),
]

CALLS = int(os.environ.get("LIVECOUNTERS_SOAK_CALLS", "100000"))
SEED = int(os.environ.get("LIVECOUNTERS_SOAK_SEED", "1"))
GROWTH = 1.0
"""Kilobytes a call by which a process that is warm may seem to grow: three quarters of one are
Django's test client's, which puts receivers of signals back at each call, with new finalizers."""


@pytest.fixture
def callers(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Callers]:
    logging.disable(logging.CRITICAL)
    with unbounded(monkeypatch, settings):
        yield Callers()
    logging.disable(logging.NOTSET)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read from /proc")
def test_any_call_is_answered_and_leaves_nothing(callers: Callers) -> None:
    chance = Random(SEED)
    megabytes = []
    for number in range(CALLS):
        if number % (CALLS // 5) == 0:
            megabytes.append(_megabytes())
        # What a test would collect of each query is no matter of the package.
        if connection.queries_log:
            reset_queries()
        callers.call(chance)
    megabytes.append(_megabytes())

    print(f"{CALLS} calls: {dict(callers.codes)}, slowest {callers.slowest:.2f} s, {megabytes} MB")
    grown = (megabytes[-1] - megabytes[1]) * 1024 / (CALLS * 4 / 5)
    assert grown < GROWTH, megabytes


def _megabytes() -> float:
    gc.collect()
    with open("/proc/self/statm") as file:
        return round(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
