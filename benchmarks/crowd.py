"""A crowd at one worker: all come at once, see a number move, sit idle; and a hundred thousand in
a presence store."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.request import urlopen

from benchmarks.machine import ROOT, Served, serving_echo, site, uvicorn
from benchmarks.report import Table
from tests.crowd import Crowd, live

STORES = ("database", "redis")
COMMITS = 80
IDLE = 60.0
SETTLED = 12.0
PEOPLE = 100_000
HERE = json.dumps({"op": "presence"})


def run(database: str, sockets: int, seconds: float | None, rounds: int | None) -> Iterator[Table]:
    """``seconds``: how long an idle process is watched."""
    yield _arriving(database, sockets, rounds or 3)
    yield _latency(database, sockets)
    yield _people(PEOPLE)
    yield _idle(database, seconds or IDLE)
    yield _memory(database, sockets)


def _said(module: str, number: int, environment: Mapping[str, str]) -> Any:
    """What a script of ours says, at its end."""
    command = [sys.executable, "-m", f"benchmarks.peers.{module}", str(number)]
    found = subprocess.run(
        command, env=dict(environment), cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    return json.loads(found.stdout)


def _page(**given: Any) -> dict[str, Any]:
    page = live(["counter:hits", "online:site"], **given)
    return page | {"hello": [*page["hello"], HERE]}


def _queries(served: Served) -> dict[str, int]:
    with urlopen(f"http://127.0.0.1:{served.port}/queries", timeout=10) as answer:
        found: dict[str, int] = json.loads(answer.read())
    return found


# All at once


def _arriving(database: str, sockets: int, rounds: int) -> Table:
    table = Table(f"{sockets:,} guests connect at once (median of {rounds})")
    for store in STORES:
        given = {"LIVECOUNTERS_BENCH_PRESENCE": store, "LIVECOUNTERS_BENCH_QUERIES": "1"}
        found = []
        for _ in range(rounds):
            # A fresh one each time: who was at a process that has ended is believed for a while.
            with site(database, **given) as environment:
                cookies = _said("cookies", sockets, environment)
                found.append(_arrive(environment, sockets, cookies))
        columns = {key: statistics.median(one[key] for one in found) for key in found[0]}
        table.add({"presence in": store, **columns})
    return table


def _arrive(environment: Mapping[str, str], sockets: int, cookies: list[str]) -> dict[str, float]:
    page = _page(at_once=sockets, cookies=cookies)
    with (
        uvicorn("benchmarks.peers.asgi:application", environment) as served,
        Crowd(served.port, sockets, **page) as crowd,
    ):
        crowd.ask("listen")
        before, cpu, began = _queries(served), served.cpu, time.monotonic()
        crowd.ask("open")
        all_served = crowd.ask("served") - began
        cpu = served.cpu - cpu
        # Until they are counted, and have heard of it.
        time.sleep(SETTLED)
        after = _queries(served)
        frames = crowd.ask("heard")
        told = [text for text in frames if '"online:site"' in text and '"values"' in text]
        right = f'"connections":{sockets}'
        assert any(right in text for text in told), told[-1:]
        counted = min(min(times) for text, times in frames.items() if right in text)
    queries = {name: after[name] - before.get(name, 0) for name in after}
    # What the pump looks up ten times a second has nothing to do with who comes.
    pump = queries.pop("livecounters-pump", 0)
    return {
        "served, s": all_served,
        "server CPU, s": cpu,
        "counted, s": counted - began,
        f"queries in {SETTLED:g} s": sum(queries.values()),
        "of the pump": pump,
        "counts told": len(told),
    }


# From a commit to the page


def _latency(database: str, sockets: int) -> Table:
    table = Table(f"From a commit to {sockets:,} pages of one worker ({COMMITS} commits)")
    with (
        site(database) as environment,
        uvicorn("benchmarks.peers.asgi:application", environment) as served,
        Crowd(served.port, sockets, **live(["counter:hits"])) as crowd,
    ):
        crowd.ask("open")
        crowd.ask("served")
        time.sleep(2)
        crowd.ask("listen")
        commits = _said("writer", COMMITS, environment)
        time.sleep(2)
        frames = crowd.ask("heard")
    arrivals = sorted(
        (json.loads(text)["values"]["counter:hits"], times) for text, times in frames.items()
    )
    waits = []
    for number, committed in commits:
        # Numbers may be skipped, never the newest.
        times = next(times for value, times in arrivals if value >= number)
        waits += [(at - committed) * 1000 for at in times]
    waits.sort()
    table.add(
        {
            "database": database,
            "frames": len(waits),
            "p50, ms": waits[len(waits) // 2],
            "p95, ms": waits[len(waits) * 95 // 100],
            "p99, ms": waits[len(waits) * 99 // 100],
            "most, ms": waits[-1],
        }
    )
    return table


# Presence


def _people(number: int) -> Table:
    table = Table(f"{number:,} people and guests in a store, at four processes")
    for name, database, store in (
        ("SQLite", "sqlite", "database"),
        ("PostgreSQL", "postgresql", "database"),
        ("Redis", "sqlite", "redis"),
    ):
        with site(database, LIVECOUNTERS_BENCH_PRESENCE=store) as environment:
            table.add({"store": name, **_said("attendance", number, environment)})
    return table


# Nothing happens


def _idle(database: str, seconds: float) -> Table:
    table = Table(f"A process without viewers and writes, for {seconds:g} s")
    given = {"LIVECOUNTERS_BENCH_PRESENCE": "database", "LIVECOUNTERS_BENCH_QUERIES": "1"}
    with (
        site(database, **given) as environment,
        uvicorn("benchmarks.peers.asgi:application", environment) as served,
    ):
        time.sleep(10)
        before, cpu = _queries(served), served.cpu
        time.sleep(seconds)
        after, used = _queries(served), served.cpu - cpu
    for name in after:
        queries = (after[name] - before.get(name, 0)) * 60 / seconds
        table.add({"thread": name, "queries a minute": queries})
    table.add({"thread": "all", "CPU, ms a second": used / seconds * 1000})
    return table


def _memory(database: str, sockets: int) -> Table:
    table = Table(f"Memory of {sockets:,} idle sockets")
    with site(database, LIVECOUNTERS_BENCH_PRESENCE="database") as environment:
        with serving_echo(environment) as served:
            bare = _grown(table, "uvicorn, an echo", served, sockets, {})
        cookies = _said("cookies", sockets, environment)
        with uvicorn("benchmarks.peers.asgi:application", environment) as served:
            ours = _grown(table, "livecounters", served, sockets, _page(cookies=cookies))
    table.add({"server": "more", "kB a socket": ours - bare})
    return table


def _grown(table: Table, name: str, served: Served, sockets: int, page: Mapping[str, Any]) -> float:
    """Kilobytes for each of the second thousand: the first also pays for what is loaded once."""
    with Crowd(served.port, sockets, **page) as first:
        first.ask("open")
        time.sleep(SETTLED)
        before = served.memory
        with Crowd(served.port, sockets, **page) as second:
            second.ask("open")
            time.sleep(SETTLED)
            after = served.memory
    each = (after - before) / sockets / 1024
    table.add({"server": name, "MB with them": after / 2**20, "kB a socket": each})
    return each
