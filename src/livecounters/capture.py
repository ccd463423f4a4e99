"""Triggers: how they stand, putting them in place, taking them away.

Invariant: a measure is *ready* (see ``Measured``) only while its triggers are in place without a
gap since its backfill. Whoever takes triggers away says first that their measures are not;
readers then count the source itself until they are again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import NamedTuple

from django.apps import apps
from django.db import OperationalError, connections, models, transaction
from django.db.migrations import Migration

from livecounters.dialects import Dialect, Watch, dialect_of
from livecounters.exceptions import Unmeasurable
from livecounters.models import ActivityEvent, Measured
from livecounters.registry import Registry, registry
from livecounters.watches import watches

__all__ = ["State", "detach", "detach_for", "execute", "install", "ready", "states", "supported"]

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


def install(dialect: Dialect, watch: Watch, triggers: Iterable[str]) -> None:
    """Put a table's triggers in place of those that are there, without a gap.

    When it returns, every transaction that wrote without them is over. Gives up with the
    database's error when the table is in use for too long.
    """
    stale = set(triggers) - _names(dialect, watch)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _together(dialect):
                execute(dialect, dialect.prepare_sql(watch))
                execute(dialect, dialect.install_sql(watch))
                _remove(dialect, watch.table, stale)
            return
        except OperationalError as error:
            if attempt == ATTEMPTS or not dialect.in_use(error):
                raise
            # Let the writers that queued up behind us go first.
            time.sleep(PAUSE * (1 + random.random()))


def _together(dialect: Dialect) -> AbstractContextManager[object]:
    """A transaction, where definitions can be part of one."""
    if dialect.connection.features.can_rollback_ddl:
        return transaction.atomic(using=dialect.using)
    return nullcontext()


def execute(dialect: Dialect, statements: Iterable[str]) -> None:
    """Run statements whose values are written out."""
    with dialect.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


# Removing


def remove(dialect: Dialect, table: str, triggers: Iterable[str]) -> None:
    """Take triggers off a table; from then on its measures are counted from the source."""
    with _together(dialect):
        not_captured(dialect.using, table)
        _remove(dialect, table, triggers)


def not_captured(using: str, table: str) -> None:
    """Say that the numbers of a table's measures are not to be read."""
    Measured.objects.using(using).filter(table=table).update(ready=False, installation="")


def _remove(dialect: Dialect, table: str, triggers: Iterable[str]) -> None:
    for name in triggers:
        execute(dialect, dialect.remove_sql(table, name))


def detach(using: str, tables: Iterable[str] | None = None) -> list[str]:
    """Take the triggers off these tables (all, if not given); their measures are counted from
    the source until the next sync. Answers the tables that had any."""
    dialect = dialect_of(using)
    chosen = None if tables is None else set(tables)
    detached = []
    for table, triggers in installed(dialect).items():
        if chosen is None or table in chosen:
            remove(dialect, table, triggers)
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
