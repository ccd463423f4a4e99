"""Retention: what is kept for a while only, from when on, and taking away the rest.

Days and the sums of all times are kept for good, so no number changes. Small buckets go a day
after the last moment at which anybody reads or audits them, so that nobody misses them. Events
go only after every measure over them has a *floor*: what is below it is known from the buckets
alone, and neither audited nor repaired. Samples of gauges just go.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db import models, router, transaction
from django.db.models import Max, Min, Q, QuerySet
from django.utils import timezone

from livecounters import ladders
from livecounters.conf import options
from livecounters.dialects import Dialect, dialect_of
from livecounters.folding import alone
from livecounters.measures import Measure, counted_databases, declared_measures
from livecounters.models import ActivityEvent, Bucket, Measured, Member, Sample, Stream
from livecounters.windows import DAY, EARLIEST, MINUTE, QUARTER, Clock, Grain

__all__ = ["databases", "floor_of", "kept_since", "portions", "prune", "wait"]

logger = logging.getLogger("livecounters")

# Rows that are removed by one transaction, and by one statement.
PORTION = 1_000
BATCH = 100

# For so long what is not read any more stays, in seconds: for readers whose clock is slow.
MARGIN = DAY

SIZES = {Grain.MINUTE: MINUTE, Grain.QUARTER: QUARTER}


def kept_since(measure: Measure, grain: Grain, now: dt.datetime) -> int:
    """The start of the first bucket of a grain that can be relied on; older ones may be gone."""
    days = None
    if grain is Grain.MINUTE:
        days = options().minutes
    elif grain is Grain.QUARTER and not measure.personal:
        days = options().quarter_hours
    if days is None:
        return EARLIEST
    return -(-(measure.clock.stamp(now) - days * DAY) // SIZES[grain]) * SIZES[grain]


def databases() -> list[str]:
    """The databases in which there may be something to prune."""
    return list(dict.fromkeys([*counted_databases(), router.db_for_write(Sample)]))


def prune(using: str, now: dt.datetime) -> Counter[str]:
    """Remove from one database what need not be kept; answers how many rows of what.

    Safe beside readers, writers, folders, audits and repairs, and at any point of death: each
    portion is a short transaction, and whoever goes on finds the rest.
    """
    removed: Counter[str] = Counter()
    for what, number in portions(using, now):
        removed[what] += number
    return removed


def portions(using: str, now: dt.datetime) -> Iterator[tuple[str, int]]:
    """Prune a portion at each step: (what, how many rows of it)."""
    if timezone.is_naive(now):
        now = timezone.make_aware(now)
    dialect = dialect_of(using)
    measures = [measure for measure in declared_measures() if measure.using == using]
    for measure in measures:
        for model in (Bucket,) if measure.member is None else (Bucket, Member):
            for number in _prune_sums(dialect, measure, model, now):
                yield model._meta.model_name or "", number
        if ladders.ranked(measure):
            for number in _apart(dialect, ladders.prune(using, measure, now)):
                yield "score", number
    if using == router.db_for_write(ActivityEvent):
        over_events = [measure for measure in measures if measure.append_only]
        for number in _prune_events(using, over_events, now):
            yield "event", number
    if using == router.db_for_write(Sample):
        for number in _prune_samples(using, now):
            yield "sample", number


def _apart(dialect: Dialect, steps: Iterator[int]) -> Iterator[int]:
    """Each step while nobody else changes the buckets."""
    while True:
        with alone(dialect):
            number = next(steps, None)
        if number is None:
            return
        yield number


# Buckets


def _prune_sums(
    dialect: Dialect, measure: Measure, model: type[models.Model], now: dt.datetime
) -> Iterator[int]:
    gone, scope = _gone(dialect, measure, model, now), ""
    found: list[Any] = [None] * PORTION
    while len(found) == PORTION:
        # Looked for without a lock, which takes as long as there are rows that stay.
        found = _find(dialect, model, gone, scope)
        if found:
            scope = found[-1][1]
            yield _remove(dialect, model, gone, found)


def _gone(dialect: Dialect, measure: Measure, model: type[models.Model], now: dt.datetime) -> str:
    """Which rows of a measure go: small buckets of long ago, and those that say nothing.

    Of members and of how many were last where the same moments go; in which order does not
    matter, since nobody looks there any more.
    """
    keys = {field.name for field in model._meta.pk_fields}
    sums = [
        f"{f.column} = 0" for f in model._meta.concrete_fields if f.column and f.name not in keys
    ]
    chosen = [" AND ".join(sums)]
    for grain in SIZES:
        since = kept_since(measure, grain, now)
        if since > EARLIEST:
            chosen.append(f"grain = {grain.value} AND start < {since - MARGIN}")
    conditions = " OR ".join(f"({condition})" for condition in chosen)
    return f"measure = {dialect.literal(measure.key)} AND ({conditions})"


def _keys(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.pk_fields]


def _find(dialect: Dialect, model: type[models.Model], gone: str, scope: str) -> list[Any]:
    """The keys of some rows that go, from a scope on."""
    with dialect.connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(_keys(model))} FROM {dialect.table(model)} "
            f"WHERE {gone.replace('%', '%%')} AND scope >= %s ORDER BY scope LIMIT {PORTION}",
            [scope],
        )
        return list(cursor.fetchall())


def _remove(dialect: Dialect, model: type[models.Model], gone: str, found: Sequence[Any]) -> int:
    # A bucket that said nothing may have got something meanwhile: hence ``gone`` again.
    one = f"({' AND '.join(f'{key} = %s' for key in _keys(model))})"
    removed = 0
    with alone(dialect), dialect.connection.cursor() as cursor:
        for start in range(0, len(found), BATCH):
            some = found[start : start + BATCH]
            cursor.execute(
                f"DELETE FROM {dialect.table(model)} WHERE ({' OR '.join([one] * len(some))}) "
                f"AND {gone.replace('%', '%%')}",
                [value for keys in some for value in keys],
            )
            removed += cursor.rowcount
    return removed


# Events


def _prune_events(using: str, measures: Sequence[Measure], now: dt.datetime) -> Iterator[int]:
    days = options().events
    if days is None:
        return
    # Whole seconds, as the stamps of floors are.
    cutoff = now.replace(microsecond=0) - dt.timedelta(days=days)
    floors = {measure.key: floor_of(measure.clock, cutoff) for measure in measures}
    for key, floor in floors.items():
        lower = Q(floor=None) | Q(floor__lt=floor)
        Measured.objects.using(using).filter(lower, measure=key, ready=True).update(floor=floor)
    old, last = _old(using, cutoff), 0
    ids = [0] * PORTION
    while len(ids) == PORTION:
        ids = list(old.filter(id__gt=last).order_by("id").values_list("id", flat=True)[:PORTION])
        if not ids:
            return
        last = ids[-1]
        number = _remove_events(using, old.filter(id__in=ids), floors)
        if number is None:
            logger.warning(
                "livecounters: no events are pruned, because not all counters over events are in "
                "force; manage.py livecounters sync brings them there."
            )
            return
        yield number


def floor_of(clock: Clock, cutoff: dt.datetime) -> int:
    """The midnight at or above a moment: where a floor may be."""
    stamp = clock.stamp(cutoff)
    midnight = clock.day_start(stamp)
    if midnight == stamp:
        return midnight
    return clock.midnight(clock.day(stamp) + dt.timedelta(days=1))


def _old(using: str, cutoff: dt.datetime) -> QuerySet[ActivityEvent]:
    """The events that go. Not those that nobody has told yet, and none before the calendar
    begins, which have no day to be remembered in."""
    first = dt.datetime(1, 1, 3, tzinfo=dt.UTC)
    ends = (first, cutoff)
    if not settings.USE_TZ:
        ends = (first.replace(tzinfo=None), timezone.make_naive(cutoff))
    events = ActivityEvent.objects.using(using)
    return events.filter(at__gte=ends[0], at__lt=ends[1], seq__isnull=False)


def _remove_events(using: str, some: QuerySet[ActivityEvent], floors: dict[str, int]) -> int | None:
    """Remove a portion; ``None`` if a measure could still need it."""
    with transaction.atomic(using=using):
        stream = _locked(using)
        if not _known_without(using, floors):
            return None
        newest = some.aggregate(newest=Max("seq"))["newest"]
        number, _ = some.delete()
        if stream is not None and newest is not None and newest > stream.pruned:
            stream.pruned = newest
            stream.save(update_fields=["pruned"])
    return number


def _known_without(using: str, floors: dict[str, int]) -> bool:
    """Whether every measure over events knows from its buckets what is below its floor."""
    table = ActivityEvent._meta.db_table
    found = [row for row in Measured.objects.using(using) if table in row.tables]
    kept = {row.measure: row.floor for row in found if row.ready}
    return (
        len(kept) == len(found)
        and kept.keys() == floors.keys()
        and all(floor is not None and floor >= floors[key] for key, floor in kept.items())
    )


def wait(using: str) -> None:
    """Let a portion of events that is being removed be removed. Who has said before that a
    measure has no floor yet will find all events from here on that others find."""
    with transaction.atomic(using=using):
        _locked(using)


def _locked(using: str) -> Stream | None:
    return Stream.objects.using(using).select_for_update().first()


# Samples


def _prune_samples(using: str, now: dt.datetime) -> Iterator[int]:
    days = options().samples
    if days is None:
        return
    old = Sample.objects.using(using).filter(minute__lt=int(now.timestamp()) - days * DAY)
    for gauge in list(old.order_by().values_list("gauge", flat=True).distinct()):
        some = old.filter(gauge=gauge)
        while (first := some.aggregate(first=Min("minute"))["first"]) is not None:
            number, _ = some.filter(minute__lt=first + PORTION * MINUTE).delete()
            yield number
