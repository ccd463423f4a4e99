"""Processes that are measured from outside: what they run, and what that costs the machine."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO

import psutil

from tests.servers import PostgreSQL, Redis
from tests.servers.server import free_port

ROOT = Path(__file__).resolve().parent.parent
START = 60.0


@dataclass
class Served:
    """A server process."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def cpu(self) -> float:
        """Seconds of CPU time it has used, its own and the system's for it."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def memory(self) -> int:
        """Resident bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)


@contextmanager
def running(
    command: Sequence[str | Path], environment: Mapping[str, str], port: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the project; with a port, until somebody answers there. What it says is shown
    if the measurement fails."""
    with tempfile.TemporaryFile() as log:
        try:
            with _started(command, environment, log) as started:
                if port is not None:
                    _wait_for(port, started)
                yield started
        except BaseException:
            log.seek(0)
            print(log.read().decode(errors="replace")[-5_000:], file=sys.stderr)
            raise


@contextmanager
def _started(
    command: Sequence[str | Path], environment: Mapping[str, str], log: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen(
        [*map(str, command)], env=dict(environment), cwd=ROOT, stdout=log, stderr=log
    )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(15)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextmanager
def uvicorn(application: str, environment: Mapping[str, str]) -> Iterator[Served]:
    """One worker, as fast as uvicorn can be."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port)]
    command += ["--log-level", "warning", "--timeout-graceful-shutdown", "2", "--backlog", "4096"]
    with running(command, environment, port) as process:
        yield Served(process, port)


@contextmanager
def serving(command: Sequence[str | Path], *arguments: str) -> Iterator[Served]:
    """Another server, which takes its port as its first argument."""
    port = free_port()
    with running([*command, str(port), *arguments], os.environ, port) as process:
        yield Served(process, port)


def serving_echo(environment: Mapping[str, str]) -> AbstractContextManager[Served]:
    """uvicorn with next to nothing on it."""
    return uvicorn("benchmarks.peers.echo:application", environment)


def _wait_for(port: int, started: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end:
        if started.poll() is not None:
            raise RuntimeError(f"{started.args} ended with {started.returncode}")
        with socket.socket() as found:
            if found.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nobody answers at port {port}")


@contextmanager
def site(database: str, **settings: str) -> Iterator[dict[str, str]]:
    """The environment of processes on a fresh database of the measured site and a fresh Redis."""
    with ExitStack() as stack:
        redis = stack.enter_context(Redis())
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings",
            "PYTHONPATH": str(ROOT),
            "LIVECOUNTERS_TEST_DATABASE": database,
            "LIVECOUNTERS_TEST_REDIS": redis.url,
        }
        if database == "postgresql":
            server = stack.enter_context(PostgreSQL())
            for name in ("HOST", "PORT", "USER", "NAME"):
                environment[f"LIVECOUNTERS_TEST_DATABASE_{name}"] = str(server.settings[name])
        else:
            environment["LIVECOUNTERS_TEST_DATABASE_NAME"] = str(redis.directory / "site.sqlite3")
        environment |= settings
        subprocess.run(
            [sys.executable, "-m", "django", "migrate", "--verbosity", "0", "--run-syncdb"],
            env=environment,
            cwd=ROOT,
            check=True,
        )
        yield environment


def versions() -> dict[str, str]:
    """What is at work, and how busy the machine was beside it."""
    found = {
        "livecounters": version("django-livecounters"),
        "Python": platform.python_version(),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }
    for name in ("Django", "uvicorn", "uvloop", "websockets", "channels", "channels-redis"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    for name in ("socket.io", "ws"):
        file = ROOT / "benchmarks/peers/node_modules" / name / "package.json"
        if file.exists():
            found[name] = json.loads(file.read_text())["version"]
    node = shutil.which("node")
    if node is not None:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        found["Node"] = told.stdout.strip().lstrip("v")
    return found
