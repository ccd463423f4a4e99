"""Installing what the declarations say: triggers, backfill, and taking them away again.

Invariant: a measure is *measured* (has a row in ``Measured``) only while its triggers are in
place without a gap since its backfill. Whoever takes triggers away takes that row away first,
in the same transaction; readers then count the source itself until it is back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from django.apps import apps
from django.db import DatabaseError, connections, models, transaction
from django.db.migrations import Migration
from django.db.models import Q
from django.utils import timezone

from livecounters import feed
from livecounters.dialects import Dialect, Watch, dialect_of
from livecounters.exceptions import Unmeasurable
from livecounters.folding import fold
from livecounters.measures import Measure, measure_of
from livecounters.models import ActivityEvent, Bucket, Delta, Measured
from livecounters.registry import Registry, registry
from livecounters.tellings import Telling, telling_of

__all__ = ["Report", "State", "detach", "detach_for", "states", "sync", "watches"]

logger = logging.getLogger("livecounters")


class State(NamedTuple):
    """How the triggers of one table stand.

    ``state`` is *installed*, *outdated* (of another declaration), *missing*, or *orphaned*
    (nothing is declared about the table any more).
    """

    table: str
    state: str


@dataclass
class Report:
    """What a sync did, by table and by counter; ``failed`` says which tables could not be
    served now, and why. Their numbers are counted from the source."""

    installed: list[str] = field(default_factory=list)
    backfilled: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def watches(using: str, declared: Registry = registry) -> list[Watch]:
    """Everything to be watched in one database, the table of events last.

    Raises ``Unmeasurable`` for a declaration that cannot be kept.
    """
    measures: dict[type[models.Model], dict[str, Measure]] = {}
    tellings: dict[type[models.Model], list[Telling]] = {}
    for activity in declared.activities:
        telling = _named(activity, telling_of)
        if telling.using == using:
            tellings.setdefault(_concrete(telling.model), []).append(telling)
    for counter in declared.counters:
        measure = _named(counter, measure_of)
        if measure.using == using:
            measures.setdefault(_concrete(measure.model), {})[measure.key] = measure
    found = [
        Watch(model, tuple(measures.get(model, {}).values()), tuple(tellings.get(model, ())))
        for model in dict.fromkeys([*tellings, *measures])
    ]
    return sorted(found, key=lambda watch: watch.model is ActivityEvent)


def _concrete(model: type[models.Model]) -> type[models.Model]:
    concrete = model._meta.concrete_model
    return concrete if concrete is not None else model


def _named(entry: Any, derive: Any) -> Any:
    try:
        return derive(entry)
    except Unmeasurable as error:
        raise Unmeasurable(error.check_id, f"{entry}: {error}", error.hint) from error


def names_of(key: str, declared: Registry = registry) -> list[str]:
    """The counters that read a measure."""
    return [entry.full_name for entry in declared.counters if measure_of(entry).key == key]


# State


def _installed(dialect: Dialect) -> dict[str, dict[str, str]]:
    """Table -> trigger name -> digest, of all triggers of ours."""
    found: dict[str, dict[str, str]] = {}
    with dialect.connection.cursor() as cursor:
        cursor.execute(dialect.installed_sql())
        for table, name, digest in cursor.fetchall():
            found.setdefault(table, {})[name] = digest
    return found


def _state(dialect: Dialect, watch: Watch, triggers: dict[str, str]) -> str:
    wanted = {f"{watch.name}_{operation}" for operation in watch.operations}
    if not wanted <= set(triggers):
        return "missing"
    digests = {triggers[name] for name in wanted}
    if digests == {dialect.digest(watch)} and wanted == set(triggers):
        return "installed"
    return "outdated"


def states(using: str, declared: Registry = registry) -> list[State]:
    """How the triggers of each table stand, in one database."""
    dialect = dialect_of(using)
    installed = _installed(dialect)
    found = [
        State(watch.table, _state(dialect, watch, installed.pop(watch.table, {})))
        for watch in watches(using, declared)
    ]
    return found + [State(table, "orphaned") for table in installed]


# Installing


def ready(using: str) -> bool:
    """Whether our tables are there."""
    tables = connections[using].introspection.table_names()
    return all(
        model._meta.db_table in tables for model in apps.get_app_config("livecounters").get_models()
    )


def sync(using: str, declared: Registry = registry) -> Report:
    """Make the database agree with the declarations.

    Installs and replaces triggers, backfills what is not measured yet, removes what is no
    longer declared. Safe to run again at any time.
    """
    report = Report()
    dialect = dialect_of(using)
    installed = _installed(dialect)
    wanted = watches(using, declared)
    tables = set(connections[using].introspection.table_names())
    feed.ensure_stream(using)
    for watch in wanted:
        if watch.table in tables:
            try:
                _sync_table(dialect, watch, installed.pop(watch.table, {}), report)
            except DatabaseError as error:
                # The table is locked for long, or not (yet) as the models say.
                report.failed.append(f"{watch.table}: {str(error).strip()}")
    for table, triggers in installed.items():
        with transaction.atomic(using=using):
            _remove(dialect, table, triggers)
        report.removed.append(table)
    _forget(using, {measure.key for watch in wanted for measure in watch.measures})
    if report.backfilled:
        fold(using)
    return report


def _sync_table(dialect: Dialect, watch: Watch, triggers: dict[str, str], report: Report) -> None:
    measured = set(
        Measured.objects.using(dialect.using)
        .filter(key__in=[measure.key for measure in watch.measures])
        .values_list("key", flat=True)
    )
    new = [measure for measure in watch.measures if measure.key not in measured]
    state = _state(dialect, watch, triggers)
    if state == "installed" and not new:
        return
    with transaction.atomic(using=dialect.using):
        _execute(dialect, dialect.prepare_sql(watch))
        if state == "missing":
            # Whatever happened while there was no trigger is not in the numbers.
            new = list(watch.measures)
        if state != "installed":
            _remove(dialect, watch.table, triggers)
            _execute(dialect, dialect.install_sql(watch))
            _tell_all(dialect, watch)
        for measure in new:
            _backfill(dialect, measure, watch.table)
    report.installed += [watch.table] if state != "installed" else []
    report.backfilled += [name for measure in new for name in names_of(measure.key)]


def _backfill(dialect: Dialect, measure: Measure, table: str) -> None:
    _clear(dialect.using, Q(measure=measure.key))
    _execute(dialect, [dialect.backfill_sql(measure)])
    Measured.objects.using(dialect.using).update_or_create(
        key=measure.key,
        defaults={
            "table": table,
            "names": " ".join(names_of(measure.key)),
            "since": timezone.now(),
        },
    )


def _tell_all(dialect: Dialect, watch: Watch) -> None:
    told = False
    for telling in watch.tellings:
        before = feed.newest_id(dialect.using)
        _execute(dialect, dialect.tell_all_sql(telling))
        told = told or feed.newest_id(dialect.using) != before
    if told:
        feed.renumber(dialect.using)


def _execute(dialect: Dialect, statements: Iterable[str]) -> None:
    with dialect.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


# Removing


def _remove(dialect: Dialect, table: str, triggers: Iterable[str]) -> None:
    for name in triggers:
        _execute(dialect, dialect.remove_sql(table, name))


def _clear(using: str, condition: Q) -> None:
    Delta.objects.using(using).filter(condition).delete()
    Bucket.objects.using(using).filter(condition).delete()


def _forget(using: str, keys: set[str]) -> None:
    """Drop the numbers of measures that nobody declares any more."""
    gone = list(Measured.objects.using(using).exclude(key__in=keys).values_list("key", flat=True))
    if gone:
        with transaction.atomic(using=using):
            Measured.objects.using(using).filter(key__in=gone).delete()
            _clear(using, Q(measure__in=gone))


def detach(using: str, tables: Iterable[str] | None = None) -> list[str]:
    """Take the triggers off these tables (all, if not given); their measures are counted from
    the source until the next :func:`sync`. Answers the tables that had any."""
    dialect = dialect_of(using)
    chosen = None if tables is None else set(tables)
    detached = []
    for table, triggers in _installed(dialect).items():
        if chosen is None or table in chosen:
            with transaction.atomic(using=using):
                Measured.objects.using(using).filter(table=table).delete()
                _remove(dialect, table, triggers)
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
    return detach(using, set(_installed(dialect_of(using))) - untouched)


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


def supported(using: str) -> bool:
    """Whether there are triggers for this database."""
    try:
        dialect_of(using)
    except Unmeasurable:
        return False
    return True
