"""Response times: how long requests take, for ``live.Gauge(sources.response_time)``.

A request only puts a number into a list. A thread of its own, which there is only while there is
something to write, writes the list at most every ten seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from livecounters import samples
from livecounters.gauges import Gauge
from livecounters.registry import registry
from livecounters.sources import response_time
from livecounters.windows import MINUTE
from livecounters.worker import close_all

__all__ = ["ResponseTimeMiddleware", "Timings", "timings"]

logger = logging.getLogger("livecounters")

EVERY = 10.0
"""Seconds between two writes of a process."""
A_SECOND = 100
"""Requests of a second that are taken in; those after them are not."""

# More do not wait to be written, where threads do not run or the database does not answer.
MOST = 2_000


class Timings:
    """The response times of one process that are not written yet."""

    def __init__(self, every: float = EVERY) -> None:
        self._every = every
        self._lock = threading.Lock()
        self._second, self._taken, self._waiting = 0, 0, 0
        self._kept: dict[int, list[float]] = defaultdict(list)
        self._thread: threading.Thread | None = None
        self._said: set[type[Exception]] = set()

    def add(self, milliseconds: float, now: float) -> None:
        """Take in a response time, unless this second has had enough. Raises nothing."""
        second = int(now)
        with self._lock:
            if second != self._second:
                self._second, self._taken = second, 0
            if self._taken >= A_SECOND or self._waiting >= MOST:
                return
            self._taken += 1
            self._waiting += 1
            self._kept[second // MINUTE].append(milliseconds)
            # One that was begun before this process was forked is not alive.
            if self._thread is None or not self._thread.is_alive():
                self._begin()

    def flush(self) -> None:
        """Write what is there; what cannot be written is lost."""
        with self._lock:
            kept, self._kept, self._waiting = self._kept, defaultdict(list), 0
        for gauge in _gauges():
            for minute, values in kept.items():
                samples.record_many(gauge, values, minute * MINUTE)

    def wait(self, seconds: float) -> None:
        """Until what is there is written."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _begin(self) -> None:
        # A daemon: a process that ends does not wait to write.
        thread = threading.Thread(target=self._write, name="livecounters-timings", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            # None can be had, now or because the process ends.
            self._say(error)
        else:
            self._thread = thread

    def _write(self) -> None:
        """Write now and then, until there is nothing to write."""
        while True:
            time.sleep(self._every)
            try:
                self.flush()
            except Exception as error:
                self._say(error)
            finally:
                close_all()
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return

    def _say(self, error: Exception) -> None:
        if type(error) not in self._said:
            self._said.add(type(error))
            logger.warning("livecounters: response times are not written: %r", error)


def _gauges() -> list[str]:
    """The gauges that want response times."""
    return [
        gauge.full_name
        for gauge in registry.gauges
        if isinstance(gauge.declared, Gauge) and gauge.declared.source is response_time
    ]


timings = Timings()


class ResponseTimeMiddleware:
    """Measures from here inwards, so it belongs first. Where no gauge wants response times it
    steps aside when the server starts."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        if not _gauges():
            raise MiddlewareNotUsed
        self._get_response = get_response
        self._async = iscoroutinefunction(get_response)
        if self._async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self._async:
            return self._acall(request)
        start = time.perf_counter()
        response = self._get_response(request)
        timings.add((time.perf_counter() - start) * 1000, time.time())
        return response

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        start = time.perf_counter()
        response: HttpResponseBase = await self._get_response(request)
        timings.add((time.perf_counter() - start) * 1000, time.time())
        return response
