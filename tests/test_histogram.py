"""Histograms: what is read from one is nearly what was put in."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecounters.histogram import BINS, ERROR, counted, quantile

SIZES = st.floats(1e-9, 1e18)
NUMBERS = st.lists(SIZES | SIZES.map(lambda size: -size) | st.just(0.0), min_size=1)
PARTS = st.sampled_from([0.0, 0.25, 0.5, 0.95, 0.99, 1.0])


def exact(numbers: list[float], part: float) -> float:
    return sorted(numbers)[max(1, math.ceil(part * len(numbers))) - 1]


@given(NUMBERS, PARTS)
def test_a_number_is_right_within_five_percent(numbers: list[float], part: float) -> None:
    found = quantile(counted(numbers), part)

    assert found == pytest.approx(exact(numbers, part), rel=ERROR * 1.0001, abs=0)


@given(NUMBERS, NUMBERS)
def test_histograms_add_up(some: list[float], others: list[float]) -> None:
    assert counted(some) + counted(others) == counted(some + others)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=200))
def test_there_are_not_many_bins(numbers: list[float]) -> None:
    assert all(-BINS <= number <= BINS for number in counted(numbers))
    assert BINS < 650


def test_what_cannot_be_told_apart() -> None:
    assert quantile(counted([1e-12]), 0.5) == 0
    assert counted([1e30]) == counted([1e18]) == {BINS: 1}


def test_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing in these bins"):
        quantile({}, 0.95)
