"""``websockets.broadcast``: one text, written to every socket of a bare asyncio server."""

from __future__ import annotations

import asyncio
import json
import sys

from websockets.asyncio.server import ServerConnection, broadcast, serve

from benchmarks.peers.ticking import ticking


async def stay(socket: ServerConnection) -> None:
    await socket.wait_closed()


async def main(port: int, rate: float) -> None:
    async with serve(stay, "127.0.0.1", port) as server:
        async for frame in ticking(rate):
            broadcast(server.connections, json.dumps(frame))


if __name__ == "__main__":
    arguments = int(sys.argv[1]), float(sys.argv[2])
    try:
        import uvloop
    except ImportError:
        asyncio.run(main(*arguments))
    else:
        uvloop.run(main(*arguments))
