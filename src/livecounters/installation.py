"""Making the database agree with the declarations: triggers, then numbers, beside the writers.

A new measure is captured first, for a while beside the old ones, then its backfill adds what was
there before, and when it is complete readers switch to it.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connections, transaction
from django.db.models import Q
from django.utils import timezone

from livecounters import audit, emptiness, feed, leases, retention
from livecounters.capture import (
    execute,
    give_up,
    install,
    installed,
    kept_by,
    lost,
    remove,
    state_of,
)
from livecounters.conf import options
from livecounters.dialects import Dialect, Watch, dialect_of
from livecounters.exceptions import Busy
from livecounters.folding import fold, raise_ladders
from livecounters.measures import Measure
from livecounters.models import Bucket, Delta, Ladder, Measured, Member, Rung, Score
from livecounters.registry import Registry, registry
from livecounters.tellings import Telling
from livecounters.watches import names_of, watches

__all__ = ["Report", "ailing", "backfill", "heal", "sync"]

logger = logging.getLogger("livecounters")

# Rows that are told, or dropped, by one transaction.
PORTION = 5_000

# Seconds between two looks whether another process has done it, and for how long: one that was
# killed keeps its turn until its lease ends.
LOOK = 0.5
WAIT = audit.LEASE + 10

Progress = Callable[[str, int, int], None]
"""Called with (names of the counters, done, in all) while numbers are added."""


@dataclass
class Report:
    """What a sync did, by table and by counter.

    ``failed`` says on which tables no triggers could be put now, ``unfinished`` which counters
    could not be backfilled, and why. Their numbers are counted from the source.
    """

    installed: list[str] = field(default_factory=list)
    backfilled: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)


def sync(using: str, declared: Registry = registry, progress: Progress | None = None) -> Report:
    """Make the database agree with the declarations.

    Installs and replaces triggers, backfills what is not measured yet, removes what is no
    longer declared. Safe to run again at any time, also after it was killed, and beside others.
    """
    report = Report()
    dialect = dialect_of(using)
    wanted = watches(using, declared)
    emptiness.begin(dialect, wanted, declared)
    feed.ensure_stream(using)
    measured = {row.measure: row for row in Measured.objects.using(using)}
    keys = {key for watch in wanted for key in kept_by(watch, declared)}
    gone = measured.keys() - keys
    # Before they are no longer captured. One at a time: another release that syncs just now holds
    # rows while it waits for others, in an order of its own.
    for key in sorted(gone):
        Measured.objects.using(using).filter(measure=key).update(ready=False, installation="")
    found = installed(dialect)
    lacking = [
        watch
        for watch in wanted
        if not _in_place(dialect, watch, found.get(watch.table, {}), measured, declared)
    ]
    tables = connections[using].introspection.table_names() if lacking else []
    for watch in lacking:
        if watch.table in tables:
            _install(dialect, watch, declared, report)
        elif not watch.model._meta.managed:
            # Of a managed model, the migration is still to come.
            report.failed.append(f"{watch.table}: there is no such table, or it is a view")
    for table in found.keys() - {watch.table for watch in wanted}:
        try:
            remove(dialect, table)
        except Busy as error:
            report.failed.append(str(error))
        else:
            report.removed.append(table)
    _bring_in_force(dialect, wanted, declared, report, progress, WAIT)
    for key in gone:
        _forget(using, key)
    if report.backfilled:
        fold(using)
    raise_ladders(using, declared=declared)
    return report


def _in_place(
    dialect: Dialect,
    watch: Watch,
    triggers: Mapping[str, str],
    measured: Mapping[str, Measured],
    declared: Registry,
) -> bool:
    """Whether a table's triggers are installed, and all that they capture is remembered."""
    rows = [(measured.get(key), names) for key, names in kept_by(watch, declared).items()]
    return state_of(dialect, watch, triggers) == "installed" and all(
        row is not None and row.installation and watch.table in row.tables and row.names == names
        for row, names in rows
    )


def _install(dialect: Dialect, watch: Watch, declared: Registry, report: Report) -> None:
    try:
        if install(dialect, watch, declared):
            report.installed.append(watch.table)
    except Busy as error:
        report.failed.append(str(error))
    except DatabaseError as error:
        # Not (yet) as the models say.
        report.failed.append(f"{watch.table}: {str(error).strip()}")


# Healing


def ailing(using: str, declared: Registry = registry) -> bool:
    """Whether there is anything to heal; two queries."""
    return _unready(using, watches(using, declared)).exists() or bool(lost(using, declared))


