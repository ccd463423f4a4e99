"""Histograms: how many numbers of about which size, so that most of them can be told apart later.

A *bin* holds what differs by a tenth at the most, so a number that is read from it is at most
a twentieth off. Bins are numbered in the order of their numbers: 0 is zero, those below are of
numbers below zero. There are no more than some 1,200, however many numbers there are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

__all__ = ["BINS", "ERROR", "counted", "quantile"]

ERROR = 0.05
"""By how much of itself a number that is read may be off."""

# What is nearer to zero is zero; what is larger is in the last bin.
LEAST, MOST = 1e-9, 1e18

RATIO = (1 + ERROR) / (1 - ERROR)
BASE = math.floor(math.log(LEAST, RATIO))
BINS = math.ceil(math.log(MOST, RATIO)) - BASE
"""How many bins there are above zero."""


def counted(numbers: Iterable[float]) -> Counter[int]:
    """How many of these numbers are in each bin."""
    return Counter(map(_bin, numbers))


def quantile(bins: Mapping[int, int], part: float) -> float:
    """The number that this part of all (0.95: 95 of 100) are not above; of the numbers that were
    counted, not one between two of them. There must be some."""
    rank = max(1, math.ceil(part * sum(bins.values())))
    for number in sorted(bins):
        rank -= bins[number]
        if rank <= 0:
            return _middle(number)
    raise ValueError("There is nothing in these bins.")


def _bin(number: float) -> int:
    size = abs(number)
    if size < LEAST:
        return 0
    place = math.ceil(math.log(size, RATIO)) - BASE
    return int(math.copysign(min(max(place, 1), BINS), number))


def _middle(number: int) -> float:
    if number == 0:
        return 0.0
    upper: float = RATIO ** (abs(number) + BASE)
    return math.copysign(upper * 2 / (RATIO + 1), number)
