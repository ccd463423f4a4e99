"""Telling a thousand sockets the same: CPU time of the server process for each delivered frame.

Each variant is a server process of its own; its clients are together in another one. What the
process uses while nothing is said (its sockets open) is taken off.
"""

from __future__ import annotations

import json
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, Served, running, serving, site, uvicorn
from benchmarks.report import Table
from tests.crowd import Crowd, live

SECONDS = 6.0
ROUNDS = 5
RATE = 20.0
# A group per connection cannot do more here, and its cost is that of frames which arrive.
SLOW = 4.0
IDLE = 3.0
WARM = 2.0
LEFTOVERS = 20
# The other layer of channels-redis, which remembers nobody.
PUBSUB = {"LIVECOUNTERS_BENCH_LAYER": "pubsub.RedisPubSubChannelLayer"}

PEERS = Path(__file__).with_name("peers")


@dataclass(frozen=True)
class Server:
    """What is measured: a server, what its pages say, and what makes it speak."""

    name: str
    serve: Callable[[], AbstractContextManager[Served]]
    pages: Mapping[str, Any] = field(default_factory=dict)
    speaks: Callable[[Served], AbstractContextManager[object]] | None = None


@contextmanager
def _signalled(served: Served) -> Iterator[None]:
    served.signal(signal.SIGUSR2)
    try:
        yield
    finally:
        served.signal(signal.SIGUSR2)


def run(database: str, sockets: int, seconds: float | None, rounds: int | None) -> Iterator[Table]:
    seconds, rounds = seconds or SECONDS, rounds or ROUNDS
    fast = json.dumps({"FRAMES_PER_SECOND": 2 * RATE, "EMBEDDED_PUMP": False})
    with ExitStack() as stack:
        fresh, pubsub, used = (
            stack.enter_context(site(database, LIVECOUNTERS_BENCH=fast, **layer))
            for layer in ({}, PUBSUB, {})
        )
        _leave_behind(used)
        servers = list(_servers(fresh, pubsub, used))
        samples: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        for number in range(rounds):
            turn = number % len(servers)
            for server in [*servers[turn:], *servers[:turn]]:
                found = _measure(server, sockets, seconds)
                samples[server.name].append(found)
                said = ", ".join(f"{one:,.1f}" for one in found)
                print(f"round {number + 1}, {server.name}: {said}", flush=True)
    yield _table(servers, samples, sockets, f"median of {rounds} x {seconds:g} s")


def _servers(
    fresh: Mapping[str, str], pubsub: Mapping[str, str], used: Mapping[str, str]
) -> Iterator[Server]:
    def publisher(kind: str, rate: float, environment: Mapping[str, str]) -> Any:
        command = [sys.executable, "-m", "benchmarks.peers.publisher", kind, str(rate)]
        return lambda served: running(command, environment)

    for name, environment in (
        ("livecounters", fresh),
        (f"the same, {LEFTOVERS} killed", used),
        ("the same, PubSub", pubsub),
    ):
        yield Server(
            name,
            partial(uvicorn, "benchmarks.peers.asgi:application", environment),
            live(["counter:hits"]),
            publisher("live", RATE, environment),
        )
    yield Server("a bare loop, ASGI", partial(uvicorn, "benchmarks.peers.bare:application", fresh))
    yield Server(
        "websockets.broadcast",
        partial(serving, [sys.executable, "-m", "benchmarks.peers.broadcast"], str(RATE)),
    )
    node = _node()
    if node is not None:
        yield Server("ws", partial(serving, [node, PEERS / "ws.js"], str(RATE)))
        yield Server(
            "socket.io",
            partial(serving, [node, PEERS / "socketio.js"], str(RATE)),
            # Its own protocol: welcome, enter, and a ping now and then.
            {
                "path": "/socket.io/?EIO=4&transport=websocket",
                "hello": ["40"],
                "answers": {"2": "3"},
                "served_by": "40",
            },
        )
    for name, environment in (("a group per connection", fresh), ("that, PubSub", pubsub)):
        yield Server(
            name,
            partial(uvicorn, "benchmarks.peers.group:application", environment),
            speaks=publisher("frames", SLOW, environment),
        )


def _node() -> str | None:
    """Node, with what is measured there installed."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("!!! NOT MEASURED: socket.io and ws, as there is no node; `make client` brings it")
        return None
    subprocess.run([npm, "install", "--no-save", "--no-audit", "--no-fund", "--silent"], cwd=PEERS)
    return node


def _leave_behind(environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "benchmarks.peers.leftovers", str(LEFTOVERS)]
    subprocess.run(command, env=dict(environment), cwd=ROOT, check=True)


def _measure(server: Server, sockets: int, seconds: float) -> tuple[float, float, float]:
    """Microseconds a frame; frames a second and socket; milliseconds a second while idle."""
    with server.serve() as served, Crowd(served.port, sockets, **server.pages) as crowd:
        crowd.ask("open")
        if "served_by" in server.pages:
            crowd.ask("served")
        time.sleep(WARM)
        idle, _, _ = _interval(served, crowd, IDLE)
        speaks = server.speaks or _signalled
        with speaks(served):
            while _frames(crowd, 0.5) < sockets:
                pass
            time.sleep(WARM)
            used, frames, lasted = _interval(served, crowd, seconds)
    rest = idle / IDLE
    each = (used - rest * lasted) / frames
    return each * 1e6, frames / lasted / sockets, rest * 1000


def _frames(crowd: Crowd, seconds: float) -> int:
    before = crowd.ask("count")["frames"]
    time.sleep(seconds)
    return int(crowd.ask("count")["frames"] - before)


def _interval(served: Served, crowd: Crowd, seconds: float) -> tuple[float, int, float]:
    """CPU time, frames that have arrived, and how long it was."""
    began, cpu, before = time.monotonic(), served.cpu, crowd.ask("count")
    time.sleep(seconds)
    lasted, used, after = time.monotonic() - began, served.cpu - cpu, crowd.ask("count")
    assert not after["lost"], f"{after['lost']} sockets were lost"
    return used, after["frames"] - before["frames"], lasted


def _table(
    servers: list[Server],
    samples: Mapping[str, list[tuple[float, float, float]]],
    sockets: int,
    how: str,
) -> Table:
    table = Table(f"{sockets:,} sockets, CPU time of the server for each frame ({how})")
    medians = {
        server.name: [
            statistics.median(column) for column in zip(*samples[server.name], strict=True)
        ]
        for server in servers
    }
    ours = medians["livecounters"][0]
    for server in servers:
        each, rate, idle = medians[server.name]
        every = [found[0] for found in samples[server.name]]
        table.add(
            {
                "variant": server.name,
                "us a frame": each,
                "ratio": each / ours,
                "least": min(every),
                "most": max(every),
                "frames a second": rate,
                "idle ms a second": idle,
            }
        )
    return table
