"""A copy of the database, made by its own tools, in the place of the database."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.servers import PostgreSQL
from tests.servers.programs import find_program


@contextmanager
def restored(connection: Any, directory: Path) -> Iterator[None]:
    """Inside, the connection is to a copy that was dumped and restored."""
    there = connection.settings_dict["NAME"]
    copy = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mariadb}[connection.vendor](
        connection, directory
    )
    connection.close()
    connection.settings_dict["NAME"] = copy
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = there
        if connection.vendor != "sqlite":
            with connection.cursor() as cursor:
                cursor.execute(f"DROP DATABASE {copy}")


def _sqlite(connection: Any, directory: Path) -> str:
    copy = str(directory / "copy.sqlite3")
    connection.ensure_connection()
    with closing(sqlite3.connect(copy)) as target:
        connection.connection.backup(target)
    return copy


def _made(connection: Any) -> tuple[str, str]:
    """The names of the database and of an empty one for its copy."""
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}_copy")
    return name, f"{name}_copy"


def _postgresql(connection: Any, directory: Path) -> str:
    name, copy = _made(connection)
    given = connection.settings_dict
    where = [f"--host={given['HOST']}", f"--port={given['PORT']}", f"--username={given['USER']}"]
    dump = directory / "dump"
    programs = PostgreSQL.find()
    _run(programs.with_name("pg_dump"), *where, "--format=custom", f"--file={dump}", name)
    _run(programs.with_name("pg_restore"), *where, "--exit-on-error", f"--dbname={copy}", dump)
    return copy


def _mariadb(connection: Any, directory: Path) -> str:
    name, copy = _made(connection)
    given = connection.settings_dict
    where = [f"--host={given['HOST']}", f"--port={given['PORT']}", f"--user={given['USER']}"]
    tools = {"name": "MariaDB", "package": "mariadb-client"}
    dump = directory / "dump.sql"
    options = ["--no-defaults", *where]
    _run(
        find_program("mariadb-dump", "mysqldump", **tools),
        *options,
        "--single-transaction",
        f"--result-file={dump}",
        name,
    )
    with dump.open("rb") as text:
        _run(find_program("mariadb", "mysql", **tools), *options, copy, stdin=text)
    return copy


def _run(*command: str | Path, **given: Any) -> None:
    subprocess.run(command, check=True, capture_output=True, **given)
