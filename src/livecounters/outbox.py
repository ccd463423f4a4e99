"""The frames on their way to one client."""

from __future__ import annotations

import asyncio
import types
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Hashable
from contextlib import suppress
from typing import Any

from livecounters.frames import Close
from livecounters.telemetry import tally

__all__ = ["MAX_PENDING", "Outbox"]

Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_PENDING = 256
"""Frames that may wait for a client that does not read; then it is closed as too slow."""


class Outbox:
    """In order, bounded, and never in the hub's way. Of numbers that wait, only the newest are
    sent: a client that is slow gets what is true now, not what was."""

    def __init__(self, send: Send, language: str) -> None:
        self.language = language
        self.heard = 0.0
        """When the client was heard last, by the loop's clock."""
        self.answers = False
        """Whether it answers the server's beats, so that silence means something."""
        self._send = send
        self._frames: deque[list[dict[str, Any] | None]] = deque()
        self._newest: dict[Hashable, list[dict[str, Any] | None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def write(self, text: str, replaces: Hashable = None) -> None:
        """Send a frame; one that cannot be sent any more is dropped. A frame that waits and was
        written with the same ``replaces`` is not sent any more.

        Called in a task. While the client reads, the frame is handed over before this returns: a
        task for each frame and socket would cost as much as the writing itself.
        """
        message = {"type": "websocket.send", "text": text}
        if self._task is not None:
            self._queue(message, replaces)
        elif not self._closed:
            self._hand_over(message)

    def close(self, code: Close) -> None:
        if not self._closed:
            self._closed = True
            self._frames.append([{"type": "websocket.close", "code": int(code)}])
            if self._task is None:
                self._task = asyncio.create_task(self._drain())

    def abandon(self) -> None:
        """The client is gone: drop what was meant for it."""
        self._closed = True
        self._frames.clear()
        self._newest.clear()
        if self._task is not None:
            self._task.cancel()

    def _hand_over(self, message: dict[str, Any]) -> None:
        """Send as far as that goes without waiting; a task waits for the rest."""
        try:
            step = self._send(message).__await__()
            waits = next(step)
        except StopIteration:
            return
        except Exception:
            self._lose()
        else:
            self._task = asyncio.create_task(self._drain(_rest(step, waits)))

    def _queue(self, message: dict[str, Any], replaces: Hashable) -> None:
        if self._closed:
            return
        entry: list[dict[str, Any] | None] = [message]
        if replaces is not None:
            older = self._newest.get(replaces)
            if older is not None:
                older[0] = None
            self._newest[replaces] = entry
        self._frames.append(entry)
        if len(self._frames) > MAX_PENDING:
            self._frames = deque(entry for entry in self._frames if entry[0] is not None)
        if len(self._frames) > MAX_PENDING:
            tally.add("frames_dropped", len(self._frames))
            tally.add("slow_closes")
            self._frames.clear()
            self.close(Close.SLOW)

    async def _drain(self, begun: Awaitable[None] | None = None) -> None:
        try:
            if begun is not None:
                await begun
            while self._frames:
                message = self._frames.popleft()[0]
                if message is not None:
                    await self._send(message)
        except Exception:
            self._lose()
        finally:
            self._newest.clear()
            self._task = None

    def _lose(self) -> None:
        # Servers say in different ways that the client is gone; its receive() will tell.
        self._closed = True
        if self._frames:
            tally.add("frames_dropped", len(self._frames))
        self._frames.clear()


@types.coroutine
def _rest(step: Generator[Any, None, None], waits: Any) -> Generator[Any, None, None]:
    """What is left of something awaited whose first step was made, and waits."""
    try:
        yield waits
    except BaseException as error:
        with suppress(StopIteration):
            yield from _rest(step, step.throw(error))
    else:
        yield from step
