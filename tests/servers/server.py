"""What all the servers have in common."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar, Self

DEADLINE = 60.0
# Servers that refuse to run as root run as the first of these, when root runs the tests.
USERS = ("postgres", "mysql", "nobody")


class Server:
    """One server in a temporary directory, on a free port of 127.0.0.1.

    ``start()`` returns when it answers. ``stop()`` keeps port and data, so it can be started
    again; leaving the ``with`` block stops it for good and removes the directory.
    """

    host: ClassVar[str] = "127.0.0.1"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self) -> None:
        self.find()
        self.port = free_port()
        # Not pytest's tmp_path: another user must be able to reach it, and the path of the Unix
        # socket in it must be short.
        self.directory = Path(tempfile.mkdtemp(prefix="lc-"))
        self.user = unprivileged_user()
        if self.user:
            shutil.chown(self.directory, self.user)
        self._process: subprocess.Popen[bytes] | None = None
        self._prepared = False

    # What each server says about itself.

    @classmethod
    def find(cls) -> Path:
        """The program, or ``Missing``."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        raise NotImplementedError

    def prepare(self) -> None:
        """Make the data directory, once."""

    def command(self) -> list[str | Path]:
        raise NotImplementedError

    def ping(self) -> None:
        """Raise OSError until the server answers."""
        raise NotImplementedError

    # What is the same for all.

    @property
    def settings(self) -> dict[str, Any]:
        """What Django's settings want: an entry of DATABASES or CHANNEL_LAYERS."""
        raise NotImplementedError

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{type(self).__name__} is not running")
        return self._process.pid

    def start(self) -> Self:
        if self.running:
            return self
        if not self._prepared:
            self.prepare()
            self._prepared = True
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, **self._subprocess_options()
            )
        self._wait_until_ready()
        return self

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(self.stop_signal)
        try:
            process.wait(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Stop, and forget the data."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def run(self, *command: str | Path) -> None:
        """Run a tool of the server to its end, as the server's user."""
        result = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **self._subprocess_options()
        )
        if result.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{result.stdout.decode(errors='replace')}")

    @property
    def _log(self) -> Path:
        return self.directory / "log"

    def _subprocess_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "cwd": self.directory,
            # No setting of the caller's may reach the server (PGDATA, LC_ALL, MYSQL_HOME).
            "env": {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.directory)},
        }
        if self.user:
            account = pwd.getpwnam(self.user)
            options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        return options

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                return self.ping()
            except OSError as error:
                if self.running and time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                self.stop()
                log = self._log.read_text(errors="replace")
                raise RuntimeError(f"{type(self).__name__} does not start:\n{log}") from error


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((Server.host, 0))
        port: int = listener.getsockname()[1]
        return port


def unprivileged_user() -> str | None:
    """The user to run servers as: root's stand-in, and nobody else's."""
    if os.geteuid() != 0:
        return None
    accounts = {account.pw_name for account in pwd.getpwall()}
    return next((user for user in USERS if user in accounts), None)
