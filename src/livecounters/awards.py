"""Awards: what a person has reached is said once, whoever notices it and however often.

Whoever judges first writes the achievement; the unique constraint lets nobody be second. Several steps that are jumped over
at once are awarded each, in order.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone, translation

from livecounters.attainment import Attainment, Progress, progress
from livecounters.conf import options
from livecounters.feed import database
from livecounters.goals import Goals, goals_of
from livecounters.measures import measure_of
from livecounters.models import (
    Achievement,
    AwardedRule,
    Letter,
    OptOut,
    PersonalGoal,
    Share,
    Summons,
)
from livecounters.notices import great, label_of, text_of_achievement
from livecounters.people import key_of, users
from livecounters.preferences import FEED, is_muted, unwanted
from livecounters.readers import Counter, aware, stored
from livecounters.recording import record
from livecounters.registry import BadgeEntry, CounterEntry, registry
from livecounters.rules import BADGE, Rule, judged_counters, personal_counters, rules, rules_of
from livecounters.signals import achieved
from livecounters.streaks import month_of, week_of
from livecounters.summonses import summon
from livecounters.windows import QUARTER

__all__ = [
    "Award",
    "achievements",
    "award_past",
    "begin",
    "due",
    "forget",
    "judge",
    "mark_read",
    "mark_seen",
    "revoke",
    "unread",
    "unseen",
]

logger = logging.getLogger("livecounters")

ONE = dt.timedelta(days=1)

# What was said of badges that fail, so that it is not said of everybody.
_failures: set[tuple[BadgeEntry, type[Exception]]] = set()


class Award(NamedTuple):
    """What a person has reached: by which rule, and in which period (empty: for good)."""

    rule: Rule
    period: str = ""


def due(entry: CounterEntry, found: Attainment, goals: Goals, today: dt.date) -> list[Award]:
    """What somebody has reached by a counter, as it stands today, in the order to be told.

    Days are looked at up to yesterday's, which may have been reached just before midnight.
    """
    awards: list[Award] = []
    for rule in rules_of(entry):
        if rule.kind == "total":
            reached = float(found.total or 0) >= rule.step
            awards += [Award(rule)] if reached else []
        elif rule.kind == "streak":
            awards += [Award(rule)] if found.streak.longest >= rule.step else []
        else:
            awards += [Award(rule, p) for p in _periods(rule, found, goals, today)]
    return awards


def _periods(rule: Rule, found: Attainment, goals: Goals, today: dt.date) -> Iterator[str]:
    """The periods in which a rule of days, weeks or months is met."""
    if rule.kind in ("first", "busy"):
        for day in (today - ONE, today):
            if found.days.get(day, 0) >= max(1, rule.step):
                yield day.isoformat()
        return
    period = rule.kind.partition(":")[2]
    for day in (today - ONE, today):
        first = _first(period, day)
        if day < today and _first(period, today) == first:
            # It goes on: today's look says all.
            continue
        done = sum(float(n or 0) for on, n in found.amounts.items() if first <= on <= day)
        if done >= goals.on(period, day):
            yield first.isoformat()


def _first(period: str, day: dt.date) -> dt.date:
    if period == "week":
        return week_of(day, options().WEEK_START)
    return month_of(day) if period == "month" else day


# Judging


def judge(user: Any, at: dt.datetime | None = None, *, silently: bool = False) -> list[Achievement]:
    """Award a person what they have reached by now, and answer what is new of it.

    Safe to call at any time, by any number of processes at once. What was reached before its rule
    was known on this site is awarded ``silently``: without a signal, and as if it had been seen.
    So is, but for the signal, what they do not want to be shown.
    """
    moment = aware(at)
    since = begin(moment)
    if not since:
        return []
    person, found = key_of(user), progress(user, moment)
    known = set(_all().filter(person=person).values_list("counter", "kind", "step", "period"))
    new = [award for award in _due(person, found) if (*award.rule, award.period) not in known]
    past = _past(user, person, {since[award.rule] for award in new})
    no = unwanted(person) if new else set()
    return [
        one
        for award in new
        if (one := _write(person, award, moment, no, silently or award in past[since[award.rule]]))
    ]


def _due(person: str, found: Progress) -> list[Award]:
    """What somebody has reached, as their progress says; in the order to be told."""
    entries = judged_counters()
    goals = goals_of(person, entries)
    awards: list[Award] = []
    for entry in entries:
        attained = found[entry.full_name]
        awards += due(entry, attained, goals[entry.full_name], attained.today_is)
    return [*awards, *(Award(Rule(b.full_name, BADGE)) for b in registry.badges if _has(b, found))]


def _has(badge: BadgeEntry, found: Progress) -> bool:
    try:
        return bool(badge.declared.when(found))
    except Exception as error:
        if (badge, type(error)) not in _failures:
            _failures.add((badge, type(error)))
            logger.exception("livecounters: whether somebody has %s could not be told.", badge)
        return False


def _past(user: Any, person: str, moments: Iterable[dt.datetime]) -> dict[dt.datetime, set[Award]]:
    """What somebody had reached at moments of the past, as far as that can be told: deeds are
    known by the quarter hour, and those of a counter without a time not at all."""
    timeless = {e.full_name for e in personal_counters() if measure_of(e).at is None}
    found = {}
    for moment in moments:
        before = moment - dt.timedelta(seconds=moment.timestamp() % QUARTER + 1)
        awards = _due(person, progress(user, before))
        found[moment] = {award for award in awards if award.rule.counter not in timeless}
    return found


def begin(at: dt.datetime | None = None) -> dict[Rule, dt.datetime]:
    """Note since when the rules are known that are new on this site; rule -> since when."""
    wanted = rules()
    if not wanted:
        return {}
    begun = _begun()
    new = [rule for rule in wanted if rule not in begun]
    if new:
        since = stored(aware(at))
        AwardedRule._base_manager.using(database()).bulk_create(
            (AwardedRule(**rule._asdict(), since=since) for rule in new), ignore_conflicts=True
        )
        # Somebody else may have been first.
        begun = _begun()
    return {rule: begun[rule] for rule in wanted}


def award_past(at: dt.datetime | None = None) -> int:
    """Award everybody who has done anything what they have reached already, without waiting for
    their next deed; answers how many achievements that were. A few queries for each person."""
    moment = aware(at)
    if not rules():
        return 0
    people: dict[str, None] = {}
    for entry in personal_counters():
        people.update(dict.fromkeys(Counter(entry).breakdown(at=moment)))
    return sum(len(judge(user, moment)) for user in users(people))


def _write(
    person: str, award: Award, now: dt.datetime, no: Set[str], silently: bool
) -> Achievement | None:
    """The achievement, if nobody was first; of somebody who does not want some things."""
    at = stored(now)
    seen = at if silently or is_muted(award.rule, no) else None
    achievement = Achievement(
        person=person,
        period=award.period,
        at=at,
        seen_at=seen,
        read_at=seen,
        **award.rule._asdict(),
    )
    try:
        with transaction.atomic(using=database()):
            achievement.save(using=database(), force_insert=True)
            if not silently and FEED not in no and great(achievement):
                _tell(achievement)
    except IntegrityError:
        return None
    if not silently:
        said = partial(_say, achievement)
        transaction.on_commit(said, using=database(), robust=True)
    return achievement


def _tell(achievement: Achievement) -> None:
    """Make an event of it, where that is declared: both are written or none."""
    told = [entry for entry in registry.activities if entry.declared.achievements]
    if not told:
        return
    with translation.override(settings.LANGUAGE_CODE):
        data = {
            "achievement": text_of_achievement(achievement),
            "counter": label_of(achievement),
            "step": achievement.step,
        }
    for entry in told:
        record(entry, actor=achievement.person, data=data)


def _say(achievement: Achievement) -> None:
    given = {"achievement": achievement, "user_id": achievement.person}
    for _, answer in achieved.send_robust(get_user_model(), **given):
        if isinstance(answer, Exception):
            logger.error("livecounters: a receiver of an achievement failed.", exc_info=answer)


def forget(person: str) -> None:
    """Forget what a person has reached and wanted."""
    for model in (Achievement, PersonalGoal, OptOut, Letter, Share, Summons):
        model._base_manager.using(database()).filter(person=person).delete()


def _begun() -> dict[Rule, dt.datetime]:
    found = AwardedRule._base_manager.using(database())
    return {
        Rule(counter, kind, step): aware(since)
        for counter, kind, step, since in found.values_list("counter", "kind", "step", "since")
    }


# What a person has


def achievements(person: str) -> QuerySet[Achievement]:
    """What a person has reached and not lost, the newest first."""
    return _all().filter(person=person, revoked_at=None).order_by("-id")


def unseen(person: str) -> int:
    """How many a person has not been shown yet."""
    return achievements(person).filter(seen_at=None).count()


def unread(person: str) -> int:
    """How many a person has not opened yet."""
    return achievements(person).filter(read_at=None).count()


def mark_seen(person: str, ids: Sequence[int] | None = None) -> int:
    """They were shown, on one of the person's devices; answers how many were news."""
    return _mark(person, ids, "seen_at")


def mark_read(person: str, ids: Sequence[int] | None = None) -> int:
    """They were opened; answers how many were news."""
    # What was opened was shown.
    return _mark(person, ids, "read_at", "seen_at")


def _mark(person: str, ids: Sequence[int] | None, column: str, *others: str) -> int:
    """Set a moment where there is none; with it the others, where they are not set."""
    found = achievements(person).filter(**{column: None})
    if ids is not None:
        found = found.filter(pk__in=ids)
    now = timezone.now()
    moments = {other: Coalesce(other, now) for other in others}
    number = found.order_by().update(**{column: now}, **moments)
    if number:
        # The person's other pages say so, too.
        summon(person)
    return number


def revoke(achievement: Achievement) -> None:
    """Take it back; it will not be awarded again."""
    if _all().filter(pk=achievement.pk, revoked_at=None).update(revoked_at=timezone.now()):
        summon(achievement.person)


def _all() -> QuerySet[Achievement]:
    return Achievement._base_manager.using(database())
