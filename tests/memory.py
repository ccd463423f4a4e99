"""What a process keeps in memory, as Linux says it."""

from __future__ import annotations

import os

import pytest

MEASURED = pytest.mark.skipif(
    not os.path.exists("/proc/self/statm"), reason="memory is read from /proc, as Linux has it"
)


def resident(pid: int) -> float:
    """Megabytes."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def slope(samples: list[tuple[float, float]]) -> float:
    """Of the straight line through them."""
    places, sizes = zip(*samples, strict=True)
    place_mean, size_mean = sum(places) / len(places), sum(sizes) / len(sizes)
    above = sum((p - place_mean) * (s - size_mean) for p, s in samples)
    return float(above / sum((p - place_mean) ** 2 for p in places))
