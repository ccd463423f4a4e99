"""Triggers: how they stand, putting them in place, taking them away.

Invariant: a measure is *ready* (see ``Measured``) only while its triggers are in place without a
gap since its backfill. Whoever takes triggers away says first that their measures are not;
readers then count the source itself until they are again. Activities have such a row too: one
that is not ready has rows that were not told yet.

Only one process at a time changes triggers, and says so in the transaction that does; so the
releases of a rolling deploy may sync in any order.
"""

from __future__ import annotations

import hashlib
import random
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import NamedTuple

from django.apps import apps
from django.db import OperationalError, connections, models
from django.db.migrations import Migration
from django.utils import timezone

from livecounters.dialects import Dialect, Watch, dialect_of
from livecounters.exceptions import Busy, Unmeasurable
from livecounters.folding import alone
from livecounters.models import ActivityEvent, Measured
from livecounters.registry import Registry, registry
from livecounters.watches import names_of, watches

__all__ = [
    "State",
    "begun",
    "detach",
    "detach_for",
    "execute",
    "give_up",
    "install",
    "kept_by",
    "lost",
    "ready",
    "remove",
    "states",
    "supported",
]

# A writer waits for the lock no longer than one attempt (see ``prepare_sql``).
ATTEMPTS = 5
PAUSE = 0.3


class State(NamedTuple):
    """How the triggers of one table stand.

    ``state`` is *installed*, *outdated* (of another declaration), *missing*, or *orphaned*
    (nothing is declared about the table any more).
    """

    table: str
    state: str


def supported(using: str) -> bool:
    """Whether there are triggers for this database."""
    try:
        dialect_of(using)
    except Unmeasurable:
        return False
    return True


def ready(using: str) -> bool:
    """Whether our tables are there."""
    tables = connections[using].introspection.table_names()
    return all(
        model._meta.db_table in tables for model in apps.get_app_config("livecounters").get_models()
    )


# State


def installed(dialect: Dialect) -> dict[str, dict[str, str]]:
    """Table -> trigger name -> digest, of all triggers of ours."""
    found: dict[str, dict[str, str]] = {}
    with dialect.connection.cursor() as cursor:
        cursor.execute(dialect.installed_sql())
        for table, name, digest in cursor.fetchall():
            found.setdefault(table, {})[name] = digest
    return found


def state_of(dialect: Dialect, watch: Watch, triggers: Mapping[str, str]) -> str:
    """How the triggers of a table stand to what is declared about it."""
    wanted = _names(dialect, watch)
    if not wanted <= set(triggers):
        return "missing"
    if {triggers[name] for name in wanted} == {dialect.digest(watch)} and wanted == set(triggers):
        return "installed"
    return "outdated"


def _names(dialect: Dialect, watch: Watch) -> set[str]:
    return {f"{watch.name}_{operation}" for operation in dialect.operations(watch)}


def states(using: str, declared: Registry = registry) -> list[State]:
    """How the triggers of each table stand, in one database."""
    dialect = dialect_of(using)
    found = installed(dialect)
    known = [
        State(watch.table, state_of(dialect, watch, found.pop(watch.table, {})))
        for watch in watches(using, declared)
    ]
    return known + [State(table, "orphaned") for table in found]


# Installing


def kept_by(watch: Watch, declared: Registry = registry) -> dict[str, str]:
    """What a table's triggers keep: key -> names, of measures and of activities."""
    measures = {
        measure.key: " ".join(names_of(measure.key, declared)) for measure in watch.measures
    }
    return measures | {telling.digest: telling.kind for telling in watch.tellings}


def install(dialect: Dialect, watch: Watch, declared: Registry = registry) -> bool:
    """Put a table's triggers in place of those that are there, without a gap, and say which
    measures they capture. Answers whether there was anything to put in place.

    When it returns, every transaction that wrote without them is over. Raises ``Busy`` when the
    table is in use for too long.
    """
    return _patiently(dialect, watch.table, lambda: _install(dialect, watch, declared))


def _install(dialect: Dialect, watch: Watch, declared: Registry) -> bool:
    triggers = installed(dialect).get(watch.table, {})
    state = state_of(dialect, watch, triggers)
    kept = kept_by(watch, declared)
    if state != "installed":
        _try_out(dialect, watch)
        execute(dialect, dialect.prepare_sql(watch))
        # Whatever happened while there was no trigger is not in the numbers, and what these
        # triggers do not know will not be.
        not_captured(dialect.using, watch.table, () if state == "missing" else kept)
        execute(dialect, dialect.install_sql(watch))
        _remove(dialect, watch.table, set(triggers) - _names(dialect, watch))
    for key, names in kept.items():
        _captured(dialect.using, key, watch, names)
    return state != "installed"


def _try_out(dialect: Dialect, watch: Watch) -> None:
    """Fail if the database is not as the models say: it would take such triggers without a
    word, and then fail the host's writes."""
    execute(
        dialect, [f"SELECT 1 FROM ({dialect.rows(rows)}) r WHERE 1 = 0" for rows in watch.querysets]
    )


