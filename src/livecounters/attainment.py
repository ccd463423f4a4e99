"""A person's own numbers: totals, goals, streaks, as their own calendar has them.

Everything is read from the history of the counters ``per`` the user: nothing is kept that could
disagree with it. Quarter hours of personal measures are kept for good, and every zone on earth
is a multiple of 15 minutes from UTC, so the days of any zone can be made of them, also after
somebody has moved.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from livecounters import ledger
from livecounters.conf import imported, options, site_zone
from livecounters.declarations import Avg
from livecounters.feed import database
from livecounters.goals import Goals, goals_of
from livecounters.measures import Measure, measure_of
from livecounters.models import Achievement
from livecounters.people import key_of
from livecounters.readers import Counter, Question, aware, read
from livecounters.registry import CounterEntry, registry
from livecounters.rules import personal_counters
from livecounters.streaks import Streak, month_of, streak_of, sum_of, week_of
from livecounters.summands import Ask
from livecounters.windows import EARLIEST, LATEST, QUARTER, Clock, Grain, Interval, ever
from livecounters.worth import Number, Worth

__all__ = ["Attainment", "GoalProgress", "Progress", "progress", "zone_of"]


@dataclass(frozen=True)
class GoalProgress:
    """How far a goal is reached."""

    target: int
    progress: Number

    @property
    def percent(self) -> float:
        """In hundredths of the target; may pass 100."""
        return round(float(self.progress or 0) / self.target * 100, 1)

    @property
    def reached(self) -> bool:
        return float(self.progress or 0) >= self.target

    def as_json(self) -> dict[str, Any]:
        return {"target": self.target, "progress": self.progress, "percent": self.percent}


@dataclass(frozen=True)
class Attainment:
    """What a person has attained by one counter."""

    name: str
    total: Number = 0
    today: Number = 0
    week: Number = 0
    month: Number = 0
    average: Number = None
    streak: Streak = field(default_factory=Streak)
    goals: Mapping[str, GoalProgress] = field(default_factory=dict)
    next_milestone: int | None = None
    days: Mapping[dt.date, int] = field(default_factory=dict, repr=False)
    """How many rows each day has, in the person's own zone."""
    amounts: Mapping[dt.date, Number] = field(default_factory=dict, repr=False)
    """What each of these days adds up to."""
    today_is: dt.date = dt.date.min
    """The person's calendar day."""
    person: str = field(default="", repr=False)

    @cached_property
    def achievements(self) -> list[Achievement]:
        """What the person has reached by this counter and not lost, the newest first; asked for
        when it is looked at."""
        found = Achievement._base_manager.using(database())
        own = found.filter(person=self.person, counter=self.name, revoked_at=None)
        return list(own.order_by("-id"))

    def as_json(self) -> dict[str, Any]:
        """As the API answers it."""
        return {
            "total": self.total,
            "today": self.today,
            "week": self.week,
            "month": self.month,
            "average": self.average,
            "streak": {"current": self.streak.current, "longest": self.streak.longest},
            "goals": {period: goal.as_json() for period, goal in self.goals.items()},
            "next_milestone": self.next_milestone,
        }


class Progress(dict[str, Attainment]):
    """Counter -> what the person has attained, by the shortest name; the full name works, too."""

    def __missing__(self, name: str) -> Attainment:
        return self[registry.counters.shortest(registry.counters.get(name))]

    def as_json(self) -> dict[str, Any]:
        """As the API answers it."""
        return {name: found.as_json() for name, found in self.items()}


def zone_of(user: Any) -> dt.tzinfo:
    """A person's own zone: ``USER_TIMEZONE``, or the site's."""
    path = options().USER_TIMEZONE
    found: dt.tzinfo | None = imported(path)(user) if path is not None else None
    return found or site_zone()


def progress(user: Any, at: dt.datetime | None = None) -> Progress:
    """What a person has attained, as it stands at an aware moment (default: now).

    A mapping of counter name to :class:`Attainment`, of all counts and sums ``per`` the user.
    Days, weeks and months are those of the person's own zone; what is dated later than the
    moment is left out.
    """
    moment = aware(at)
    entries = personal_counters()
    person = key_of(user)
    goals = goals_of(person, entries)
    means = _means(entries, user)
    return Progress(
        (
            registry.counters.shortest(entry),
            _attained(entry, user, goals[entry.full_name], means, moment),
        )
        for entry in entries
    )


