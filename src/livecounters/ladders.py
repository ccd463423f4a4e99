"""Ladders: the order of numbers ``per`` the user, kept so that a rank is found without counting.

A score is the number of one scope in one span of time; rungs say how many scopes have which
number, in cells of 256. Both follow from the buckets and from nothing else: whoever changes
buckets renews the scores of the scopes concerned in the same transaction, and what is renewed
twice is the same. A measure without a whole ladder is ranked by adding everything up.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, TypeVar

from django.db.models import Q
from django.utils import timezone

from livecounters.conf import options
from livecounters.dialects import Dialect
from livecounters.measures import Measure
from livecounters.models import Bucket, Ladder, Measured, Rung, Score
from livecounters.streaks import week_of
from livecounters.windows import Clock, Grain, Interval

__all__ = [
    "BITS",
    "LEVELS",
    "Span",
    "begin",
    "drop",
    "kept_from",
    "ladders",
    "prune",
    "raise_one",
    "ranked",
    "renew",
    "span_of",
]

T = TypeVar("T")

BITS = 8
"""A cell holds so many cells of the level below, as a power of two."""
LEVELS = 8

# Scopes that one portion of the making takes, and values that one statement is given.
PORTION = 5_000
BATCH = 500

# Days and weeks are kept for the week that runs and the one before.
DAYS = 7


class Span(IntEnum):
    """What a score is of; the number is what the table stores."""

    EVER = 0
    DAY = 3
    WEEK = 4


Key = tuple[int, int, str]
"""A score: span, start, scope."""
Scores = dict[Key, tuple[int, int]]
"""Its count and its number."""


def ranked(measure: Measure) -> bool:
    """Whether a measure has a ladder: sums ``per`` one key, which is the user's."""
    return isinstance(measure.scope, str) and measure.member is None and measure.personal


def span_of(interval: Interval, clock: Clock) -> tuple[Span, int] | None:
    """The span and its start that an interval is, if scores are kept of such."""
    start, end = interval
    if start is None or end is None:
        return Span.EVER, 0
    first = clock.day(start)
    if clock.midnight(first) != start:
        return None
    for days, span in ((1, Span.DAY), (7, Span.WEEK)):
        if clock.midnight(first + dt.timedelta(days=days)) == end:
            return span, start
    return None


def kept_from(clock: Clock, now: dt.datetime) -> int:
    """The start of the first week of which scores are kept."""
    if timezone.is_naive(now):
        now = timezone.make_aware(now)
    day = clock.day(clock.stamp(now)) - dt.timedelta(days=DAYS)
    return clock.midnight(week_of(day, options().WEEK_START))


def ladders(using: str, measures: Iterable[Measure]) -> dict[str, Ladder]:
    """The ladders that there are of these measures."""
    keys = [measure.key for measure in measures if ranked(measure)]
    if not keys:
        return {}
    return {found.measure: found for found in Ladder.objects.using(using).filter(measure__in=keys)}


# Making


def raise_one(
    dialect: Dialect,
    measures: Iterable[Measure],
    found: Mapping[str, Ladder],
    now: dt.datetime,
) -> bool:
    """Make a portion of one ladder that is not whole; answers whether there was any to make.

    In a transaction in which nobody else changes the buckets.
    """
    for measure in measures:
        ladder = found.get(measure.key)
        if ladder is not None and ladder.week_start != options().WEEK_START:
            drop(dialect.using, [measure.key])
            ladder = None
        if ladder is None:
            measured = Measured.objects.using(dialect.using).filter(measure=measure.key)
            if not measured.filter(ready=True).exists():
                continue
            if _clear(dialect.using, measure.key):
                return True
            ladder = _begin(dialect.using, measure, now)
        if ladder.upto is not None:
            _raise(dialect, measure, ladder)
            return True
    return False


def _clear(using: str, key: str) -> int:
    """Remove a portion of what an earlier ladder left."""
    for model, last in ((Score, "scope"), (Rung, "cell")):
        number = _remove(model._base_manager.using(using).filter(measure=key), last)
        if number:
            return number
    return 0


def _begin(using: str, measure: Measure, now: dt.datetime) -> Ladder:
    ladder: Ladder = Ladder.objects.using(using).create(
        measure=measure.key,
        since=kept_from(measure.clock, now),
        week_start=options().WEEK_START,
        upto="",
    )
    return ladder


def _raise(dialect: Dialect, measure: Measure, ladder: Ladder) -> None:
    buckets = Bucket.objects.using(dialect.using).filter(measure=measure.key, grain=Grain.EVER)
    rest = buckets.filter(scope__gt=ladder.upto).order_by("scope")
    some = list(rest.values_list("scope", flat=True)[:PORTION])
    renew(dialect, measure, ladder, some)
    ladder.upto = some[-1] if len(some) == PORTION else None
    ladder.save(using=dialect.using, update_fields=["upto"])


def begin(using: str, measures: Iterable[Measure]) -> None:
    """Ladders of measures of which there is nothing yet; so they are whole."""
    now, week_start = timezone.now(), options().WEEK_START
    Ladder.objects.using(using).bulk_create(
        Ladder(measure=m.key, since=kept_from(m.clock, now), week_start=week_start)
        for m in measures
        if ranked(m)
    )


def drop(using: str, keys: Sequence[str]) -> None:
    """Trust the ladders of these measures no more: they are made anew."""
    Ladder.objects.using(using).filter(measure__in=keys).delete()


# Keeping


