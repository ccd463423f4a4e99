"""``live.muted()``: count, but tell nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction

from livecounters.dialects import dialect_of
from livecounters.feed import database

__all__ = ["is_muted", "muted"]

_muted: ContextVar[frozenset[str]] = ContextVar("livecounters_muted", default=frozenset())


@contextmanager
def muted(using: str | None = None) -> Iterator[None]:
    """Inside the block, everything counts and nothing is told: for imports.

    The block is one transaction (or a savepoint of the one it is in). What happens in it is
    never told later either. Blocks may be nested.
    """
    dialect = dialect_of(using or database())
    if dialect.using in _muted.get():
        yield
        return
    token = _muted.set(_muted.get() | {dialect.using})
    try:
        with transaction.atomic(using=dialect.using):
            with dialect.connection.cursor() as cursor:
                cursor.execute(dialect.mute_sql())
            yield
            with dialect.connection.cursor() as cursor:
                cursor.execute(dialect.unmute_sql())
    finally:
        _muted.reset(token)


def is_muted(using: str) -> bool:
    """Whether it is so in one database just now."""
    return using in _muted.get()
