"""Limits: what one client may ask of a process. Arithmetic only; time is an argument."""

from __future__ import annotations

import ipaddress
from collections import Counter

__all__ = ["Bucket", "Crowd", "is_public", "reached"]

BURST = 5
"""Seconds whose worth may come at once: a page that opens asks for all of its topics."""


class Bucket:
    """A token bucket: so many a second, and a burst of some seconds' worth. ``None`` is without
    bound."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._left = 0.0 if rate is None else BURST * rate
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Whether there is one more."""
        if self._rate is None:
            return True
        if self._at is not None:
            self._left = min(BURST * self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Crowd:
    """How many of each there are."""

    def __init__(self) -> None:
        self._numbers: Counter[str] = Counter()

    def __getitem__(self, one: str) -> int:
        return self._numbers[one]

    def add(self, one: str) -> None:
        self._numbers[one] += 1

    def remove(self, one: str) -> None:
        self._numbers[one] -= 1
        if self._numbers[one] <= 0:
            del self._numbers[one]


def reached(number: int, most: int | None) -> bool:
    """Whether there may be no more of something; ``None`` is without bound."""
    return most is not None and number >= most


def is_public(address: str) -> bool:
    """Whether it is an address of the Internet, and so of one client (or of those behind one
    router). Any other is most likely that of the proxy in front."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