def renew(dialect: Dialect, measure: Measure, ladder: Ladder, scopes: Iterable[str]) -> None:
    """Make the scores of these scopes what their buckets say, and the rungs with them.

    In a transaction in which nobody else changes the buckets.
    """
    for some in _portions(sorted(set(scopes)), PORTION):
        right = _right(dialect.using, measure, ladder, some)
        kept = _kept(dialect.using, ladder, some)
        wrong = {
            key: (right.get(key, (0, 0)), kept.get(key, (0, 0)))
            for key in right.keys() | kept.keys()
            if right.get(key) != kept.get(key)
        }
        if wrong:
            _write(dialect, measure.key, wrong)


def _right(using: str, measure: Measure, ladder: Ladder, scopes: Sequence[str]) -> Scores:
    """What the buckets say."""
    found: Scores = defaultdict(lambda: (0, 0))
    clock = measure.clock
    during = Q(grain=Grain.EVER) | Q(grain=Grain.DAY, start__gte=ladder.since)
    for some in _portions(scopes, BATCH):
        rows = Bucket.objects.using(using).filter(during, measure=measure.key, scope__in=some)
        for scope, grain, start, count, total in rows.values_list(
            "scope", "grain", "start", "count", "total"
        ):
            worth = count if measure.value is None else total
            found[int(grain), start, scope] = (count, worth)
            if grain == Grain.DAY:
                week = clock.midnight(week_of(clock.day(start), ladder.week_start))
                before = found[Span.WEEK, week, scope]
                found[Span.WEEK, week, scope] = (before[0] + count, before[1] + worth)
    return {key: score for key, score in found.items() if score[0]}


def _kept(using: str, ladder: Ladder, scopes: Sequence[str]) -> Scores:
    found: Scores = {}
    during = Q(span=Span.EVER) | Q(start__gte=ladder.since)
    for some in _portions(scopes, BATCH):
        rows = Score.objects.using(using).filter(during, measure=ladder.measure, scope__in=some)
        for span, start, scope, count, number in rows.values_list(
            "span", "start", "scope", "count", "number"
        ):
            found[span, start, scope] = (count, number)
    return found


def _write(
    dialect: Dialect, measure: str, wrong: Mapping[Key, tuple[tuple[int, int], tuple[int, int]]]
) -> None:
    rows: list[tuple[Any, ...]] = []
    gone: dict[tuple[int, int], list[str]] = defaultdict(list)
    cells: dict[tuple[int, int], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for (span, start, scope), (right, kept) in sorted(wrong.items()):
        if right[0]:
            cells[span, start][right[1]] += 1
            more = (right[0] - kept[0], dialect.storable(right[1] - kept[1]))
            rows.append((measure, span, start, scope, *more))
        else:
            gone[span, start].append(scope)
        if kept[0]:
            cells[span, start][kept[1]] -= 1
    _add(dialect, Score, rows)
    for (span, start), scopes in gone.items():
        for some in _portions(scopes, BATCH):
            found = Score.objects.using(dialect.using).filter(span=span, start=start)
            found.filter(measure=measure, scope__in=some).delete()
    for (span, start), changes in cells.items():
        _climb(dialect, (measure, span, start), changes)


def _climb(dialect: Dialect, place: tuple[str, int, int], changes: Mapping[int, int]) -> None:
    """Add to the rungs of one span how many more scopes have which number."""
    changes = {number: more for number, more in changes.items() if more}
    before = _scopes(dialect.using, place, list(changes))
    sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for number, more in changes.items():
        there = before.get(number, 0)
        new = (there + more > 0) - (there > 0)
        for level in range(LEVELS):
            sums[level, number >> BITS * level][0] += more
            sums[level, number >> BITS * level][1] += new
    rows = [
        (*place, level, dialect.storable(cell), *more)
        for (level, cell), more in sorted(sums.items())
        if any(more)
    ]
    _add(dialect, Rung, rows)
    empty = [number for number, more in changes.items() if not before.get(number, 0) + more]
    for some in _portions(empty, BATCH):
        _rungs(dialect.using, place).filter(level=0, cell__in=some).delete()


def _scopes(using: str, place: tuple[str, int, int], numbers: Sequence[int]) -> dict[int, int]:
    """How many scopes have these numbers."""
    found: dict[int, int] = {}
    for some in _portions(numbers, BATCH):
        rungs = _rungs(using, place).filter(level=0, cell__in=some)
        found.update(rungs.values_list("cell", "scopes"))
    return found


def _rungs(using: str, place: tuple[str, int, int]) -> Any:
    measure, span, start = place
    return Rung.objects.using(using).filter(measure=measure, span=span, start=start)


def _add(dialect: Dialect, model: type[Any], rows: Sequence[Sequence[Any]]) -> None:
    with dialect.connection.cursor() as cursor:
        for some in _portions(rows, dialect.write_batch):
            cursor.execute(*dialect.add_sql(model, some))


def _portions(values: Sequence[T], number: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), number):
        yield values[start : start + number]


# Pruning


def prune(using: str, measure: Measure, now: dt.datetime) -> Iterator[int]:
    """Remove the scores of days and weeks that are long past; a portion at each step."""
    since = kept_from(measure.clock, now)
    Ladder.objects.using(using).filter(measure=measure.key, since__lt=since).update(since=since)
    for model, last in ((Score, "scope"), (Rung, "cell")):
        rows = model._base_manager.using(using).filter(measure=measure.key, start__lt=since)
        for span in (Span.DAY, Span.WEEK):
            old = rows.filter(span=span).order_by("start")
            while (start := old.values_list("start", flat=True).first()) is not None:
                yield _remove(old.filter(start=start), last)


def _remove(rows: Any, last: str) -> int:
    """Delete a portion of rows."""
    values = rows.order_by(last).values_list(last, flat=True)
    end = list(values[PORTION : PORTION + 1])
    number, _ = (rows.filter(**{f"{last}__lte": end[0]}) if end else rows).order_by().delete()
    return int(number)