def _captured(using: str, key: str, watch: Watch, names: str) -> None:
    """Say that a measure is captured from this table from now on, if it was not before; from
    the last of its tables on it is captured."""
    row = Measured.objects.using(using).filter(measure=key).first()
    if row is None:
        row = Measured(measure=key, since=timezone.now())
    elif watch.table in row.tables and row.names == names:
        return
    row.names = names
    if watch.table not in row.tables:
        row.tables[watch.table] = secrets.token_hex(8)
        row.since = timezone.now()
        row.ready = False
        row.installation = begun(row.tables, watch.tables_of(key))
    row.save(using=using)


def begun(tables: Mapping[str, str], wanted: Iterable[str]) -> str:
    """The installation of a measure whose triggers are on these tables; '' until they are on
    all that are wanted."""
    wanted = sorted(wanted)
    if not tables.keys() >= set(wanted):
        return ""
    return hashlib.sha256("".join(tables[one] for one in wanted).encode()).hexdigest()[:16]


def _patiently(dialect: Dialect, table: str, change: Callable[[], bool]) -> bool:
    """Change a table's triggers as soon as nobody uses it; each attempt is short, so that
    nobody waits for long behind it."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with alone(dialect, atomic=dialect.connection.features.can_rollback_ddl):
                return change()
        except OperationalError as error:
            if not dialect.in_use(error):
                raise
            if attempt == ATTEMPTS:
                raise Busy(
                    f"{table}: in use by a transaction that does not end; given up after "
                    f"{ATTEMPTS} attempts. End it first."
                ) from error
            # Let the writers that queued up behind us go first.
            time.sleep(PAUSE * (1 + random.random()))
    raise AssertionError


def execute(dialect: Dialect, statements: Iterable[str]) -> None:
    """Run statements whose values are written out."""
    with dialect.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


# Removing


def remove(dialect: Dialect, table: str) -> None:
    """Take our triggers off a table; from then on its measures are counted from the source.

    Raises ``Busy`` when the table is in use for too long.
    """

    def change() -> bool:
        execute(dialect, dialect.prepare_removal_sql(table))
        not_captured(dialect.using, table)
        _remove(dialect, table, installed(dialect).get(table, ()))
        return True

    _patiently(dialect, table, change)


def not_captured(using: str, table: str, but: Iterable[str] = ()) -> None:
    """Say that the numbers of a table's measures are not to be read."""
    kept = set(but)
    for row in Measured.objects.using(using):
        if row.measure not in kept and row.tables.pop(table, None):
            row.ready, row.installation = False, ""
            row.save(using=using, update_fields=["tables", "ready", "installation"])


def _remove(dialect: Dialect, table: str, triggers: Iterable[str]) -> None:
    for name in triggers:
        execute(dialect, dialect.remove_sql(table, name))


def lost(using: str, declared: Registry = registry) -> list[Watch]:
    """The tables whose triggers somebody else has taken away: a table that was rebuilt by hand,
    a dropped trigger. Those that we took away ourselves, for a migration, are not lost.
    """
    dialect = dialect_of(using)
    tables = {table for row in Measured.objects.using(using) for table in row.tables}
    found = installed(dialect)
    return [
        watch
        for watch in watches(using, declared)
        if watch.table in tables
        and state_of(dialect, watch, found.get(watch.table, {})) == "missing"
    ]


def give_up(using: str, declared: Registry = registry) -> list[Watch]:
    """Count the measures of lost tables from the source from now on. Answers these tables."""
    with alone(dialect_of(using)):
        found = lost(using, declared)
        for watch in found:
            not_captured(using, watch.table)
    return found


def detach(using: str, tables: Iterable[str] | None = None) -> list[str]:
    """Take the triggers off these tables (all, if not given); their measures are counted from
    the source until the next sync. Answers the tables that had any.

    Raises ``Busy`` when one is in use for too long.
    """
    dialect = dialect_of(using)
    chosen = None if tables is None else set(tables)
    detached = []
    for table in installed(dialect):
        if chosen is None or table in chosen:
            remove(dialect, table)
            detached.append(table)
    return detached


def detach_for(plan: Iterable[tuple[Migration, bool]], using: str) -> list[str]:
    """Take the triggers off every table that a migration plan may touch.

    A trigger that names a column or table which a migration renames would fail the host's
    writes; and SQLite drops or refuses triggers when it remakes a table.
    """
    migrations = [migration for migration, _ in plan]
    if not migrations or not ready(using):
        return []
    if any(migration.app_label == "livecounters" for migration in migrations):
        return detach(using)
    current = watches(using)
    untouched = {
        watch.table
        for watch in current
        if not any(_touches(migration, table) for migration in migrations for table in watch.tables)
    }
    # A table that no declaration names is one that this plan renames or drops, or an orphan.
    return detach(using, set(installed(dialect_of(using))) - untouched)


def _touches(migration: Migration, table: str) -> bool:
    model = _model_of(table)
    if model is ActivityEvent:
        return False  # only our own migrations touch it
    return model is None or any(
        operation.references_model(model._meta.model_name or "", model._meta.app_label)
        for operation in migration.operations
    )


@cache
def _model_of(table: str) -> type[models.Model] | None:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.db_table == table:
            return model
    return None
