"""The sampler: asks the sources of gauges in time, one process for all, and keeps what they say.

A source is the host's: it may be slow, hang or raise. So each is asked in a thread of its own,
and what it says is kept when the pump looks the next time.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from numbers import Real
from typing import Any

from livecounters import meters, samples
from livecounters.gauges import Gauge, Online
from livecounters.meters import Meter
from livecounters.registry import GaugeEntry, Registry, registry
from livecounters.worker import close_all
from livecounters.worth import Number

__all__ = ["Sampler"]

logger = logging.getLogger("livecounters")

Said = Mapping[GaugeEntry, float]


@dataclass(frozen=True)
class _Question:
    """Something to be asked every so many seconds."""

    name: str
    every: int
    ask: Callable[[], Said]


class Sampler:
    """Of one pump. Where no gauge is declared it does nothing at all."""

    def __init__(self, declared: Registry = registry) -> None:
        self._declared = declared
        self._turns: dict[str, int] = {}
        self._asking: dict[str, threading.Thread] = {}
        self._answers: deque[tuple[float, Said]] = deque()
        self._known: dict[str, tuple[float, Number]] = {}
        self._failures: set[tuple[str, type[BaseException]]] = set()

    def visit(self, moment: dt.datetime) -> set[str]:
        """Keep what has been said, ask what is due; the full names of gauges that say something
        else now."""
        if not len(self._declared.gauges):
            return set()
        now = moment.timestamp()
        changed = self._keep()
        changed |= self._fed(now)
        for question in self._questions(now):
            if self._due(question.name, question.every, now):
                self._begin(question, now)
        return changed | self._forgotten(now)

    def wait(self, seconds: float | None = None) -> None:
        """Until all that are being asked have answered."""
        for thread in list(self._asking.values()):
            thread.join(seconds)

    # Asking

    def _questions(self, now: float) -> Iterator[_Question]:
        rooms = {}
        for entry in self._declared.gauges:
            declared = entry.declared
            if isinstance(declared, Gauge) and not declared.fed:
                ask = partial(_ask, entry, declared.source)
                yield _Question(entry.full_name, declared.every, ask)
            elif isinstance(declared, Online) and entry.model is None:
                rooms[entry] = Meter(entry).room()
        if rooms:
            yield _Question("rooms", samples.EVERY, partial(_count, rooms, now))

    def _due(self, name: str, every: int, now: float) -> bool:
        """Whether its turn has come: by the clock, so that looks that are late do not add up."""
        turn = int(now // every)
        due = self._turns.get(name) != turn
        self._turns[name] = turn
        return due

    def _begin(self, question: _Question, now: float) -> None:
        thread = self._asking.get(question.name)
        if thread is not None and thread.is_alive():
            return
        # A daemon: a source may hang for ever.
        thread = self._asking[question.name] = threading.Thread(
            target=self._ask, args=(question, now), name="livecounters-gauge", daemon=True
        )
        thread.start()

    def _ask(self, question: _Question, now: float) -> None:
        try:
            self._answers.append((now, question.ask()))
        except Exception as error:
            self._say(question.name, error)
        finally:
            close_all()

    def _say(self, name: str, error: Exception) -> None:
        if (name, type(error)) not in self._failures:
            self._failures.add((name, type(error)))
            logger.error("livecounters: no sample of %s.", name, exc_info=error)

    # Keeping

    def _keep(self) -> set[str]:
        """Write what has been said, as of when it was asked."""
        changed = set()
        while self._answers:
            at, said = self._answers.popleft()
            for entry, value in said.items():
                try:
                    samples.record(entry.full_name, value, at)
                except Exception as error:
                    self._say(entry.full_name, error)
                    continue
                # Of a room everybody is told when it changes, and not once a minute.
                if isinstance(entry.declared, Gauge) and self._learn(entry.full_name, at, value):
                    changed.add(entry.full_name)
        return changed

    def _fed(self, now: float) -> set[str]:
        """Those that say something else by what was handed in."""
        due = [
            entry.full_name
            for entry in self._declared.gauges
            if isinstance(entry.declared, Gauge)
            and entry.declared.fed
            and self._due(entry.full_name, entry.declared.every, now)
        ]
        latest = samples.latest(due, now) if due else {}
        return {name for name, value in latest.items() if self._learn(name, now, value)}

    def _forgotten(self, now: float) -> set[str]:
        """Those that have said nothing for so long that it is not known any more."""
        return {
            entry.full_name
            for entry in self._declared.gauges
            if self._known.get(entry.full_name, (now, None))[0] < now - samples.age(entry)
            and self._learn(entry.full_name, now, None)
        }

    def _learn(self, name: str, at: float, value: Number) -> bool:
        """Whether that is another value than before."""
        _, before = self._known.get(name, (at, None))
        self._known[name] = at, value
        return value != before


def _ask(entry: GaugeEntry, source: Callable[[], Any]) -> Said:
    value = source()
    if value is None:
        return {}
    if not isinstance(value, (Real, Decimal)) or not math.isfinite(value):
        raise ValueError(f"{entry} says {value!r:.200}; give a finite number, or None.")
    return {entry: float(value)}


def _count(rooms: Mapping[GaugeEntry, str], now: float) -> Said:
    counts = meters.counts(rooms.values(), now)
    return {entry: float(counts[room].online) for entry, room in rooms.items() if room in counts}
