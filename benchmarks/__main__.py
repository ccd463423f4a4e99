"""``python -m benchmarks [write|bulk|hot|read|joins] [--database NAME] [--rounds N]``."""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib import import_module

from benchmarks import report
from benchmarks.site import DATABASES, PACKAGES, QUIZZES, USERS, site, versions

NAMES = ("write", "bulk", "hot", "read", "joins")
ROWS = 10_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=NAMES, help="default: all")
    parser.add_argument("--database", choices=DATABASES, help="default: one after the other")
    parser.add_argument("--rounds", type=int, help="more of them where the machine is busy")
    parser.add_argument("--rows", type=int, default=ROWS, help="in each table beforehand")
    options = parser.parse_args()
    if options.database is None:
        # Django is set up once in a process, for one database.
        commands = [
            [sys.executable, "-m", "benchmarks", *sys.argv[1:], "--database", database]
            for database in DATABASES
        ]
        return max(subprocess.run(command).returncode for command in commands)
    if options.name is None:
        # Each in a process of its own, on a database of its own.
        commands = [[sys.executable, "-m", "benchmarks", name, *sys.argv[1:]] for name in NAMES]
        return max(subprocess.run(command).returncode for command in commands)
    with site(options.database, options.rows, durable=options.name == "hot"):
        facts = versions() | {
            "rows": options.rows,
            "users": USERS,
            "quizzes": QUIZZES,
            "packages": PACKAGES,
        }
        for name in [options.name]:
            print(f"\n## {name} on {options.database}", flush=True)
            tables = []
            for table in import_module(f"benchmarks.{name}").run(options.rows, options.rounds):
                print(f"\n{table}", flush=True)
                tables.append(table)
            if tables:
                report.write(name, options.database, facts, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
