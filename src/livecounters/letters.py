"""Letters: a reminder before a streak is lost, and the report of a week. Each once.

Who is to be written to is found by their own calendar; that it was written is kept first, so that
two runs at once, or a run after one that was killed, write nobody twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction

from livecounters.attainment import Attainment, progress, zone_of
from livecounters.awards import achievements
from livecounters.conf import options
from livecounters.feed import database
from livecounters.models import Achievement, Letter
from livecounters.people import key_of, users
from livecounters.preferences import REMINDERS, REPORT, opted_out, set_preference
from livecounters.readers import Counter, aware, stored
from livecounters.rules import judged_counters
from livecounters.streaks import week_of
from livecounters.windows import last

__all__ = [
    "EVENING",
    "AtRisk",
    "Week",
    "at_risk",
    "due_reports",
    "is_token",
    "report_of",
    "unsubscribe",
    "unsubscribe_token",
    "written",
]

EVENING = 18
"""The hour of the person's day from which a streak is at risk that today has not gone on."""

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class AtRisk:
    """Somebody whose streak ends at midnight unless they do something today."""

    user: Any
    counter: str
    streak: int
    today: dt.date


@dataclass(frozen=True)
class Week:
    """What a person has done in a week of theirs."""

    user: Any
    first: dt.date
    numbers: dict[str, int]
    before: dict[str, int]
    progress: dict[str, Attainment]
    achievements: list[Achievement]

    @property
    def last(self) -> dt.date:
        return self.first + 6 * DAY


def at_risk(at: dt.datetime | None = None, evening: int = EVENING) -> Iterator[AtRisk]:
    """The people whose streak is at risk in their own evening, who want reminders, and who were not
    reminded today."""
    moment = aware(at)
    for user in _active(moment, 2, REMINDERS):
        if moment.astimezone(zone_of(user)).hour < evening:
            continue
        for name, found in _judged(user, moment).items():
            if found.streak.current > 0 and not found.days.get(found.today_is):
                yield AtRisk(user, name, found.streak.current, found.today_is)
                break


def due_reports(at: dt.datetime | None = None) -> Iterator[Week]:
    """The reports of the week that has ended, of everybody who did something in it or in the one
    before, and wants them."""
    moment = aware(at)
    for user in _active(moment, 15, REPORT):
        today = moment.astimezone(zone_of(user)).date()
        yield report_of(user, week_of(today, options().WEEK_START) - 7 * DAY, moment)


def report_of(user: Any, first: dt.date, at: dt.datetime | None = None) -> Week:
    """What a person has done in the week that begins on a day."""
    moment = aware(at)
    found = _judged(user, moment)
    zone = zone_of(user)
    begin = dt.datetime.combine(first, dt.time(), zone)
    end = dt.datetime.combine(first + 7 * DAY, dt.time(), zone)
    reached = achievements(key_of(user)).filter(at__gte=stored(begin), at__lt=stored(end))
    return Week(
        user,
        first,
        {name: _done(one, first) for name, one in found.items()},
        {name: _done(one, first - 7 * DAY) for name, one in found.items()},
        found,
        list(reached),
    )


def written(user: Any, what: str, period: dt.date, at: dt.datetime | None = None) -> bool:
    """Keep that a letter is written; ``False`` if it was already, by whoever."""
    letter = Letter(person=key_of(user), what=what, period=period.isoformat(), at=stored(aware(at)))
    try:
        with transaction.atomic(using=database()):
            letter.save(using=database(), force_insert=True)
    except IntegrityError:
        return False
    return True


# No more letters


def unsubscribe_token(user: Any, what: str) -> str:
    """What a letter carries, so that one click ends them."""
    return _signer().sign(f"{what}:{key_of(user)}")


def unsubscribe(token: str) -> str | None:
    """Take somebody at their click; answers what they do not want any more, ``None`` for a token
    that is not ours."""
    found = _read(token)
    if found is None:
        return None
    what, person = found
    set_preference(person, what, False)
    return what


def is_token(token: str) -> bool:
    """Whether it is one of ours."""
    return _read(token) is not None


def _read(token: str) -> tuple[str, str] | None:
    try:
        what, _, person = _signer().unsign(token).partition(":")
    except BadSignature:
        return None
    return what, person


def _signer() -> Signer:
    return Signer(sep="~", salt="livecounters.letters")


# Who


def _active(moment: dt.datetime, days: int, what: str) -> Iterator[Any]:
    """Everybody who has done something in these last days that they are judged by, and wants
    such letters."""
    people: dict[str, None] = {}
    for entry in judged_counters():
        if Counter(entry).measure.at is not None:
            recent = Counter(entry).breakdown(window=last(days=days), at=moment)
            people.update(dict.fromkeys(recent))
    unwanted = opted_out(what)
    for user in users(person for person in people if person not in unwanted):
        if user.is_active:
            yield user


def _judged(user: Any, moment: dt.datetime) -> dict[str, Attainment]:
    """The person's progress in what people are judged by."""
    ruled = {entry.full_name for entry in judged_counters()}
    return {name: one for name, one in progress(user, moment).items() if one.name in ruled}


def _done(found: Attainment, first: dt.date) -> int:
    return sum(n for day, n in found.days.items() if first <= day < first + 7 * DAY)
