"""All that differs between databases: declaration in, SQL text out. Nothing is executed here."""

from __future__ import annotations

from functools import cache

from django.db import connections

from livecounters.dialects.base import Dialect, Holder
from livecounters.dialects.mysql import MySQL
from livecounters.dialects.postgresql import PostgreSQL
from livecounters.dialects.sqlite import SQLite
from livecounters.dialects.watch import Watch
from livecounters.exceptions import Unmeasurable

__all__ = ["Dialect", "Holder", "Watch", "dialect_of"]

DIALECTS: dict[str, type[Dialect]] = {
    "mysql": MySQL,
    "postgresql": PostgreSQL,
    "sqlite": SQLite,
}


@cache
def _dialect(vendor: str, using: str) -> Dialect:
    return DIALECTS[vendor](using)


def dialect_of(using: str) -> Dialect:
    """The dialect of a database alias. Raises ``Unmeasurable`` for a database without one."""
    vendor = connections[using].vendor
    if vendor not in DIALECTS:
        raise Unmeasurable(
            "E010",
            f"the database {using!r} is {vendor}, for which there are no triggers yet.",
            f"Keep counted models in one of: {', '.join(sorted(DIALECTS))}.",
        )
    return _dialect(vendor, using)
