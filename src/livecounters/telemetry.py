"""Telemetry: what a process counts about its own work, in memory.

``of_process()`` is for whoever asks each process, such as OpenTelemetry; what all processes have
counted together is in ``vitals``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["COUNTED", "Kind", "Metric", "Tally", "exposition", "of_process", "tally"]


class Kind(StrEnum):
    """A counter only grows while its process lives; a gauge is what is there now."""

    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True)
class Metric:
    """One number for a monitoring system. ``name`` begins with ``livecounters_`` and ends with its
    unit, as Prometheus wants it."""

    name: str
    kind: Kind
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """The name with the labels behind it: ``livecounters_leases{kind="pump"}``."""
        labels = ",".join(f'{key}="{_quoted(text)}"' for key, text in self.labels.items())
        return f"{self.name}{{{labels}}}" if labels else self.name


COUNTED: Mapping[str, tuple[Kind, str]] = {
    "sockets": (Kind.GAUGE, "Open sockets."),
    "frames": (Kind.COUNTER, "Frames written to sockets by the hub."),
    "frames_dropped": (Kind.COUNTER, "Frames that were not sent, to clients that were closed."),
    "slow_closes": (Kind.COUNTER, "Sockets closed because the client did not read."),
    "fanout_seconds": (Kind.COUNTER, "Seconds spent on handing frames to sockets."),
    "announcements_sent": (Kind.COUNTER, "Announcements given to the channel layer."),
    "announcements_heard": (Kind.COUNTER, "Announcements that came from it."),
    "looks": (Kind.COUNTER, "Looks of the pump that were finished."),
    "corrected": (Kind.COUNTER, "Wrong buckets that were repaired."),
}
"""What a process counts: its kind, and what it is."""

LAG = "lag_seconds"
LAG_HELP = "How long the oldest change may have waited to be told."


class Tally:
    """The numbers of one process; may be used by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values = dict.fromkeys(COUNTED, 0.0)
        self._peaks: dict[str, float] = {}

    def add(self, name: str, amount: float = 1.0) -> None:
        """Count something of ``COUNTED``."""
        with self._lock:
            self._values[name] += amount

    def peak(self, name: str, value: float) -> None:
        """Remember the highest value until somebody takes it."""
        with self._lock:
            self._peaks[name] = max(value, self._peaks.get(name, 0.0))

    def values(self) -> dict[str, float]:
        """What was counted since the process began."""
        with self._lock:
            return dict(self._values)

    def take_peaks(self) -> dict[str, float]:
        """The highest values since they were taken last."""
        with self._lock:
            peaks, self._peaks = self._peaks, {}
            return peaks


tally = Tally()
"""Of this process."""


def of_process() -> list[Metric]:
    """What this process has counted since it began, and how many sockets it has."""
    values = tally.values()
    return [
        Metric(
            f"livecounters_{name}{'_total' if kind is Kind.COUNTER else ''}",
            kind,
            text,
            values[name],
        )
        for name, (kind, text) in COUNTED.items()
    ]


def exposition(metrics: Iterable[Metric]) -> str:
    """Metrics in the text format of Prometheus, version 0.0.4."""
    lines: list[str] = []
    named: str | None = None
    for metric in metrics:
        if metric.name != named:
            named = metric.name
            said = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
            lines += [f"# HELP {metric.name} {said}", f"# TYPE {metric.name} {metric.kind}"]
        lines.append(f"{metric.full_name} {metric.value!r}")
    return "".join(f"{line}\n" for line in lines)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