def _attained(
    entry: CounterEntry,
    user: Any,
    goals: Goals,
    means: Mapping[str, Number],
    moment: dt.datetime,
) -> Attainment:
    counter = Counter(entry)
    history = _History.of(counter, counter.scope(user), zone_of(user), moment)
    worth = Worth(entry.declared, counter.measure)
    today = history.today
    first = {
        "day": today,
        "week": week_of(today, options().WEEK_START),
        "month": month_of(today),
    }
    done = {period: worth.of(history.between(since, today)) for period, since in first.items()}
    total = worth.of(history.total)
    return Attainment(
        name=entry.full_name,
        person=key_of(user),
        total=total,
        today=done["day"],
        week=done["week"],
        month=done["month"],
        average=means.get(entry.full_name),
        streak=streak_of((day for day, number in history.counts.items() if number > 0), today),
        goals={
            period: GoalProgress(goals.on(period, today), done[period]) for period in goals.declared
        },
        next_milestone=min(
            (step for step in entry.declared.milestones if step > float(total or 0)), default=None
        ),
        amounts={day: worth.of(history.between(day, day)) for day in history.counts},
        today_is=today,
        days={day: number for day, number in sorted(history.counts.items()) if number > 0},
    )


@dataclass(frozen=True)
class _History:
    """All rows of one person in one measure, by day."""

    today: dt.date
    counts: Mapping[dt.date, int]
    totals: Mapping[dt.date, int]
    total: ledger.Tally

    @classmethod
    def of(cls, counter: Counter, scope: str, zone: dt.tzinfo, moment: dt.datetime) -> _History:
        measure = counter.measure
        clock = _clock(measure, zone)
        now = clock.stamp(moment)
        whole = ledger.read([counter.ask((scope,), ever, moment)]).answers[0]
        total = whole.get(scope, ledger.Tally())
        counts: dict[dt.date, int] = defaultdict(int)
        totals: dict[dt.date, int] = defaultdict(int)
        later = ledger.Tally()
        for stamp, count, value in _moments(measure, scope):
            if stamp > now:
                later = ledger.Tally(later.count + count, later.total + value)
                continue
            day = clock.day(stamp)
            counts[day] += count
            totals[day] += value
        rest = ledger.Tally(total.count - later.count, total.total - later.total)
        return cls(clock.day(now), counts, totals, rest)

    def between(self, first: dt.date, last: dt.date) -> ledger.Tally:
        """What was done from one day to another, both included."""
        return ledger.Tally(sum_of(self.counts, first, last), sum_of(self.totals, first, last))


def _moments(measure: Measure, scope: str) -> Iterator[tuple[int, int, int]]:
    if measure.at is None:
        return
    everything = Interval(EARLIEST // QUARTER * QUARTER, LATEST // QUARTER * QUARTER)
    for one in ledger.read_series([Ask(measure, (scope,), everything, Grain.QUARTER)])[0]:
        yield one.stamp, one.count, one.total


def _clock(measure: Measure, zone: dt.tzinfo) -> Clock:
    """The measure's clock in a person's zone; dates are the same days everywhere."""
    return Clock(zone, wall=measure.clock.wall, dates=measure.clock.dates)


def _means(entries: list[CounterEntry], user: Any) -> dict[str, Number]:
    """Counter -> the mean that is declared over the same rows, if there is one."""
    averages = [
        entry
        for entry in registry.counters
        if isinstance(entry.declared, Avg) and isinstance(entry.declared.per, str)
    ]
    wanted = {
        entry.full_name: mean
        for entry in entries
        for mean in averages[::-1]
        if _rows(mean) == _rows(entry)
    }
    questions = [
        Question(Counter(mean), Counter(mean).scope(user), ever) for mean in wanted.values()
    ]
    return dict(zip(wanted, read(questions), strict=True))


def _rows(entry: CounterEntry) -> tuple[Any, ...]:
    measure = measure_of(entry)
    return measure.model, measure.where, measure.scope, measure.at
