"""MariaDB (or MySQL's fork of the day under MariaDB's names), root without a password."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Any

from tests.servers.programs import find_program
from tests.servers.server import Server

# There from the start, as PostgreSQL has one.
DATABASE = "livecounters"

ZONES = Path("/usr/share/zoneinfo")


class MariaDB(Server):
    @classmethod
    def find(cls) -> Path:
        return find_program("mariadbd", name="MariaDB", package="mariadb-server")

    @property
    def url(self) -> str:
        return f"mysql://root@{self.host}:{self.port}/"

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "ENGINE": "django.db.backends.mysql",
            "NAME": DATABASE,
            "USER": "root",
            "HOST": self.host,
            "PORT": self.port,
            "OPTIONS": {"charset": "utf8mb4"},
        }

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def prepare(self) -> None:
        self.run(
            find_program("mariadb-install-db", name="MariaDB", package="mariadb-server"),
            "--no-defaults",
            f"--datadir={self.data}",
            # Or two at once would name their temporary tables alike.
            f"--tmpdir={self.directory}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            f"--extra-file={self._first_sql()}",
        )

    def _first_sql(self) -> Path:
        path = self.directory / "first.sql"
        zones = b""
        if ZONES.is_dir():
            # Without them CONVERT_TZ(), and so a lookup such as __date, finds nothing. What there
            # is no zone is complained about.
            program = find_program(
                "mariadb-tzinfo-to-sql", name="MariaDB", package="mariadb-server"
            )
            zones = subprocess.run(
                [program, "--skip-write-binlog", ZONES],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ).stdout
        path.write_bytes(zones + f"\nCREATE DATABASE {DATABASE} CHARACTER SET utf8mb4;\n".encode())
        return path

    def command(self) -> list[str | Path]:
        return [
            self.find(),
            "--no-defaults",
            f"--datadir={self.data}",
            f"--tmpdir={self.directory}",
            f"--socket={self.directory / 'socket'}",
            f"--pid-file={self.directory / 'pid'}",
            f"--bind-address={self.host}",
            f"--port={self.port}",
            "--character-set-server=utf8mb4",
            "--innodb-flush-log-at-trx-commit=0",
            "--sync-binlog=0",
            "--skip-innodb-doublewrite",
            "--loose-innodb-flush-method=nosync",
            "--skip-sync-frm",
            # Tables are emptied and made all the time, which is slow with a file for each.
            "--loose-innodb-file-per-table=0",
            "--innodb-stats-persistent=0",
        ]

    def ping(self) -> None:
        with socket.create_connection((self.host, self.port), timeout=5) as connection:
            # The server speaks first: three bytes of length, one of sequence, the protocol.
            if connection.recv(5)[4:] != b"\x0a":
                raise ConnectionError("MariaDB does not greet")
