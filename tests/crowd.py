"""Many pages in one process: a reader of frames that is cheap, so that what is measured is the
server. ``python -m tests.crowd`` runs one, steered over stdin; :class:`Crowd` holds the other end.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Self

TEXT, PING, PONG = 0x1, 0x9, 0xA
AT_ONCE = 100
"""Handshakes that are under way together, unless all are to be."""


def frame(opcode: int, payload: bytes) -> bytes:
    """A frame of a client: masked, here with a mask that changes nothing."""
    size = len(payload)
    head = (
        bytes([0x80 | opcode, 0x80 | size])
        if size < 126
        else bytes([0x80 | opcode, 0xFE]) + struct.pack("!H", size)
    )
    return head + b"\0\0\0\0" + payload


class Page(asyncio.Protocol):
    """One socket: says what it is told to, counts what it gets."""

    def __init__(self, crowd: Everybody, number: int) -> None:
        self._crowd = crowd
        self._number = number
        self._buffer = b""
        self._open = False
        self._served = False
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET {self._crowd.path} HTTP/1.1\r\nHost: 127.0.0.1:{self._crowd.port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        )
        if self._crowd.cookies:
            head += f"Cookie: {self._crowd.cookies[self._number % len(self._crowd.cookies)]}\r\n"
        head += "".join(f"{line}\r\n" for line in self._crowd.headers)
        transport.write(head.encode() + b"\r\n")

    def say(self, text: bytes) -> None:
        self._transport.write(frame(TEXT, text))

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        if not self._open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._buffer = head
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                raise ConnectionError(head.decode("latin-1"))
            self._open = True
            for text in self._crowd.hello:
                self.say(text)
        start, end = 0, len(data)
        while end - start >= 2:
            size, head_size = data[start + 1], 2
            if size == 126:
                if end - start < 4:
                    break
                size, head_size = data[start + 2] << 8 | data[start + 3], 4
            elif size == 127:
                if end - start < 10:
                    break
                size, head_size = struct.unpack_from("!Q", data, start + 2)[0], 10
            if end - start < head_size + size:
                break
            self._got(data[start] & 0xF, data[start + head_size : start + head_size + size])
            start += head_size + size
        self._buffer = data[start:]

    def _got(self, opcode: int, payload: bytes) -> None:
        crowd = self._crowd
        if opcode == PING:
            self._transport.write(frame(PONG, payload))
        if opcode != TEXT:
            return
        answer = crowd.answers.get(payload[: crowd.answered])
        if answer is not None:
            self.say(answer)
            return
        crowd.frames += 1
        if crowd.arrivals is not None:
            crowd.arrivals[payload].append(time.monotonic())
        if not self._served and payload.startswith(crowd.served_by):
            self._served = True
            crowd.serve()

    def connection_lost(self, error: Exception | None) -> None:
        self._crowd.lost += 1


class Everybody:
    """All pages of this process."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.port: int = given["port"]
        self.path: str = given.get("path", "/")
        self.number: int = given["number"]
        self.hello = [text.encode() for text in given.get("hello", ())]
        self.answers = {
            ask.encode(): answer.encode() for ask, answer in given.get("answers", {}).items()
        }
        # All questions begin with as many characters.
        self.answered = max(map(len, self.answers), default=0)
        self.cookies: list[str] = given.get("cookies", [])
        self.headers: list[str] = given.get("headers", [])
        self.served_by = given.get("served_by", "").encode()
        self.at_once: int = given.get("at_once", AT_ONCE)
        self.arrivals: dict[bytes, list[float]] | None = None
        self.frames = self.served = self.lost = 0
        self._all_served = asyncio.Event()
        self._pages: list[asyncio.BaseTransport] = []

    def serve(self) -> None:
        self.served += 1
        if self.served == self.number:
            self._all_served.set()

    async def obey(self, order: str) -> Any:
        return await getattr(self, f"order_{order}")()

    async def order_open(self) -> float:
        """All connect; answers the seconds until each has opened its socket."""
        loop, began = asyncio.get_running_loop(), time.monotonic()
        gate = asyncio.Semaphore(self.at_once)

        async def one(number: int) -> None:
            async with gate:
                transport, _ = await loop.create_connection(
                    lambda: Page(self, number), "127.0.0.1", self.port
                )
                self._pages.append(transport)

        await asyncio.gather(*(one(number) for number in range(self.number)))
        return time.monotonic() - began

    async def order_served(self) -> float:
        """Waits until each has got the first frame that it wants; answers when."""
        await self._all_served.wait()
        return time.monotonic()

    async def order_count(self) -> dict[str, int]:
        return {"frames": self.frames, "lost": self.lost}

    async def order_listen(self) -> None:
        self.arrivals = defaultdict(list)

    async def order_heard(self) -> dict[str, list[float]]:
        found, self.arrivals = self.arrivals or {}, None
        return {payload.decode(): times for payload, times in found.items()}


async def main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    everybody = Everybody(json.loads(await reader.readline()))
    while order := (await reader.readline()).decode().strip():
        answer = await everybody.obey(order)
        print(json.dumps(answer), flush=True)


class Crowd:
    """Pages in a process of their own."""

    def __init__(self, port: int, number: int, **given: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crowd"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._write({"port": port, "number": number, **given})

    def _write(self, what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write((what if isinstance(what, str) else json.dumps(what)) + "\n")
        self._process.stdin.flush()

    def ask(self, order: str) -> Any:
        """``open``, ``served``, ``count``, ``listen`` or ``heard``."""
        self._write(order)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the crowd has died")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *given: object) -> None:
        self._process.kill()
        self._process.communicate()


def live(topics: Iterable[str], **given: Any) -> dict[str, Any]:
    """What pages of livecounters do: subscribe, and say that they are there when asked."""
    return {
        "path": "/ws/live/?v=1&lang=en",
        "hello": [json.dumps({"op": "subscribe", "topics": list(topics)})],
        "answers": {'{"op":"beat"': '{"op":"presence"}'},
        "served_by": '{"op":"values"',
        **given,
    }


if __name__ == "__main__":
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        from uvloop import run
    except ImportError:
        from asyncio import run
    run(main())
