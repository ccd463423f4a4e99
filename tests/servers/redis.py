"""Redis or Valkey, keeping everything in memory."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from tests.servers.programs import find_program
from tests.servers.server import Server


class Redis(Server):
    @classmethod
    def find(cls) -> Path:
        return find_program("redis-server", "valkey-server", name="Redis", package="redis-server")

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}/0"

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [self.url]},
        }

    def command(self) -> list[str | Path]:
        options: dict[str, str | Path] = {
            "bind": self.host,
            "port": str(self.port),
            "dir": self.directory,
            "save": "",
            "appendonly": "no",
        }
        command: list[str | Path] = [self.find()]
        for name, value in options.items():
            command += [f"--{name}", value]
        return command

    def ping(self) -> None:
        with socket.create_connection((self.host, self.port), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            if not connection.recv(64).startswith(b"+PONG"):
                raise ConnectionError("Redis does not answer")
