"""An empty database, newly made or flushed: what is kept begins with nothing.

Django flushes before every test that commits, so this must be quick: where the triggers are in
place and a table has no rows there is nothing to backfill, and all is in force at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from django.utils import timezone

from livecounters import ladders
from livecounters.capture import begun, installed, kept_by, state_of
from livecounters.dialects import Dialect, Watch
from livecounters.folding import alone
from livecounters.models import Bucket, Delta, Ladder, Measured, Member, Rung, Score
from livecounters.registry import Registry, registry

__all__ = ["begin"]

KEPT = (Delta, Bucket, Member)


def begin(dialect: Dialect, wanted: Sequence[Watch], declared: Registry = registry) -> None:
    """Begin anew if nothing is measured: forget what is kept, bring in force what is empty."""
    if Measured.objects.using(dialect.using).exists():
        return
    with alone(dialect):
        if Measured.objects.using(dialect.using).exists():
            return
        # It is of rows that are gone; a flush may even have counted its own deletions.
        for model in (*KEPT, Ladder, Rung, Score):
            model._default_manager.using(dialect.using).all().delete()
    # Another transaction, so that what follows sees all that was committed before.
    with alone(dialect):
        if not Measured.objects.using(dialect.using).exists():
            _begin(dialect, wanted, declared)


def _begin(dialect: Dialect, wanted: Sequence[Watch], declared: Registry) -> None:
    found = installed(dialect)
    watched = [
        watch
        for watch in wanted
        if state_of(dialect, watch, found.get(watch.table, {})) == "installed"
    ]
    places = {watch.table: secrets.token_hex(8) for watch in watched}
    empty = dict(zip(places, _empty(dialect, watched), strict=True))
    rows: dict[str, Measured] = {}
    for watch in watched:
        for key, names in kept_by(watch, declared).items():
            over = watch.tables_of(key)
            # What is counted over several tables has a row of the first for each.
            if empty.get(over[0]) and places.keys() >= set(over):
                tables = {table: places[table] for table in over}
                rows[key] = Measured(
                    measure=key,
                    tables=tables,
                    names=names,
                    since=timezone.now(),
                    installation=begun(tables, over),
                    ready=True,
                    audited_at=timezone.now(),
                    drift=0,
                )
    Measured.objects.using(dialect.using).bulk_create(rows.values())
    measures = {measure.key: measure for watch in watched for measure in watch.measures}
    ladders.begin(dialect.using, [measures[key] for key in rows if key in measures])


def _empty(dialect: Dialect, watched: Sequence[Watch]) -> list[bool]:
    """Which tables have no rows while nothing is kept: in one snapshot the two are equal, and
    the triggers see to it that they remain so."""
    nothing = " AND ".join(_none(dialect.table(model)) for model in KEPT)
    tables = [f"{_none(dialect.quote(watch.table))} AND {nothing}" for watch in watched]
    if not tables:
        return []
    with dialect.connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(tables)}")
        return [bool(empty) for empty in cursor.fetchone()]


def _none(table: str) -> str:
    return f"NOT EXISTS (SELECT 1 FROM {table})"
