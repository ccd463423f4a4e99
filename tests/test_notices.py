"""What achievements are called."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from livecounters.models import Achievement
from livecounters.notices import as_json, great, text_of_achievement
from livecounters.registry import registry
from tests.host.learners import Learning
from tests.host.models import Attempt


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    registry.add(Attempt, Learning)
    yield
    registry.remove(Learning)


def reached(kind: str, step: int = 0, counter: str = "host.sessions") -> Achievement:
    return Achievement(counter=counter, kind=kind, step=step, at=timezone.now())


@pytest.mark.parametrize(
    ("kind", "step", "text", "celebrated"),
    [
        ("first", 0, "Sessions: First of the day", False),
        ("busy", 5, "Sessions: A busy day: 5", False),
        ("goal:day", 0, "Sessions: Goal of the day reached", False),
        ("goal:week", 0, "Sessions: Goal of the week reached", False),
        ("goal:month", 0, "Sessions: Goal of the month reached", False),
        ("total", 1000, "Sessions: 1,000 in all", True),
        ("streak", 1, "Sessions: 1 day in a row", True),
        ("streak", 7, "Sessions: 7 days in a row", True),
        ("another", 0, "Sessions: another", False),
    ],
)
def test_the_words(kind: str, step: int, text: str, celebrated: bool) -> None:
    assert text_of_achievement(reached(kind, step)) == text
    assert great(reached(kind, step)) is celebrated
    assert as_json(reached(kind, step))["icon"]


def test_of_a_counter_that_is_declared_no_more() -> None:
    one = reached("streak", 7, "host.gone")

    assert text_of_achievement(one) == "7 days in a row"
    assert as_json(one)["counter"] == "host.gone"
