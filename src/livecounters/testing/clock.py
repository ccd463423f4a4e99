"""Another day for the site."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from livecounters.conf import options
from livecounters.readers import aware

__all__ = ["freeze"]


@contextmanager
def freeze(moment: dt.datetime) -> Iterator[None]:
    """Make it another time for the site, in a ``with`` block or as a decorator.

    Sets ``django.utils.timezone.now()``, which counters, pages, feeds and the API ask, for all
    threads. It does not set the database's clock, nor ``default=timezone.now`` of your models,
    which holds on to the function: give your rows their times, or travel by ``time-machine``.
    """
    if timezone.is_naive(moment) and settings.USE_TZ:
        raise ValueError(f"freeze({moment!r}) has no time zone; give an aware datetime.")
    age = dt.datetime.now(dt.UTC) - aware(moment)
    if timezone.is_aware(moment) and not settings.USE_TZ:
        moment = timezone.make_naive(moment)

    def now() -> dt.datetime:
        return moment

    with ExitStack() as frozen:
        frozen.enter_context(mock.patch.object(timezone, "now", now))
        minutes = options().minutes
        if minutes is not None and age > dt.timedelta(days=minutes):
            frozen.enter_context(_without_minutes())
        yield


def _without_minutes() -> override_settings:
    # Triggers keep the minutes of rows that are new by the database's clock, which is not frozen.
    given = getattr(settings, "LIVECOUNTERS", {})
    retention = {**given.get("RETENTION", {}), "minutes": 0}
    return override_settings(LIVECOUNTERS={**given, "RETENTION": retention})
