"""Many people in a presence store: what it costs to keep and to count them."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import django

django.setup()

from livecounters.gauges import SITE  # noqa: E402 - apps must be ready
from livecounters.presence import Changes, Kind, Who, store  # noqa: E402
from livecounters.presence.base import Came  # noqa: E402

TIMES = 15
LEASE = 600.0


def timed(job: Callable[[], object], times: int = TIMES) -> float:
    """Milliseconds, the median."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        job()
        found.append(time.perf_counter() - began)
    return statistics.median(found) * 1000


def main(number: int) -> None:
    """Half of them guests, half people, at four processes."""
    there, now = store(), time.time()
    everybody = [
        Came(SITE, Who(Kind.PERSON if n % 2 else Kind.GUEST, str(n)), now) for n in range(number)
    ]
    arriving = timed(
        lambda: [
            there.beat(f"p{n}", Changes(everybody[n::4], (), {SITE: number // 4}, True), now, LEASE)
            for n in range(4)
        ],
        1,
    )
    fresh = iter(range(10**9))

    def change() -> None:
        n = next(fresh)
        few = [Came(SITE, Who(Kind.PERSON, f"new {n} {m}"), now) for m in range(10)]
        there.beat("p0", Changes(few, (), {SITE: number // 4 + n}), now, LEASE)

    assert there.counts([SITE], now)[SITE].online == number
    print(
        json.dumps(
            {
                "all arrive, ms": arriving,
                "heartbeat, ms": timed(lambda: there.beat("p0", Changes(), now, LEASE)),
                "ten more, ms": timed(change),
                "count, ms": timed(lambda: there.counts([SITE], now)),
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
