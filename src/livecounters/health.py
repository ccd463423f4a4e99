"""Health: whether pages are told of what happens. What a load balancer asks, again and again."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from dataclasses import dataclass

from livecounters import capture, feed, leases
from livecounters.conf import options
from livecounters.measures import counted_databases

__all__ = ["FRESH", "Health", "health", "recent_health"]

logger = logging.getLogger("livecounters")

FRESH = dt.timedelta(seconds=1)
"""For how long an answer is given again."""


@dataclass(frozen=True)
class Health:
    """``database``: it answers, and our tables are there. ``triggers``: none is missing. ``pump``:
    one is at work, or was a moment ago, and comes to an end with what it does. ``None`` is not
    known, or not asked for."""

    database: bool
    triggers: bool | None = None
    pump: bool | None = None

    @property
    def ok(self) -> bool:
        return self.database and self.triggers is not False and self.pump is not False

    def as_json(self) -> dict[str, bool | None]:
        return {
            "ok": self.ok,
            "database": self.database,
            "triggers": self.triggers,
            "pump": self.pump,
        }


def health(now: dt.datetime) -> Health:
    """Look. Raises nothing: a database that cannot be asked is the answer."""
    try:
        return Health(True, _triggers(), _pump(now))
    except Exception as error:
        # Whatever a driver raises when its server is gone.
        logger.debug("livecounters: health cannot be asked: %r", error)
        return Health(False)


def _triggers() -> bool:
    return all(
        state.state != "missing" for using in counted_databases() for state in capture.states(using)
    )


def _pump(now: dt.datetime) -> bool | None:
    patience, using = options().PUMP_PATIENCE, feed.database()
    if patience is None:
        return None
    idle = leases.idle(leases.PUMP, now, using)
    failing = leases.held(leases.FAILING, now, using)
    return idle is not None and idle <= patience and not failing


class _Recent:
    """The last answer of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.at: dt.datetime | None = None
        self.found = Health(False)


_recent = _Recent()


def recent_health(now: dt.datetime) -> Health:
    """How it was a second ago at most: however many ask, one looks."""
    with _recent.lock:
        if _recent.at is None or not dt.timedelta(0) <= now - _recent.at < FRESH:
            _recent.found, _recent.at = health(now), now
        return _recent.found
