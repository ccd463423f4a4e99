"""Counters as they are read: ``live.counters["name"].value(of=...)``."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone

from livecounters import ledger
from livecounters.conf import options
from livecounters.declarations import Avg, Count, Max, Min
from livecounters.ledger import Ask, Tally
from livecounters.measures import FLOAT_PLACES, Measure, measure_of
from livecounters.registry import CounterEntry, Registry, registry
from livecounters.retention import kept_since
from livecounters.rows import text_of
from livecounters.windows import DAY, HOUR, MINUTE, QUARTER, Grain, Interval, Window

__all__ = [
    "Change",
    "Counter",
    "Counters",
    "Number",
    "Point",
    "Question",
    "Values",
    "counters",
    "read",
]

Number = int | float | Decimal | None

STEPS = {"minute": MINUTE, "quarter": QUARTER, "hour": HOUR, "day": DAY}

# The buckets that the steps of a series are made of.
GRAINS = {"minute": Grain.MINUTE, "day": Grain.DAY}


class Values(dict[Any, Number]):
    """Numbers by the objects that were asked for (or by scope); objects and keys find them too."""

    def __init__(self, counter: Counter, found: Mapping[Any, Number]) -> None:
        super().__init__(found)
        self._by_scope = {counter.scope(of): value for of, value in found.items()}
        self._counter = counter

    def __missing__(self, of: Any) -> Number:
        try:
            return self._by_scope[self._counter.scope(of)]
        except (KeyError, ValueError, TypeError, ValidationError):
            raise KeyError(of) from None


class Point(tuple[dt.datetime, Number]):
    """``(start, value)`` of one step of a series; ``running`` if the step is not over yet."""

    running: bool

    def __new__(cls, start: dt.datetime, value: Number, running: bool) -> Point:
        point = super().__new__(cls, (start, value))
        point.running = running
        return point

    @property
    def start(self) -> dt.datetime:
        return self[0]

    @property
    def value(self) -> Number:
        return self[1]


class Change(NamedTuple):
    """A number and what it was one window before."""

    value: Number
    before: Number

    @property
    def difference(self) -> Number:
        """How much more it is; ``None`` if either is not known."""
        if self.value is None or self.before is None:
            return None
        return self.value - self.before  # type: ignore[operator]

    @property
    def percent(self) -> float | None:
        """How much more it is in hundredths of what it was; ``None`` if that was nothing."""
        if not self.before or self.difference is None:
            return None
        return float(self.difference) / abs(float(self.before)) * 100


@dataclass(frozen=True)
class Question:
    """One number that is wanted: a counter, a scope ("" for the site), a window."""

    counter: Counter
    scope: str = ""
    window: Window | None = None


def aware(moment: dt.datetime | None = None) -> dt.datetime:
    """A moment with its zone (default: now); a naive one is of a site without time zones."""
    moment = moment or timezone.now()
    if timezone.is_naive(moment) and not settings.USE_TZ:
        return timezone.make_aware(moment)
    return moment


def read(questions: Sequence[Question], at: dt.datetime | None = None) -> list[Number]:
    """The answers to many questions about any counters, in one statement."""
    moment = aware(at)
    scopes: dict[tuple[Counter, Window | None], list[str]] = defaultdict(list)
    for question in questions:
        scopes[question.counter, question.window].append(question.scope)
    asks = [
        counter.ask(tuple(sorted(set(wanted))), window, moment)
        for (counter, window), wanted in scopes.items()
    ]
    tallies = dict(zip(scopes, ledger.read(asks), strict=True))
    return [q.counter.worth(tallies[q.counter, q.window].get(q.scope, Tally())) for q in questions]


@dataclass(frozen=True)
class Counter:
    """A declared counter, to be read.

    Values are ``int`` for counts and sums of integers, ``Decimal`` for decimals, ``float`` for
    floats and for means of integers; a mean of nothing is ``None``. Every method is exact for
    what is committed (and for what this transaction has written), and has a twin with ``a`` in
    front for async code.
    """

    entry: CounterEntry

    @property
    def name(self) -> str:
        """The full name."""
        return self.entry.full_name

    @property
    def label(self) -> str:
        return str(self.entry.declared.label or self.entry.name.replace("_", " ").capitalize())

    @property
    def measure(self) -> Measure:
        return measure_of(self.entry)

    def value(
        self, *, of: Any = None, window: Window | None = None, at: dt.datetime | None = None
    ) -> Number:
        """The number now, or as its window stood at the aware moment ``at``.

        ``of`` is the object (or its key) of a counter with ``per``, and only of such a one:
        anything else is a ``TypeError``.
        """
        return read([Question(self, self.scope(of), window)], at)[0]

    def values(
        self,
        *,
        of: Iterable[Any],
        window: Window | None = None,
        at: dt.datetime | None = None,
    ) -> Values:
        """The numbers of many objects, in one query: a dict by the objects given."""
        wanted = list(of)
        found = read([Question(self, self.scope(one), window) for one in wanted], at)
        return Values(self, dict(zip(wanted, found, strict=True)))

    def change(
        self, *, of: Any = None, window: Window | None = None, at: dt.datetime | None = None
    ) -> Change:
        """The number and what it was one window before, in one query.

        A running calendar window is compared with as much of the one before as has passed of
        it: today until noon with yesterday until noon. ``live.ever`` is a ``ValueError``.
        """
        moment, scope = aware(at), self.scope(of)
        clock = self.measure.clock
        earlier = (window or self.entry.declared.window).previous(
            clock.stamp(moment), clock, options().WEEK_START
        )
        intervals = [self.interval(window, moment), ledger.settled(earlier, aware(), self.measure)]
        found = ledger.read(
            [
                Ask(self.measure, (scope,), interval, past=past)
                for interval, past in zip(intervals, (False, True), strict=True)
            ]
        )
        return Change(*(self.worth(tallies.get(scope, Tally())) for tallies in found))

    def breakdown(self, *, window: Window | None = None, at: dt.datetime | None = None) -> Values:
        """Scope -> number of every scope that has any row, in one query."""
        if self.entry.declared.per is None:
            raise TypeError(f"{self.name} is one number for the site; breakdown() needs a per=.")
        found = ledger.read([self.ask(None, window, aware(at))])[0]
        return Values(
            self, {scope: self.worth(t) for scope, t in sorted(found.items()) if not t.empty}
        )

    def series(
        self,
        *,
        window: Window,
        step: str = "hour",
        of: Any = None,
        at: dt.datetime | None = None,
    ) -> list[Point]:
        """The window cut into steps (minute, quarter, hour, day), oldest first, without gaps."""
        if step not in STEPS:
            raise ValueError(f"step={step!r}: choose one of {', '.join(map(repr, STEPS))}.")
        if not window.timed:
            raise ValueError(
                "series() needs a window with a beginning, such as live.last(hours=12)."
            )
        moment = aware(at)
        starts = self._starts(window, step, moment)
        clock = self.measure.clock
        wanted = Interval(starts[0], starts[-1])
        coarsest = GRAINS.get(step, Grain.QUARTER)
        since = kept_since(self.measure, coarsest, aware())
        if starts[0] < since:
            raise ValueError(
                f"step={step!r}: such steps are kept since {clock.moment(since)}, and this window "
                "begins earlier; ask for larger steps, or see the setting RETENTION."
            )
        found = ledger.read_series(Ask(self.measure, (self.scope(of),), wanted, coarsest))
        return [
            Point(
                clock.moment(start),
                self.worth(_tally(m for m in found if start <= m.stamp < end)),
                start <= clock.stamp(moment) < end,
            )
            for start, end in itertools.pairwise(starts)
        ]

    async def avalue(self, **kwargs: Any) -> Number:
        return await sync_to_async(self.value)(**kwargs)

    async def avalues(self, **kwargs: Any) -> Values:
        return await sync_to_async(self.values)(**kwargs)

    async def achange(self, **kwargs: Any) -> Change:
        return await sync_to_async(self.change)(**kwargs)

    async def abreakdown(self, **kwargs: Any) -> Values:
        return await sync_to_async(self.breakdown)(**kwargs)

    async def aseries(self, **kwargs: Any) -> list[Point]:
        return await sync_to_async(self.series)(**kwargs)

    # What the reading is made of

    def scope(self, of: Any) -> str:
        """The text under which the numbers of an object are kept."""
        per = self.entry.declared.per
        if per is None:
            if of is not None:
                raise TypeError(f"{self.name} is one number for the site; it has no of=.")
            return ""
        if of is None:
            raise TypeError(f"{self.name} is counted per {per!r}; give of=.")
        field = self.measure.scope_field
        assert field is not None
        if self.entry.activity is not None and isinstance(of, Model):
            return text_of(of._meta.pk, of)
        return text_of(field, of)

    def ask(
        self, scopes: tuple[str, ...] | None, window: Window | None, moment: dt.datetime
    ) -> Ask:
        """What the ledger is asked for a window as seen at a moment."""
        interval = self.interval(window, moment)
        past = interval.end is not None and interval.end <= self.measure.clock.stamp(aware())
        return Ask(self.measure, scopes, interval, past=past)

    def interval(self, window: Window | None, moment: dt.datetime) -> Interval:
        """The stamps of a window (default: the declared one) as seen at a moment."""
        window = window or self.entry.declared.window
        if window.timed and self.measure.at is None:
            raise ValueError(
                f"{self.name} has no times, so it has no {window!r}; "
                f'give {self.entry.live.__name__} an at = "...".'
            )
        clock = self.measure.clock
        interval = window.interval(clock.stamp(moment), clock, options().WEEK_START)
        return ledger.settled(interval, aware(), self.measure)

    def worth(self, tally: Tally) -> Number:
        """What a tally says of this counter."""
        declared = self.entry.declared
        if isinstance(declared, Count):
            return tally.members if declared.distinct else tally.count
        if isinstance(declared, (Min, Max)):
            end = tally.low if isinstance(declared, Min) else tally.high
            return None if end is None else self._scaled(end)
        if isinstance(declared, Avg):
            return self._mean(tally)
        return self._scaled(tally.total)

    def _scaled(self, total: int) -> Number:
        field = self.measure.value_field
        if field.get_internal_type() == "DecimalField":
            return Decimal(total).scaleb(-self.measure.places)
        return total / 10**FLOAT_PLACES if self.measure.places else total

    def _mean(self, tally: Tally) -> Number:
        if not tally.count:
            return None
        total = self._scaled(tally.total)
        assert total is not None
        return total / tally.count

    def _starts(self, window: Window, step: str, moment: dt.datetime) -> list[int]:
        clock = self.measure.clock
        interval = window.interval(clock.stamp(moment), clock, options().WEEK_START)
        if interval.start is None or interval.end is None:
            raise ValueError("series() needs a window with a beginning.")
        if step == "day":
            starts = [clock.day_start(interval.start)]
            while starts[-1] < interval.end:
                starts.append(clock.day_start(starts[-1] + DAY + DAY // 2))
            return starts
        width = STEPS[step]
        # A rolling window of whole steps shows that many, the running one included.
        first = interval.start // width * width
        last = -(-interval.end // width) * width
        span = getattr(window, "seconds", last - first)
        first = max(first, last - -(-span // width) * width)
        return list(range(first, last + 1, width))


def _tally(moments: Iterable[ledger.Moment]) -> Tally:
    members: dict[Any, int] = defaultdict(int)
    count = total = 0
    for moment in moments:
        members[moment.member] += moment.count
        count += moment.count
        total += moment.total
    there = [member for member, number in members.items() if number > 0]
    numbers = [member for member in there if isinstance(member, int)]
    low, high = (min(numbers), max(numbers)) if numbers else (None, None)
    return Tally(count, total, len(there), low, high)


class Counters(Mapping[str, Counter]):
    """All counters of the site by name; the short name works while it is unambiguous.

    Raises ``UnknownName`` (a ``LookupError``) for a name that nobody declares, with a guess.
    """

    def __init__(self, declared: Registry = registry) -> None:
        self._declared = declared

    def __getitem__(self, name: str) -> Counter:
        return Counter(self._declared.counters.get(name))

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except LookupError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return (entry.full_name for entry in self._declared.counters)

    def __len__(self) -> int:
        return len(self._declared.counters)


counters = Counters()
