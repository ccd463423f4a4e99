"""Counters as they are read: ``live.counters["name"].value(of=...)``."""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Model
from django.db.models.expressions import Combinable
from django.utils import timezone

from livecounters import feed, leases, ledger, ranking
from livecounters.annotation import Annotation
from livecounters.answers import Change, Values
from livecounters.conf import options
from livecounters.declarations import Count, Per
from livecounters.folding import Changed, fold
from livecounters.keys import SEPARATOR, join, split, text_of
from livecounters.ledger import Reading, Tally
from livecounters.measures import Measure, measure_of
from livecounters.ranking import Place
from livecounters.registry import CounterEntry
from livecounters.series import Point, Series, Stretch, read_series
from livecounters.settling import settle
from livecounters.summands import Ask
from livecounters.windows import Interval, Window
from livecounters.worth import Number, Worth

__all__ = [
    "Answers",
    "Change",
    "Counter",
    "Number",
    "Place",
    "Point",
    "Question",
    "Series",
    "Values",
    "answers",
    "changes",
    "read",
]

logger = logging.getLogger("livecounters")


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


def stored(moment: dt.datetime) -> dt.datetime:
    """An aware moment as the host's columns have it: naive without ``USE_TZ``."""
    return moment if settings.USE_TZ else timezone.make_naive(moment)


class Answers(NamedTuple):
    """The answers to questions, and the measures that pages are not told of."""

    values: list[Number]
    paused: set[str]


def read(questions: Sequence[Question], at: dt.datetime | None = None) -> list[Number]:
    """The answers to many questions about any counters, in one statement."""
    return answers(questions, at).values


def answers(questions: Sequence[Question], at: dt.datetime | None = None) -> Answers:
    """The same, and what is paused."""
    moment = aware(at)
    scopes: dict[tuple[Counter, Window | None], list[str]] = defaultdict(list)
    for question in questions:
        scopes[question.counter, question.window].append(question.scope)
    asks = [
        counter.ask(tuple(sorted(set(wanted))), window, moment)
        for (counter, window), wanted in scopes.items()
    ]
    found = _read(asks)
    tallies = dict(zip(scopes, found.answers, strict=True))
    values = [
        q.counter.worth(tallies[q.counter, q.window].get(q.scope, Tally())) for q in questions
    ]
    return Answers(values, found.paused)


def changes(questions: Sequence[Question], at: dt.datetime | None = None) -> list[Change]:
    """What numbers are and what they were one window before, in one statement."""
    moment = aware(at)
    asks = [ask for one in questions for ask in one.counter.both(one.scope, one.window, moment)]
    found = iter(_read(asks).answers)
    numbers = [
        [one.counter.worth(next(found).get(one.scope, Tally())) for _ in ("now", "before")]
        for one in questions
    ]
    return [Change(*both) for both in numbers]


def _read(asks: Sequence[Ask]) -> Reading:
    """What the ledger says. A site without a pump tidies up when a reading finds much to do;
    after the transaction it is in, and without harm to it."""
    found = ledger.read(asks)
    for using in found.behind:
        transaction.on_commit(partial(fold, using), using=using, robust=True)
    settled = {using for using in found.marked if _settled(using)}
    return ledger.read(asks) if settled else found


def _settled(using: str) -> bool:
    """Whether anything was settled right now, there being no pump that does."""
    if transaction.get_connection(using).in_atomic_block:
        transaction.on_commit(partial(_settle_unless_pumped, using), using=using, robust=True)
        return False
    try:
        return bool(_settle_unless_pumped(using))
    except DatabaseError:
        logger.exception("livecounters: settling failed; it is tried again.")
        return False


def _settle_unless_pumped(using: str) -> Changed:
    if leases.held(leases.PUMP, timezone.now(), feed.database()):
        return {}
    return settle(using)


def _within(ask: Ask, places: list[Place]) -> list[Place]:
    """Places by their last key, where the others are given."""
    if not ask.within:
        return places
    return [Place(split(one.scope)[-1], one.value, one.rank, one.dense_rank) for one in places]


