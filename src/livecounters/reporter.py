"""The reporter: hands in what this process has counted, so that all processes are seen together.

A process reports once a minute, at most, and only while it has something to do anyway. A report
is one short transaction: what was counted since the last one is added to the samples of the minute
that has ended. So the total of a minute is that of all processes, whoever asks, also after they
have ended. A process that has nothing to say writes nothing.
"""

from __future__ import annotations

import logging
import threading

from livecounters import samples
from livecounters.telemetry import COUNTED, Kind, Tally, tally
from livecounters.windows import MINUTE

__all__ = ["PREFIX", "Reporter", "reporter"]

logger = logging.getLogger("livecounters")

PREFIX = "livecounters:"
"""How the samples are called; no declaration can be called so."""


class Reporter:
    """Of one process. ``now`` is in seconds since 1970."""

    def __init__(self, counted: Tally = tally) -> None:
        self._tally = counted
        self._lock = threading.Lock()
        self._minute: int | None = None
        self._told = dict.fromkeys(COUNTED, 0.0)
        self._failing = False

    def visit(self, now: float) -> None:
        """Report if a minute has ended since the last time. Raises nothing."""
        minute = int(now // MINUTE)
        with self._lock:
            before, self._minute = self._minute, minute
            if before is None or before == minute:
                return
            self._report((minute - 1) * MINUTE, gauges=True)

    def flush(self, now: float) -> None:
        """Report at once: the process ends."""
        with self._lock:
            # What there is may be reported again within this minute, by another process.
            self._report(int(now // MINUTE) * MINUTE, gauges=False)

    def _report(self, minute: float, gauges: bool) -> None:
        values = self._tally.values()
        news = self._tally.take_peaks()
        for name, (kind, _) in COUNTED.items():
            if kind is Kind.COUNTER:
                news[name] = values[name] - self._told[name]
            elif gauges:
                news[name] = values[name]
        try:
            samples.report({PREFIX + name: value for name, value in news.items() if value}, minute)
        except Exception as error:
            # It is told with the next report.
            if not self._failing:
                logger.warning("livecounters: what was counted is not reported: %r", error)
            self._failing = True
        else:
            self._told, self._failing = values, False


reporter = Reporter()
"""Of this process."""
