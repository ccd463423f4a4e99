"""PostgreSQL, trusting everybody on this machine and syncing nothing to disk."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any, ClassVar

from tests.servers.programs import find_program
from tests.servers.server import Server

USER = "livecounters"
# Sorting and upper case are tested on a database that knows more letters than ASCII's.
LOCALE = "C.UTF-8" if sys.platform.startswith("linux") else "en_US.UTF-8"


class PostgreSQL(Server):
    # SIGTERM would wait for every client to leave.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    @classmethod
    def find(cls) -> Path:
        # The server lies beside the real initdb, in the same version.
        initdb = find_program("initdb", name="PostgreSQL", package="postgresql").resolve()
        return initdb.with_name("postgres")

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@{self.host}:{self.port}/postgres"

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": USER,
            "HOST": self.host,
            "PORT": self.port,
        }

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def prepare(self) -> None:
        self.run(
            self.find().with_name("initdb"),
            f"--pgdata={self.data}",
            f"--username={USER}",
            f"--locale={LOCALE}",
            # As sites have it: "a" is sorted before "B", and signs count for little.
            "--locale-provider=icu",
            "--icu-locale=en-US",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-sync",
        )

    def command(self) -> list[str | Path]:
        options = {
            "listen_addresses": self.host,
            "port": self.port,
            "unix_socket_directories": self.directory,
            "max_connections": 200,
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        return [self.find(), "-D", self.data, *flags]

    def ping(self) -> None:
        # Imported here: `python -m tests.servers` runs before anything is installed.
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            raise ConnectionError(str(error)) from error
