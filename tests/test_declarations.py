"""What a host declares to be counted: its shape, and what a wrong one is told."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.db.models import F, Q
from django.utils.translation import gettext_lazy

import livecounters as live
from livecounters.declarations import Aggregate


def test_a_count_needs_nothing() -> None:
    counter = live.Count()

    assert counter.expression is counter.filter is counter.per is counter.label is None
    assert counter.window is live.ever
    assert (counter.distinct, counter.public, counter.timed) == (False, False, False)
    assert (counter.icon, counter.group, counter.levels, counter.audience) == ("", "", None, None)


def test_all_keywords_are_kept() -> None:
    activity = live.Activity("something")
    given: dict[str, Any] = {
        "filter": Q(score__gte=1),
        "per": "quiz",
        "at": F("completed_at"),
        "window": live.last(days=7),
        "events": activity,
        "label": gettext_lazy("Attempts"),
        "icon": "check",
        "group": "learning",
        "levels": {"busy": 10},
        "public": True,
        "audience": lambda user, of: True,
    }

    for counter in (live.Count(**given), live.Sum("score", **given), live.Avg("score", **given)):
        assert {name: getattr(counter, name) for name in given} == given
        assert counter.timed


@pytest.mark.parametrize(
    ("window", "timed"),
    [(live.ever, False), (live.today, True), (live.this_week, True), (live.last(days=1), True)],
)
def test_a_window_needs_a_time(window: Any, timed: bool) -> None:
    assert live.Count(window=window).timed is timed


@pytest.mark.parametrize(
    ("declare", "text"),
    [
        (lambda: live.Sum(), 'live.Sum() needs what to add up: live.Sum("field").'),
        (lambda: live.Avg(), 'live.Avg() needs what to add up: live.Avg("field").'),
        (lambda: live.Sum(5), "live.Sum(5): give a field name or an expression."),
        (
            lambda: live.Count(Q(score=1)),
            "live.Count(<Q: (AND: ('score', 1))>): give a field name or an expression.",
        ),
        (
            lambda: live.Count(window="today"),
            "live.Count(window='today'): give live.ever, live.today, live.this_week, "
            "live.this_month or live.last(...).",
        ),
        (
            lambda: live.Count(window=live.last),
            f"live.Count(window={live.last!r}): give live.ever, live.today, live.this_week, "
            "live.this_month or live.last(...).",
        ),
        (
            lambda: live.Count(events="quiz_completed"),
            "live.Count(events='quiz_completed'): give a live.Activity, "
            "for example one declared above it in the same class.",
        ),
        (
            lambda: live.Avg("score", filter={"completed": True}),
            "live.Avg(filter={'completed': True}): give a Q object.",
        ),
        (
            lambda: live.Count(per=F("quiz")),
            "live.Count(per=F(quiz)): give the name of a field, or a tuple of several.",
        ),
        (
            lambda: live.Count(distinct=True),
            'live.Count(distinct=True) needs a field: live.Count("user", ...).',
        ),
        (
            lambda: live.Count("user", distinct=True, sample=True),
            "live.Count(sample=True): give a whole number.",
        ),
        (
            lambda: live.Count("user", distinct=True, sample=2.0),
            "live.Count(sample=2.0): give a whole number.",
        ),
        (
            lambda: live.Count("user", sample=64),
            "live.Count(sample=64) is of different values; give distinct=True.",
        ),
        (
            lambda: live.Count("quiz", distinct=True, sample=64, per="user", streaks=[3]),
            "live.Count(sample=64) is an estimate, which reaches no goal, milestone or streak; "
            "leave them away, or sample=.",
        ),
    ],
)
def test_a_wrong_declaration_says_what_to_write(declare: Any, text: str) -> None:
    with pytest.raises(TypeError) as caught:
        declare()
    assert str(caught.value) == text


@pytest.mark.parametrize("sample", [0, -2, 3, 63, 2**17])
def test_one_value_in_how_many(sample: int) -> None:
    with pytest.raises(ValueError, match="give a power of two from 2 to 65536: one in so many"):
        live.Count("user", distinct=True, sample=sample)
    assert live.Count("user", distinct=True, sample=2**16).sample == 2**16
    assert live.Count("user", distinct=True).sample == live.Count().sample == 1


@pytest.mark.parametrize("unknown", ["windows", "goal", "name"])
def test_a_misspelt_keyword_is_an_error(unknown: str) -> None:
    with pytest.raises(TypeError, match=unknown):
        live.Count(**{unknown: 1})


def test_only_what_is_counted_goes_without_a_keyword() -> None:
    with pytest.raises(TypeError):
        live.Sum("score", Q())  # type: ignore[misc]


def test_distinct_is_a_keyword() -> None:
    with pytest.raises(TypeError):
        live.Count("user", True)


@pytest.mark.parametrize("kind", [live.Count, live.Sum, live.Avg])
def test_declarations_are_frozen_and_themselves(kind: type[Aggregate]) -> None:
    counter = kind("score")

    with pytest.raises(dataclasses.FrozenInstanceError):
        counter.label = "other"  # type: ignore[misc]
    # Two of the same words in two classes are two counters.
    assert counter != kind("score")
    assert len({counter, kind("score")}) == 2
    assert isinstance(counter, Aggregate)


def test_every_kind_counts_what_it_says() -> None:
    assert not live.Count.needs_expression
    assert live.Sum.needs_expression
    assert live.Avg.needs_expression
    assert live.Sum(F("price") * F("quantity")).expression == F("price") * F("quantity")
