"""Making the database agree with the declarations: triggers, then numbers, beside the writers.

A new measure is captured first, for a while beside the old ones, then its backfill adds what was
there before, and when it is complete readers switch to it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connections
from django.db.models import Q
from django.utils import timezone

from livecounters import audit, feed
from livecounters.capture import execute, install, installed, not_captured, remove, state_of
from livecounters.dialects import Dialect, Watch, dialect_of
from livecounters.exceptions import Busy
from livecounters.folding import fold
from livecounters.measures import Measure
from livecounters.models import Bucket, Delta, Measured, Member
from livecounters.registry import Registry, registry
from livecounters.tellings import Telling
from livecounters.watches import names_of, watches

__all__ = ["Report", "backfill", "sync"]

logger = logging.getLogger("livecounters")

# Rows that are told, or dropped, by one transaction.
PORTION = 5_000

Progress = Callable[[str, int, int], None]
"""Called with (names of the counters, done, in all) while numbers are added."""


@dataclass
class Report:
    """What a sync did, by table and by counter; ``failed`` says which tables could not be
    served now, and why. Their numbers are counted from the source."""

    installed: list[str] = field(default_factory=list)
    backfilled: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def sync(using: str, declared: Registry = registry, progress: Progress | None = None) -> Report:
    """Make the database agree with the declarations.

    Installs and replaces triggers, backfills what is not measured yet, removes what is no
    longer declared. Safe to run again at any time, also after it was killed.
    """
    report = Report()
    dialect = dialect_of(using)
    wanted = watches(using, declared)
    measured = Measured.objects.using(using)
    if not measured.exists():
        # A new database, or one that was flushed: what is kept is of nothing that there is.
        for model in (Delta, Bucket, Member):
            model._default_manager.using(using).all().delete()
    feed.ensure_stream(using)
    gone = measured.exclude(measure__in=[m.key for watch in wanted for m in watch.measures])
    # Before they are no longer captured.
    gone.update(ready=False, installation="")
    found = installed(dialect)
    tables = set(connections[using].introspection.table_names())
    for watch in wanted:
        triggers = found.pop(watch.table, {})
        if watch.table in tables:
            try:
                _capture(dialect, watch, triggers, report)
            except DatabaseError as error:
                # The table is locked for long, or not (yet) as the models say.
                report.failed.append(f"{watch.table}: {str(error).strip()}")
    for table, triggers in found.items():
        remove(dialect, table, triggers)
        report.removed.append(table)
    for watch in wanted:
        _backfill_all(using, watch.measures, report, progress)
    _forget(using, list(gone.values_list("measure", flat=True)))
    if report.backfilled:
        fold(using)
    return report


def _capture(dialect: Dialect, watch: Watch, triggers: dict[str, str], report: Report) -> None:
    state = state_of(dialect, watch, triggers)
    if state == "missing":
        # Whatever happened while there was no trigger is not in the numbers.
        not_captured(dialect.using, watch.table)
    if state != "installed":
        install(dialect, watch, triggers)
        report.installed.append(watch.table)
    for measure in watch.measures:
        _captured(dialect.using, measure, watch.table)
    if state != "installed":
        _tell_all(dialect, watch)


def _captured(using: str, measure: Measure, table: str) -> None:
    """Say that a measure is captured from now on, if it was not before."""
    measured = Measured.objects.using(using)
    names = " ".join(names_of(measure.key))
    begun = {"table": table, "since": timezone.now(), "installation": secrets.token_hex(8)}
    row, new = measured.get_or_create(measure=measure.key, defaults={"names": names, **begun})
    if new:
        return
    if not row.installation:
        measured.filter(measure=measure.key, installation="").update(**begun)
    if row.names != names:
        measured.filter(measure=measure.key).update(names=names)


# Numbers


def _backfill_all(
    using: str, measures: Iterable[Measure], report: Report, progress: Progress | None
) -> None:
    for measure in measures:
        try:
            if backfill(measure, progress):
                report.backfilled += names_of(measure.key)
        except Busy as error:
            logger.info("livecounters: %s", error)
        except DatabaseError as error:
            names = " ".join(names_of(measure.key))
            report.failed.append(f"{names}: {str(error).strip()}")


def backfill(measure: Measure, progress: Progress | None = None) -> bool:
    """Bring a captured measure in force: add what was there before. Answers whether it did.

    Raises ``Busy`` while another process does.
    """
    measured = Measured.objects.using(measure.using).filter(measure=measure.key)
    row = measured.filter(ready=False).exclude(installation="").first()
    if row is None:
        return False

    def told(done: int, number: int) -> None:
        if progress is not None:
            progress(row.names, done, number)

    now = timezone.now()
    audit.repair(measure, now=now, progress=told, told=False)
    # Not if its triggers were taken away meanwhile.
    whole = measured.filter(installation=row.installation)
    return bool(whole.update(ready=True, audited_at=now, drift=0))


def _forget(using: str, keys: list[str]) -> None:
    """Drop the numbers of measures that nobody declares any more."""
    for key in keys:
        for model in (Delta, Bucket, Member):
            _drop(using, model, key)
        Measured.objects.using(using).filter(measure=key).delete()


def _drop(using: str, model: Any, key: str) -> None:
    """Delete a measure's rows, in portions of whole scopes."""
    rows = model._default_manager.using(using).filter(measure=key)
    while True:
        last = _nth(rows.order_by("scope").values_list("scope", flat=True), PORTION)
        if last is None:
            break
        rows.filter(scope__lte=last).delete()
    rows.delete()


def _nth(values: Any, n: int) -> Any:
    found = list(values[n : n + 1])
    return found[0] if found else None


# Events


def _tell_all(dialect: Dialect, watch: Watch) -> None:
    """Make events of the rows that were there before, silently: their epoch is a new one."""
    told = False
    for telling in watch.tellings:
        before = feed.newest_id(dialect.using)
        for some in _by_key(telling, dialect.using):
            execute(dialect, dialect.tell_all_sql(telling, some))
        told = told or feed.newest_id(dialect.using) != before
    if told:
        feed.renumber(dialect.using)


def _by_key(telling: Telling, using: str) -> Iterable[Any]:
    """The telling's rows in portions, so that no writer waits for many."""
    rows = telling.rows.using(using)
    keys = telling.model._default_manager.using(using).order_by("pk").values_list("pk", flat=True)
    last = None
    while (
        end := _nth(keys if last is None else keys.filter(pk__gt=last), PORTION - 1)
    ) is not None:
        yield rows.filter(_above(last), pk__lte=end)
        last = end
    yield rows.filter(_above(last))


def _above(last: Any) -> Q:
    return Q() if last is None else Q(pk__gt=last)