@dataclass(frozen=True)
class Counter:
    """A declared counter, to be read.

    Values are ``int`` for counts and sums of integers, ``Decimal`` for decimals, ``float`` for
    floats and for means of integers; a mean of nothing is ``None``. Every method is exact for
    what is committed (and for what this transaction has written), unless it is declared with
    ``sample=``, and has a twin with ``a`` in front for async code.
    """

    entry: CounterEntry

    @property
    def name(self) -> str:
        """The full name."""
        return self.entry.full_name

    @property
    def label(self) -> str:
        return self.entry.declared.titled(self.entry.name)

    @property
    def measure(self) -> Measure:
        return measure_of(self.entry)

    @property
    def per(self) -> Per:
        """What each number is about, if it is not one for the site."""
        return self.entry.declared.per

    def origin(self, scope: str) -> tuple[str, str]:
        """What its changes are announced under, and of that which one."""
        return self.measure.key, scope

    @property
    def sample(self) -> int:
        """Of how many different values one is kept; 1 of a counter that is exact."""
        declared = self.entry.declared
        return declared.sample if isinstance(declared, Count) else 1

    def error(self, number: Number) -> float | None:
        """How far off a number that it says may be: the relative standard error (0.01 is 1 %) of
        a counter with ``sample=``, ``None`` of one that is exact."""
        declared = self.entry.declared
        if isinstance(declared, Count) and number is not None:
            return declared.error(float(number))
        return None

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
        return Values(dict(zip(wanted, found, strict=True)), self.scope)

    def change(
        self, *, of: Any = None, window: Window | None = None, at: dt.datetime | None = None
    ) -> Change:
        """The number and what it was one window before, in one query.

        A running calendar window is compared with as much of the one before as has passed of
        it: today until noon with yesterday until noon. ``live.ever`` is a ``ValueError``.
        """
        return changes([Question(self, self.scope(of), window)], at)[0]

    def expression(
        self,
        *,
        of: str | Combinable | tuple[str | Combinable, ...] | None = None,
        window: Window | None = None,
        at: dt.datetime | None = None,
    ) -> Annotation:
        """The number of each row of a queryset, in its own statement: annotate, then order and
        filter by it.

        ``of`` says what of a row names whose number it is: a field over any relations or an
        expression, a tuple of them for a counter of several keys. Not needed where the rows are
        of the model that the counter is ``per``. The query asks about the moment it is run at,
        or about ``at``. Of decimals, means have 15 places, and SQLite's floats 15 digits.
        """
        keys = of if isinstance(of, tuple) else () if of is None else (of,)
        if keys and len(keys) != len(self.measure.scope_fields):
            raise TypeError(
                f"{self.name} is counted per {self.entry.declared.per!r}; give of= one of each."
            )
        return Annotation(self._worth, lambda: self.ask(None, window, aware(at)), keys)

    def breakdown(
        self, *, within: Any = None, window: Window | None = None, at: dt.datetime | None = None
    ) -> Values:
        """Scope -> number of every scope that has any row, in one query.

        Of a counter of several keys ``within`` gives the first ones, and the last one is the
        scope: what an object has by currency.
        """
        ask = self._all(within, window, aware(at), "breakdown()")
        found = {
            scope: self.worth(tally)
            for scope, tally in sorted(_read([ask]).answers[0].items())
            if not tally.empty
        }
        if not ask.within:
            return Values(found, self.scope)
        keys = split(ask.within)[:-1]
        last = {split(scope)[-1]: value for scope, value in found.items()}
        return Values(last, lambda of: self.scope((*keys, of)))

    def top(
        self,
        number: int = 10,
        *,
        within: Any = None,
        window: Window | None = None,
        at: dt.datetime | None = None,
        ascending: bool = False,
    ) -> list[Place]:
        """The scopes with the greatest numbers, as ``(scope, value)`` with ``rank`` and
        ``dense_rank``, in one query; those with the least, if ``ascending``.

        Equal numbers share a rank and stand in the order of their scopes.
        """
        ask = self._all(within, window, aware(at), "top()")
        return _within(ask, ranking.first(self._worth, ask, number, ascending))

    def rank(
        self,
        *,
        of: Any,
        dense: bool = False,
        window: Window | None = None,
        at: dt.datetime | None = None,
        ascending: bool = False,
    ) -> int | None:
        """The rank of an object among all that have a row, 1 for the greatest; ``None`` if it
        has none. After two firsts comes a third, or if ``dense`` a second.

        Of a counter of several keys: among those that share all but the last.
        """
        for place in self.neighbours(of=of, near=0, window=window, at=at, ascending=ascending):
            return place.dense_rank if dense else place.rank
        return None

    def neighbours(
        self,
        *,
        of: Any,
        near: int = 2,
        window: Window | None = None,
        at: dt.datetime | None = None,
        ascending: bool = False,
    ) -> list[Place]:
        """The place of an object and up to ``near`` places before and after it, in one query;
        nothing if it has no row. Of an estimate (``sample=``) it is a ``TypeError``."""
        if self.sample > 1:
            raise TypeError(f"{self.name} is an estimate (sample=), by which nobody is ranked.")
        scope = self.scope(of)
        within = split(scope)[:-1] if self._several else None
        ask = self._all(within, window, aware(at), "rank()")
        return _within(ask, ranking.around(self._worth, ask, scope, near, ascending))

    def _all(self, within: Any, window: Window | None, moment: dt.datetime, what: str) -> Ask:
        """A question about all scopes, or all that begin with the keys given."""
        if self.entry.declared.per is None:
            raise TypeError(f"{self.name} is one number for the site; {what} needs a per=.")
        begin = "" if within is None else self._begin(within)
        return replace(self.ask(None, window, moment), within=begin)

    def _begin(self, within: Any) -> str:
        keys = split(within) if isinstance(within, str) and self._thrice else within
        keys = keys if isinstance(keys, (list, tuple)) else (keys,)
        return join(self.first_keys(keys)) + SEPARATOR

    def first_keys(self, keys: Sequence[Any]) -> tuple[str, ...]:
        """The text of each key but the last: those that ``within`` takes."""
        if self.entry.declared.per is None:
            raise TypeError(f"{self.name} is one number for the site; it has no scopes.")
        fields = list(self.measure.scope_fields.values())[:-1]
        if len(keys) != len(fields):
            raise TypeError(
                f"{self.name} is counted per {self.entry.declared.per!r}; within= takes one of "
                "each but the last."
            )
        return tuple(map(text_of, fields, keys))

    @property
    def _thrice(self) -> bool:
        return len(self.measure.scope_fields) > 2

    @property
    def _several(self) -> bool:
        return len(self.measure.scope_fields) > 1

    @property
    def _worth(self) -> Worth:
        return Worth(self.entry.declared, self.measure)

    def series(
        self,
        *,
        window: Window,
        step: str = "hour",
        of: Any = None,
        at: dt.datetime | None = None,
    ) -> Series:
        """The window cut into steps (minute, quarter, hour, day), oldest first, without gaps:
        a list of ``(start, value)``."""
        return read_series([self.stretch(self.scope(of), window, step)], aware(at), aware())[0]

    def stretch(self, scope: str, window: Window, step: str) -> Stretch:
        """A window of one of its numbers, to be cut into steps."""
        return Stretch(self._worth, scope, window, step)

    async def avalue(self, **kwargs: Any) -> Number:
        return await sync_to_async(self.value)(**kwargs)

    async def avalues(self, **kwargs: Any) -> Values:
        return await sync_to_async(self.values)(**kwargs)

    async def achange(self, **kwargs: Any) -> Change:
        return await sync_to_async(self.change)(**kwargs)

    async def abreakdown(self, **kwargs: Any) -> Values:
        return await sync_to_async(self.breakdown)(**kwargs)

    async def atop(self, number: int = 10, **kwargs: Any) -> list[Place]:
        return await sync_to_async(self.top)(number, **kwargs)

    async def arank(self, **kwargs: Any) -> int | None:
        return await sync_to_async(self.rank)(**kwargs)

    async def aneighbours(self, **kwargs: Any) -> list[Place]:
        return await sync_to_async(self.neighbours)(**kwargs)

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
        fields = list(self.measure.scope_fields.values())
        if self._several:
            return join(map(text_of, fields, self._keys(of)))
        if self.entry.activity is not None and isinstance(of, Model):
            return text_of(of._meta.pk, of)
        return text_of(fields[0], of)

    def _keys(self, of: Any) -> Sequence[Any]:
        """What is given for each key: in a tuple, or as the text of all."""
        per = self.entry.declared.per
        assert isinstance(per, tuple)
        keys = split(of) if isinstance(of, str) else of
        if not isinstance(keys, (list, tuple)) or len(keys) != len(per):
            raise TypeError(f"{self.name} is counted per {per!r}; give of= one of each.")
        return keys

    def ask(
        self, scopes: tuple[str, ...] | None, window: Window | None, moment: dt.datetime
    ) -> Ask:
        """What the ledger is asked for a window as seen at a moment."""
        interval = self.interval(window, moment)
        past = interval.end is not None and interval.end <= self.measure.clock.stamp(aware())
        return Ask(self.measure, scopes, interval, past=past)

    def both(self, scope: str, window: Window | None, moment: dt.datetime) -> list[Ask]:
        """What the ledger is asked for a window as seen at a moment, and for the one before."""
        clock = self.measure.clock
        before = (window or self.entry.declared.window).previous(
            clock.stamp(moment), clock, options().WEEK_START
        )
        return [
            Ask(self.measure, (scope,), self.interval(window, moment)),
            Ask(self.measure, (scope,), ledger.settled(before, aware(), self.measure), past=True),
        ]

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
        return self._worth.of(tally)
