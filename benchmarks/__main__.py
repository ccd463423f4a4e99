"""``python -m benchmarks [write|bulk|hot|read|joins|leaderboard] [--database NAME] [--rounds N]``.

``python -m benchmarks fanout|crowd [--sockets N] [--seconds N]`` measures server processes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from benchmarks import machine, report
from benchmarks.report import Table
from benchmarks.site import DATABASES, PACKAGES, QUIZZES, USERS, site, versions

NAMES = ("write", "bulk", "hot", "read", "joins", "leaderboard")
# These measure processes from outside, and are no Django themselves.
SERVERS = ("fanout", "crowd")
ROWS = 10_000
SOCKETS = 1_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=(*NAMES, *SERVERS), help="default: all")
    parser.add_argument("--database", choices=DATABASES, help="default: one after the other")
    parser.add_argument("--rounds", type=int, help="more of them where the machine is busy")
    parser.add_argument("--rows", type=int, default=ROWS, help="in each table beforehand")
    parser.add_argument("--sockets", type=int, default=SOCKETS, help="at once")
    parser.add_argument("--seconds", type=float, help="of each measured interval")
    options = parser.parse_args()
    if options.name in SERVERS:
        database = options.database or "postgresql"
        found = import_module(f"benchmarks.{options.name}").run(
            database, options.sockets, options.seconds, options.rounds
        )
        _report(options.name, database, machine.versions(), found)
        return 0
    if options.name is None:
        # Each in a process of its own, on a database of its own.
        commands = [
            [sys.executable, "-m", "benchmarks", name, *sys.argv[1:]] for name in (*NAMES, *SERVERS)
        ]
        return max(subprocess.run(command).returncode for command in commands)
    if options.database is None:
        # Django is set up once in a process, for one database.
        commands = [
            [sys.executable, "-m", "benchmarks", *sys.argv[1:], "--database", database]
            for database in DATABASES
        ]
        return max(subprocess.run(command).returncode for command in commands)
    with site(options.database, options.rows, durable=options.name == "hot"):
        facts = versions() | {
            "rows": options.rows,
            "users": USERS,
            "quizzes": QUIZZES,
            "packages": PACKAGES,
        }
        found = import_module(f"benchmarks.{options.name}").run(options.rows, options.rounds)
        _report(options.name, options.database, facts, found)
    return 0


def _report(name: str, database: str, facts: Mapping[str, Any], found: Iterable[Table]) -> None:
    print(f"\n# {name} on {database}", flush=True)
    tables = []
    for table in found:
        print(f"\n{table}", flush=True)
        tables.append(table)
    if tables:
        report.write(name, database, facts, tables)


if __name__ == "__main__":
    sys.exit(main())
