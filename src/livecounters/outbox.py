"""The frames on their way to one client."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from livecounters.frames import Close

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
        written with the same ``replaces`` is not sent any more."""
        if replaces is not None and self._newest:
            older = self._newest.get(replaces)
            if older is not None:
                older[0] = None
        entry = self._put({"type": "websocket.send", "text": text})
        if entry is None:
            return
        if replaces is not None:
            self._newest[replaces] = entry
        if len(self._frames) > MAX_PENDING:
            self._frames = deque(entry for entry in self._frames if entry[0] is not None)
        if len(self._frames) > MAX_PENDING:
            self._frames.clear()
            self.close(Close.SLOW)

    def close(self, code: Close) -> None:
        self._put({"type": "websocket.close", "code": int(code)})
        self._closed = True

    def _put(self, message: dict[str, Any]) -> list[dict[str, Any] | None] | None:
        if self._closed:
            return None
        entry: list[dict[str, Any] | None] = [message]
        self._frames.append(entry)
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return entry

    async def _drain(self) -> None:
        try:
            while self._frames:
                message = self._frames.popleft()[0]
                if message is not None:
                    await self._send(message)
        except Exception:
            # Servers say in different ways that the client is gone; its receive() will tell.
            self._closed = True
            self._frames.clear()
        finally:
            self._newest.clear()
            self._task = None

    def abandon(self) -> None:
        """The client is gone: drop what was meant for it."""
        self._closed = True
        self._frames.clear()
        self._newest.clear()
        if self._task is not None:
            self._task.cancel()