def heal(using: str, declared: Registry = registry, progress: Progress | None = None) -> Report:
    """Put right what went wrong since the last sync: triggers that somebody took away, numbers
    that are captured and not in force (a backfill that was killed, a table that was truncated).

    What is off on purpose, for a migration or by ``sync --remove``, stays off.
    """
    report = Report()
    dialect = dialect_of(using)
    wanted = watches(using, declared)
    for watch in give_up(using, declared) if lost(using, declared) else []:
        if options().INSTALL_ON_MIGRATE:
            _install(dialect, watch, declared, report)
        logger.error(
            "livecounters: the triggers on %s were taken away; its numbers are counted from the "
            "table %s",
            watch.table,
            "until they are complete again."
            if watch.table in report.installed
            else "until you run manage.py livecounters sync.",
        )
    _bring_in_force(dialect, wanted, declared, report, progress)
    return report


def _unready(using: str, wanted: Iterable[Watch]) -> Any:
    keys = [m.key for watch in wanted for m in watch.measures]
    keys += [t.digest for watch in wanted for t in watch.tellings]
    captured = Measured.objects.using(using).exclude(installation="")
    return captured.filter(ready=False, measure__in=keys)


# Numbers


def _bring_in_force(
    dialect: Dialect,
    wanted: Iterable[Watch],
    declared: Registry,
    report: Report,
    progress: Progress | None,
    wait: float = 0,
) -> None:
    """Tell and count what was there before."""
    unready = set(_unready(dialect.using, wanted).values_list("measure", flat=True))
    for watch in wanted:
        _tell_all(dialect, [telling for telling in watch.tellings if telling.digest in unready])
        for measure in watch.own:
            if measure.key in unready:
                names = names_of(measure.key, declared)
                try:
                    if _backfill_in_turn(measure, progress, wait):
                        report.backfilled += names
                except (Busy, DatabaseError) as error:
                    report.unfinished.append(f"{' '.join(names)}: {str(error).strip()}")


def _backfill_in_turn(measure: Measure, progress: Progress | None, wait: float) -> bool:
    """Backfill a measure, or wait until who is at it has done so."""
    end = time.monotonic() + wait
    while True:
        try:
            return backfill(measure, progress)
        except Busy:
            if time.monotonic() >= end:
                raise
        time.sleep(LOOK)


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
    if measure.append_only:
        retention.wait(measure.using)
    audit.repair(measure, now=now, progress=told, told=False)
    # Not if its triggers were taken away meanwhile.
    whole = measured.filter(installation=row.installation, ready=False)
    return bool(whole.update(ready=True, audited_at=now, drift=0))


def _forget(using: str, key: str) -> None:
    """Drop the numbers of a measure that nobody declares any more."""
    name, holder = f"repair:{key}", secrets.token_hex(8)
    if not leases.hold(name, holder, timezone.now(), audit.LEASE, using):
        return  # The next sync will.
    try:
        # Another release may have declared it again meanwhile; its backfill waits for us.
        measured = Measured.objects.using(using).filter(measure=key, installation="")
        if measured.exists():
            for model in (Delta, Bucket, Member, Score):
                _drop(using, model, key, name, holder)
            for order in (Ladder, Rung):
                order._base_manager.using(using).filter(measure=key).delete()
            measured.delete()
    finally:
        leases.release(name, holder, using)


def _drop(using: str, model: Any, key: str, name: str, holder: str) -> None:
    """Delete a measure's rows, in portions of whole scopes."""
    rows = model._default_manager.using(using).filter(measure=key)
    scopes = rows.order_by("scope").values_list("scope", flat=True)
    last: str | None = ""
    while last is not None:
        last = _nth(scopes, PORTION)
        with transaction.atomic(using=using):
            if not leases.keep(name, holder, using):
                raise Busy(f"another process has taken over {name}.")
            leases.hold(name, holder, timezone.now(), audit.LEASE, using)
            (rows if last is None else rows.filter(scope__lte=last)).delete()


def _nth(values: Any, n: int) -> Any:
    found = list(values[n : n + 1])
    return found[0] if found else None


# Events


def _tell_all(dialect: Dialect, tellings: Iterable[Telling]) -> None:
    """Make events of the rows that were there before, silently: their epoch is a new one."""
    for telling in tellings:
        measured = Measured.objects.using(dialect.using).filter(measure=telling.digest)
        row = measured.first()
        before = feed.newest_id(dialect.using)
        for some in _by_key(telling, dialect.using):
            with transaction.atomic(using=dialect.using):
                # One at a time: where it takes two statements, two could both find rows untold.
                measured.select_for_update().first()
                execute(dialect, dialect.tell_all_sql(telling, some))
        if feed.newest_id(dialect.using) != before:
            feed.renumber(dialect.using)
        if row is not None:
            measured.filter(installation=row.installation).update(ready=True)


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
