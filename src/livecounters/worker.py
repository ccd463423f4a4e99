"""Database work in a thread of our own, on connections that it keeps.

Django's own rule is made for requests: a connection is closed after each, unless the host says
otherwise. What we ask ten times a second costs less than a connection does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from django.db import DatabaseError, connections

__all__ = ["close_all", "work"]

UNUSED = 60.0
"""Seconds after which a connection is not trusted any more: servers and proxies close those that
nobody uses."""

T = TypeVar("T")

_used = threading.local()


def work(job: Callable[[], T]) -> T:
    """Run it, and give the connections back if it fails. Where it failed because the database
    has closed a connection that was kept, it is run once more on a new one."""
    now = time.monotonic()
    kept = [one for one in connections.all(initialized_only=True) if one.connection is not None]
    if any(one.errors_occurred for one in kept) or now > getattr(_used, "at", now) + UNUSED:
        close_all()
        kept = []
    _used.at = now
    try:
        return job()
    except Exception:
        lost = [one for one in kept if not _usable(one)]
        close_all()
        if not lost:
            raise
    try:
        return job()
    except Exception:
        close_all()
        raise


def close_all() -> None:
    """Give all connections of this thread back; one that cannot even be closed is none any more."""
    for one in connections.all(initialized_only=True):
        with suppress(DatabaseError):
            one.close()


def _usable(connection: Any) -> bool:
    return connection.connection is None or connection.is_usable()
