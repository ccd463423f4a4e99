"""The frames on their way to one client."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from livecounters.frames import Close

__all__ = ["MAX_PENDING", "Outbox"]

Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_PENDING = 256
"""Frames that may wait for a client that does not read; then it is closed as too slow."""


class Outbox:
    """In order, bounded, and never in the hub's way."""

    def __init__(self, send: Send, language: str) -> None:
        self.language = language
        self._send = send
        self._frames: deque[dict[str, Any]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def write(self, text: str) -> None:
        """Send a frame; one that cannot be sent any more is dropped."""
        self._put({"type": "websocket.send", "text": text})
        if len(self._frames) > MAX_PENDING:
            self._frames.clear()
            self.close(Close.SLOW)

    def close(self, code: Close) -> None:
        self._put({"type": "websocket.close", "code": int(code)})
        self._closed = True

    def _put(self, message: dict[str, Any]) -> None:
        if self._closed:
            return
        self._frames.append(message)
        if self._task is None:
            self._task = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._frames:
                await self._send(self._frames.popleft())
        except Exception:
            # Servers say in different ways that the client is gone; its receive() will tell.
            self._closed = True
            self._frames.clear()
        finally:
            self._task = None

    def abandon(self) -> None:
        """The client is gone: drop what was meant for it."""
        self._closed = True
        self._frames.clear()
        if self._task is not None:
            self._task.cancel()
