"""Whatever is called: no answer is an error of the server, each is as promised, and what is wrong
is said. A hundred thousand calls are in ``tests/soak/test_calls.py``."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounds
from hypothesis import strategies as st

from tests.callers import Callers, unbounded

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("rooms"),
]


@pytest.fixture
def callers(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Callers]:
    with unbounded(monkeypatch, settings):
        yield Callers()


@given(st.randoms(use_true_random=False))
@bounds(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_call_is_answered(callers: Callers, chance: Random) -> None:
    callers.call(chance)


def test_many_calls_are_answered(callers: Callers) -> None:
    chance = Random(1)
    for _ in range(1000):
        callers.call(chance)

    # Neither only right ones, nor only wrong ones.
    assert {200, 400, 404, 405} <= callers.codes.keys()
    assert callers.codes[200] > 80
