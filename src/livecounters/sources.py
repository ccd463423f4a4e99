"""Sources that are ready made, for ``live.Gauge(sources.uptime)``."""

from __future__ import annotations

import time

from django.db import connection

from livecounters.gauges import Fed

__all__ = ["database_round_trip", "response_time", "uptime"]

# This module is imported with the declarations, when the process begins to serve.
_STARTED = time.monotonic()


def uptime() -> int:
    """Seconds since this process of the server started; of several, the one with the pump."""
    return int(time.monotonic() - _STARTED)


def database_round_trip() -> float:
    """Milliseconds that the default database takes to answer a question about nothing."""
    connection.ensure_connection()
    with connection.cursor() as cursor:
        start = time.perf_counter()
        cursor.execute("SELECT 1")
        cursor.fetchone()
        return (time.perf_counter() - start) * 1000


class ResponseTime(Fed):
    """Milliseconds from a request to its response, of requests that ``ResponseTimeMiddleware``
    has picked."""


response_time = ResponseTime()
