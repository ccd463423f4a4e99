"""What an operation costs on any machine, however busy: statements, pages, log, steps.

``statements`` are those of the client and those that triggers run inside the database (foreign
keys are checked by such ones as well, on PostgreSQL).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

Costs = dict[str, int]

EXPLAIN_EACH = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_analyze = on;
SET auto_explain.log_timing = off;
SET auto_explain.log_buffers = on;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_format = json;
SET auto_explain.log_level = notice;
"""


def costs(run: Callable[[Any], object], argument: Any) -> tuple[object, Costs]:
    """Run it once; what it answered, and what it cost."""
    with MEASURED[connection.vendor]() as found:
        answer = run(argument)
    return answer, found


@contextmanager
def _sqlite() -> Iterator[Costs]:
    """``steps``: instructions of SQLite's virtual machine, those of triggers included."""
    found = {"statements": 0, "steps": 0}

    def step() -> int:
        found["steps"] += 1
        return 0

    def executed(execute: Any, *arguments: Any) -> Any:
        found["statements"] += 1
        return execute(*arguments)

    connection.ensure_connection()
    raw = connection.connection
    with connection.execute_wrapper(executed):
        raw.set_progress_handler(step, 1)
        try:
            yield found
        finally:
            raw.set_progress_handler(None, 0)


@contextmanager
def _postgresql() -> Iterator[Costs]:
    """``pages`` that were looked at in memory, ``log``: bytes of write-ahead log."""
    found = {"statements": 0, "pages": 0}

    def seen(diagnostic: Any) -> None:
        _, _, plan = str(diagnostic.message_primary).partition("plan:\n")
        if plan:
            root = json.loads(plan)["Plan"]
            found["statements"] += 1
            found["pages"] += root.get("Shared Hit Blocks", 0) + root.get("Shared Read Blocks", 0)

    connection.ensure_connection()
    raw = connection.connection
    with connection.cursor() as cursor:
        before = _log_position(cursor)
        cursor.execute(EXPLAIN_EACH)
    raw.add_notice_handler(seen)
    try:
        yield found
    finally:
        raw.remove_notice_handler(seen)
        with connection.cursor() as cursor:
            cursor.execute("SET auto_explain.log_min_duration = -1")
            found["log bytes"] = _log_position(cursor) - before


def _log_position(cursor: Any) -> int:
    cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    return int(cursor.fetchone()[0])


@contextmanager
def _mysql() -> Iterator[Costs]:
    """``rows``: those that the storage engine read or wrote, in triggers too."""
    before = _handled()
    found: Costs = {}
    yield found
    found["rows"] = _handled() - before


def _handled() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler%'")
        wanted = ("Handler_read", "Handler_write", "Handler_update", "Handler_delete")
        return sum(int(value) for name, value in cursor.fetchall() if name.startswith(wanted))


MEASURED = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql}
