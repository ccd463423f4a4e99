"""Scores against the buckets they follow from, and rungs against the scores: the audit of ladders.

Each comparison is one statement, and so one snapshot: whoever changes buckets renews scores and
rungs in the same transaction, so that nobody ever sees one without the other.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from django.db.models import Aggregate, Count, Exists, F, OuterRef, QuerySet, Sum

from livecounters.ladders import BITS, LEVELS, Span, ladders
from livecounters.measures import Measure
from livecounters.models import Bucket, Ladder, Rung, Score
from livecounters.windows import Grain

__all__ = ["wrong"]

GRAINS = {Span.EVER: Grain.EVER, Span.DAY: Grain.DAY}


def wrong(measure: Measure) -> int:
    """How many scores and rungs of a measure are not what they should be; 0 of one that is not
    ranked, or whose ladder is still being made."""
    while (ladder := ladders(measure.using, [measure]).get(measure.key)) is not None:
        if ladder.upto is not None:
            return 0
        found = _Ladder(measure, ladder).wrong()
        if not found or ladders(measure.using, [measure]).get(measure.key) == ladder:
            return found
        # Made anew or pruned meanwhile.
    return 0


class _Ladder:
    """One ladder, as it was when the comparison began."""

    def __init__(self, measure: Measure, ladder: Ladder) -> None:
        self.measure, self.since = measure, ladder.since
        using, key = measure.using, measure.key
        self.buckets = Bucket.objects.using(using).filter(measure=key)
        self.scores = Score._base_manager.using(using).filter(measure=key)
        self.rungs = Rung._base_manager.using(using).filter(measure=key)

    def wrong(self) -> int:
        """All that is wrong."""
        spans = sum(map(self._spans, GRAINS))
        return spans + self._weeks() + self._numbers() + self._cells() + self._levels()

    def _spans(self, span: Span) -> int:
        """Those of a day, or of all time, are a bucket each."""
        since = self.since if span is Span.DAY else 0
        buckets = self.buckets.filter(grain=GRAINS[span], start__gte=since)
        kept = self.scores.filter(span=span, start__gte=since)
        worth = "count" if self.measure.value is None else "total"
        same = buckets.filter(
            scope=OuterRef("scope"), start=OuterRef("start"), count=OuterRef("count")
        ).filter(**{worth: OuterRef("number")})
        there = kept.filter(scope=OuterRef("scope"), start=OuterRef("start"))
        return _without(kept, same) + _without(buckets.exclude(count=0), there)

    def _weeks(self) -> int:
        """Those of a week are the sums of its days."""
        found, clock, weeks = 0, self.measure.clock, self.scores.filter(span=Span.WEEK)
        first = clock.day(self.since)
        days = self.scores.filter(span=Span.DAY)
        last = days.order_by("-start").values_list("start", flat=True).first()
        while last is not None and clock.midnight(first) <= last:
            starts = [clock.midnight(first + dt.timedelta(days=n)) for n in range(7)]
            kept, its = weeks.filter(start=starts[0]), days.filter(start__in=starts)
            of = its.filter(scope=OuterRef("scope")).values("scope")
            found += _unequal(kept, of, count=Sum("count"), number=Sum("number"))
            found += _without(its, kept.filter(scope=OuterRef("scope")))
            first += dt.timedelta(days=7)
        return found

    def _numbers(self) -> int:
        """The lowest rungs say how many scopes have a number."""
        rungs, scores = self.rungs.filter(level=0), self.scores
        place = {"span": OuterRef("span"), "start": OuterRef("start")}
        of = scores.filter(**place, number=OuterRef("cell")).values("number")
        there = rungs.filter(**place, cell=OuterRef("number"))
        unequal = _unequal(rungs.filter(numbers=1), of, scopes=Count("scope"))
        return unequal + _without(scores, there) + rungs.exclude(numbers=1).count()

    def _cells(self) -> int:
        """Those of each higher level are the sums of the cells of the level below."""
        size = 1 << BITS
        its = self.rungs.filter(
            span=OuterRef("span"),
            start=OuterRef("start"),
            level=OuterRef("level") - 1,
            cell__gte=OuterRef("cell") * size,
            cell__lt=(OuterRef("cell") + 1) * size,
        ).values("measure")
        # What nobody has any more may be left as an empty cell.
        there = self.rungs.filter(level__gt=0).exclude(scopes=0, numbers=0)
        return _unequal(there, its, scopes=Sum("scopes"), numbers=Sum("numbers"))

    def _levels(self) -> int:
        """All levels together are the same, or a cell is missing."""
        found: dict[tuple[int, int], dict[int, tuple[int, int]]] = defaultdict(dict)
        sums = self.rungs.values("span", "start", "level").order_by()
        sums = sums.annotate(more=Sum("scopes"), other=Sum("numbers"))
        for span, start, level, *pair in sums.values_list(
            "span", "start", "level", "more", "other"
        ):
            found[span, start][level] = (pair[0], pair[1])
        nobody = (0, 0)
        return sum(
            levels.get(level, nobody) != levels.get(level - 1, nobody)
            for levels in found.values()
            for level in range(1, LEVELS)
        )


def _without(rows: QuerySet[Any], same: QuerySet[Any]) -> int:
    return rows.filter(~Exists(same)).count()


def _unequal(rows: QuerySet[Any], parts: QuerySet[Any], **sums: Aggregate) -> int:
    """How many rows are not the sums of their parts."""
    right = {f"right_{name}": parts.annotate(sum=sums[name]).values("sum") for name in sums}
    same = {f"right_{name}": F(name) for name in sums}
    wrong: QuerySet[Any] = rows.annotate(**right).exclude(**same)
    return wrong.count()
