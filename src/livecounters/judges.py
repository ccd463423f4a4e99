"""The judge: awards people what they have reached, beside the pump, whose looks must not wait.

It is told whose numbers have changed and judges one person after the other in a thread of its own.
What a pump that was killed has left is found again by the next: everybody who has done something
lately is judged once when it begins. To be judged twice harms nobody.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Iterable, Mapping

from django.utils import timezone

from livecounters.awards import judge
from livecounters.measures import Measure, measure_of
from livecounters.models import Bucket
from livecounters.people import users
from livecounters.registry import registry
from livecounters.rules import judged_counters, personal_counters
from livecounters.summonses import summoned
from livecounters.windows import DAY, Grain
from livecounters.worker import close_all

__all__ = ["LATELY", "PROGRESS", "Judge", "lately"]

logger = logging.getLogger("livecounters")

PROGRESS = "progress"
"""What is announced of people who were judged."""

LATELY = 2 * DAY
"""Seconds within which who has done something is judged anew when a pump begins."""
MOST = 10_000
"""People who are judged anew then, at the most."""


class Judge:
    """Of one pump. Where no counter has rules it does nothing at all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, None] = {}
        self._judged: set[str] = set()
        self._thread: threading.Thread | None = None
        self.leaving = threading.Event()

    def begin(self, now: dt.datetime) -> None:
        """Find whom an earlier pump may have left."""
        if _ruled():
            self._add(lately(now))

    def hear(self, changed: Mapping[str, Iterable[str]]) -> None:
        """Numbers have changed: measure -> scopes."""
        keys = _ruled() & changed.keys()
        self._add(person for key in keys for person in changed[key])

    def answer(self) -> None:
        """Somebody is summoned."""
        self._add(summoned())

    def judged(self) -> set[str]:
        """Who was judged since the last time this was asked: their progress is to be shown anew."""
        with self._lock:
            found, self._judged = self._judged, set()
        return found

    def wait(self, seconds: float | None = None) -> None:
        """Until everybody is judged."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _add(self, people: Iterable[str]) -> None:
        with self._lock:
            self._waiting.update(dict.fromkeys(people))
            idle = self._thread is None or not self._thread.is_alive()
            if not self._waiting or not idle:
                return
            # A daemon: whatever it is at may be killed at any point.
            self._thread = threading.Thread(
                target=self._work, name="livecounters-judge", daemon=True
            )
            self._thread.start()

    def _next(self) -> str | None:
        with self._lock:
            if not self._waiting or self.leaving.is_set():
                # Whoever adds somebody from here on starts another thread.
                self._thread = None
                return None
            person = next(iter(self._waiting))
            del self._waiting[person]
            return person

    def _work(self) -> None:
        try:
            while (person := self._next()) is not None:
                try:
                    _judge(person)
                except Exception:
                    logger.exception("livecounters: a person could not be judged.")
                    close_all()
                with self._lock:
                    self._judged.add(person)
        finally:
            close_all()


def _judge(person: str) -> None:
    for user in users([person]):
        judge(user, timezone.now())


def lately(now: dt.datetime) -> list[str]:
    """The people who have done something lately by which they can reach something."""
    people: dict[str, None] = {}
    for measure in _measures().values():
        recent = Bucket._base_manager.using(measure.using).filter(
            measure=measure.key, grain=Grain.QUARTER, start__gte=int(now.timestamp()) - LATELY
        )
        scopes = recent.order_by("scope").values_list("scope", flat=True).distinct()
        people.update(dict.fromkeys(scopes[: MOST - len(people)]))
    return list(people)


def _ruled() -> set[str]:
    return set(_measures())


def _measures() -> dict[str, Measure]:
    """The measures by which people are judged."""
    entries = personal_counters() if len(registry.badges) else judged_counters()
    found = (measure_of(entry) for entry in entries)
    return {measure.key: measure for measure in found}
