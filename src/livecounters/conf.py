"""The settings: one dict ``LIVECOUNTERS``, read here and nowhere else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.utils import timezone
from django.utils.module_loading import import_string

__all__ = [
    "EMBEDS",
    "LIMITS",
    "PRESENCE",
    "RETENTION",
    "Options",
    "imported",
    "options",
    "site_zone",
]

RETENTION: Mapping[str, int] = {"minutes": 2, "quarter_hours": 60, "events": 90, "samples": 30}
"""For how many days is kept what is not kept for good."""

PRESENCE: Mapping[str, Any] = {
    "BACKEND": "livecounters.presence.database.DatabasePresence",
    "TTL": 15,
    "URL": None,
    "PREFIX": "livecounters",
    "ROTATE": False,
    "SIGHTINGS": False,
}
"""How presence is kept; see :attr:`Options.PRESENCE`."""

LIMITS: Mapping[str, int | None] = {
    "sockets_per_address": 500,
    "sockets_per_user": 50,
    "topics": 1000,
    "frames_per_second": 20,
}
"""What one client may ask of one process; None is without bound."""

EMBEDS: Mapping[str, Any] = {"COUNTERS": (), "ORIGINS": (), "MAX_AGE": 60}
"""What other sites may show; see :attr:`Options.EMBEDS`."""


@dataclass(frozen=True)
class Options:
    """Every key of ``LIVECOUNTERS`` with its default."""

    ACTOR_NAME: str = "builtins.str"
    """Dotted path of a function: user -> the name shown in the feed."""
    MAY_BE_SEEN: str | None = None
    """Dotted path of a function: user -> whether the feed may name the person."""
    USER_TIMEZONE: str | None = None
    """Dotted path of a function: user -> tzinfo."""
    WEEK_START: int = 0
    """The first day of the week, 0 is Monday."""
    EMBEDDED_PUMP: bool = True
    """The ASGI process folds and announces; False where ``livecounters run`` does."""
    INSTALL_ON_MIGRATE: bool = True
    """Triggers are installed after ``migrate``; False: by ``livecounters sync``."""
    FRAMES_PER_SECOND: float = 4
    """At most so many value frames a second and topic; the last value is always sent."""
    ALLOWED_ORIGINS: list[str] | None = None
    """Origins that may open a socket; None: the host's own."""
    METRICS: bool | str = False
    """``live/metrics/`` answers staff; a text is a token that programs give instead."""
    PUMP_PATIENCE: int | None = 30
    """Seconds without a pump from which on ``live/health/`` is red; None: it does not ask."""
    SITE_URL: str | None = None
    """The site's address, such as ``https://example.com``, for links in letters."""
    SOCKET_URL: str | None = "/ws/live/"
    """Path of the socket as the browser sees it; None: pages poll."""
    PRESENCE: Mapping[str, Any] = field(default_factory=dict)
    """``BACKEND``: the store. ``TTL``: seconds after which a lost process or client is not
    counted any more. ``URL``, ``PREFIX``: of Redis. ``ROTATE``: guests are new each day.
    ``SIGHTINGS``: the middleware sees page views, too, for hosts without sockets."""
    EMBEDS: Mapping[str, Any] = field(default_factory=dict)
    """``COUNTERS``: names of public counters for other sites, none by default. ``ORIGINS``: the
    sites whose pages may read and frame them. ``MAX_AGE``: seconds that an answer is kept."""
    LIMITS: Mapping[str, int | None] = field(default_factory=dict)
    """``sockets_per_address`` (default 500; of addresses of the Internet), ``sockets_per_user``
    (50), ``topics`` of a socket (1000), ``frames_per_second`` from a socket (20)."""
    RETENTION: Mapping[str, Any] = field(default_factory=dict)
    """Days: ``minutes`` (default 2), ``quarter_hours`` (60), ``events`` (90), ``samples`` of
    gauges (30); None is for good."""

    @property
    def minutes(self) -> int | None:
        """For how many days minutes are kept."""
        return self._days("minutes")

    @property
    def quarter_hours(self) -> int | None:
        """For how many days quarter hours are kept; those of people are kept for good."""
        return self._days("quarter_hours")

    @property
    def events(self) -> int | None:
        """For how many days events are kept."""
        return self._days("events")

    @property
    def samples(self) -> int | None:
        """For how many days the samples of gauges are kept."""
        return self._days("samples")

    def _days(self, what: str) -> int | None:
        days: int | None = self.RETENTION.get(what, RETENTION[what])
        return days

    @property
    def actor_name(self) -> Callable[[Any], str]:
        return imported(self.ACTOR_NAME)

    def with_names(self, users: Any) -> Any:
        """A queryset of users with what ``ACTOR_NAME`` looks at: its attribute
        ``select_related``."""
        beside = getattr(self.actor_name, "select_related", ())
        return users.select_related(*beside) if beside else users

    def presence(self, key: str) -> Any:
        """One of the keys of ``PRESENCE``."""
        return self.PRESENCE.get(key, PRESENCE[key])

    def embeds(self, key: str) -> Any:
        """One of the keys of ``EMBEDS``."""
        return self.EMBEDS.get(key, EMBEDS[key])

    def limit(self, key: str) -> int | None:
        """One of the keys of ``LIMITS``."""
        return self.LIMITS.get(key, LIMITS[key])

    def may_be_seen(self, user: Any) -> bool:
        return True if self.MAY_BE_SEEN is None else bool(imported(self.MAY_BE_SEEN)(user))


KEYS = tuple(option.name for option in fields(Options))


@cache
def imported(path: str) -> Callable[[Any], Any]:
    """The function at a dotted path."""
    found: Callable[[Any], Any] = import_string(path)
    return found


@cache
def options() -> Options:
    """The site's options; what is wrong with them is left to the system checks."""
    given = getattr(settings, "LIVECOUNTERS", None)
    if not isinstance(given, dict):
        return Options()
    return Options(**{key: value for key, value in given.items() if key in KEYS})


def site_zone() -> dt.tzinfo:
    """The zone of the site's calendar days: ``TIME_ZONE``."""
    return timezone.get_default_timezone()


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "LIVECOUNTERS":
        options.cache_clear()
        imported.cache_clear()


setting_changed.connect(_forget, dispatch_uid="livecounters.conf")
