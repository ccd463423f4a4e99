"""Processes of the test project: web servers and pumps, as they run in earnest."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.servers.server import free_port

START = 30.0
STOP = 15.0


@contextmanager
def process(arguments: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen]:
    """A Python process; ended by SIGTERM, and it must end by that."""
    python = [sys.executable, "-X", "faulthandler"]
    started = subprocess.Popen([*python, *arguments], env=dict(environment))
    try:
        yield started
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGTERM)
        try:
            started.wait(STOP)
        except subprocess.TimeoutExpired:
            # Says where each of its threads is.
            started.send_signal(signal.SIGABRT)
            started.wait(STOP)
            raise


@contextmanager
def web(
    environment: Mapping[str, str], port: int, *options: str
) -> Iterator[subprocess.Popen[bytes]]:
    """An ASGI server that answers at the port."""
    arguments = ["-m", "uvicorn", "tests.asgi:application", "--port", str(port)]
    arguments += ["--log-level", "warning", "--timeout-graceful-shutdown", "3", *options]
    with process(arguments, environment) as started:
        wait_for(port, started)
        yield started


@contextmanager
def uvicorn(environment: Mapping[str, str], port: int | None = None) -> Iterator[str]:
    """An ASGI server; its address."""
    port = port or free_port()
    with web(environment, port):
        yield f"http://127.0.0.1:{port}"


SERVE = (
    "import sys; from wsgiref.simple_server import make_server; from tests.wsgi import application;"
    "make_server('127.0.0.1', int(sys.argv[1]), application).serve_forever()"
)


@contextmanager
def wsgi(environment: Mapping[str, str]) -> Iterator[str]:
    """A plain WSGI server; its address."""
    port = free_port()
    with process(["-W", "ignore", "-c", SERVE, str(port)], environment) as started:
        wait_for(port, started)
        yield f"http://127.0.0.1:{port}"


def wait_for(port: int, started: subprocess.Popen, seconds: float = START) -> None:
    """Until somebody answers at the port."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if started.poll() is not None:
            raise RuntimeError(f"the server ended with {started.returncode}")
        with socket.socket() as found:
            found.settimeout(1)
            if found.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nobody answers at port {port}")
