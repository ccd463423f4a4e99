"""Jobs that run beside a test, in threads with connections of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connections

__all__ = ["Beside"]


class Beside(threading.Thread):
    """A job done over and over in a thread with a connection of its own, until stopped."""

    def __init__(self, job: Callable[[], None]) -> None:
        super().__init__()
        self.job = job
        self.stopped = threading.Event()
        self.error: BaseException | None = None
        self.longest = 0.0
        self.times = 0

    def run(self) -> None:
        try:
            while not self.stopped.is_set():
                start = time.monotonic()
                self.job()
                self.longest = max(self.longest, time.monotonic() - start)
                self.times += 1
                # Room for the others: they share one processor, and on SQLite one lock.
                self.stopped.wait(0.01)
        except BaseException as error:
            self.error = error
        finally:
            connections.close_all()

    def __enter__(self) -> Beside:
        self.start()
        return self

    def __exit__(self, *args: Any) -> None:
        self.stopped.set()
        self.join()
        if self.error is not None:
            raise self.error
