"""Awards: what a person has reached is said once, whoever notices it and however often.

The rules follow from the declaration of a counter ``per`` the user. Whoever judges first writes
the achievement; the unique constraint lets nobody be second. Several steps that are jumped over
at once are awarded each, in order.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from livecounters.attainment import Attainment, personal_counters, progress
from livecounters.conf import options
from livecounters.feed import database
from livecounters.goals import Goals, goals_of
from livecounters.keys import text_of
from livecounters.models import (
    Achievement,
    AwardedRule,
    Letter,
    OptOut,
    PersonalGoal,
    Share,
)
from livecounters.readers import Counter, aware
from livecounters.registry import CounterEntry
from livecounters.signals import achieved
from livecounters.streaks import month_of, week_of

__all__ = [
    "BUSY",
    "Award",
    "Rule",
    "achievements",
    "award_past",
    "begin_all",
    "due",
    "forget",
    "judge",
    "mark_read",
    "mark_seen",
    "revoke",
    "rules_of",
    "unread",
    "unseen",
]

logger = logging.getLogger("livecounters")

BUSY = 5
"""So many in a day make it a busy one."""

ONE = dt.timedelta(days=1)


class Rule(NamedTuple):
    """What can be reached by a counter: ``first`` of the day, ``busy`` day, ``goal:day`` and the
    like, a ``total``, a ``streak``; the last two in steps."""

    counter: str
    kind: str
    step: int = 0


class Award(NamedTuple):
    """What a person has reached: by which rule, and in which period (empty: for good)."""

    rule: Rule
    period: str = ""


def rules_of(entry: CounterEntry) -> list[Rule]:
    """The rules of a counter; none if it has neither goals nor milestones nor streaks."""
    declared, name = entry.declared, entry.full_name
    if not (declared.goals or declared.milestones or declared.streaks):
        return []
    return [
        Rule(name, "first"),
        Rule(name, "busy", BUSY),
        *(Rule(name, f"goal:{period}") for period in declared.goals or ()),
        *(Rule(name, "total", step) for step in sorted(set(declared.milestones))),
        *(Rule(name, "streak", step) for step in sorted(set(declared.streaks))),
    ]


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

    Safe to call at any time, by any number of processes at once. ``silently``: without a signal,
    and as if it had been seen. Rules that are new on the site are begun first, see
    :func:`award_past`.
    """
    moment = aware(at)
    begun = _begun()
    for entry in personal_counters():
        if not begun.issuperset(rules_of(entry)):
            award_past(entry, moment)
    return _judge(user, moment, silently)


def _judge(user: Any, moment: dt.datetime, silently: bool) -> list[Achievement]:
    entries = [entry for entry in personal_counters() if rules_of(entry)]
    if not entries:
        return []
    person = text_of(get_user_model()._meta.pk, user)
    found = progress(user, moment)
    goals = goals_of(person, entries)
    awards = [
        award
        for entry in entries
        for award in due(
            entry, found[entry.full_name], goals[entry.full_name], found[entry.full_name].today_is
        )
    ]
    known = set(
        _all()
        .filter(person=person, counter__in=[entry.full_name for entry in entries])
        .values_list("counter", "kind", "step", "period")
    )
    new = [award for award in awards if (*award.rule, award.period) not in known]
    return [one for award in new if (one := _write(person, award, moment, silently)) is not None]


def _write(person: str, award: Award, now: dt.datetime, silently: bool) -> Achievement | None:
    """The achievement, if nobody was first."""
    at = now if timezone.is_aware(timezone.now()) else timezone.make_naive(now)
    seen = at if silently else None
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
    except IntegrityError:
        return None
    if not silently:
        said = partial(_say, achievement)
        transaction.on_commit(said, using=database(), robust=True)
    return achievement


def _say(achievement: Achievement) -> None:
    given = {"achievement": achievement, "user_id": achievement.person}
    for _, answer in achieved.send_robust(get_user_model(), **given):
        if isinstance(answer, Exception):
            logger.error("livecounters: a receiver of an achievement failed.", exc_info=answer)


def award_past(entry: CounterEntry, at: dt.datetime | None = None) -> int:
    """Begin the rules of a counter: everybody is awarded silently what they have reached already.

    Answers how many achievements that were. Rules that have begun are left alone.
    """
    moment, number = aware(at), 0
    rules = set(rules_of(entry)) - _begun()
    if not rules:
        return 0
    users = get_user_model()._default_manager
    for scope in Counter(entry).breakdown(at=moment):
        user = users.filter(pk=users.model._meta.pk.to_python(scope)).first()
        if user is not None:
            number += len(_judge(user, moment, silently=True))
    now = moment if timezone.is_aware(timezone.now()) else timezone.make_naive(moment)
    AwardedRule._base_manager.using(database()).bulk_create(
        (AwardedRule(**rule._asdict(), since=now) for rule in sorted(rules)), ignore_conflicts=True
    )
    return number


def begin_all(at: dt.datetime | None = None) -> int:
    """Begin the rules of all counters that have not begun; answers how many achievements of the
    past were awarded without a word."""
    return sum(award_past(entry, at) for entry in personal_counters())


def forget(person: str) -> None:
    """Forget what a person has reached and wanted."""
    for model in (Achievement, PersonalGoal, OptOut, Letter, Share):
        model._base_manager.using(database()).filter(person=person).delete()


def _begun() -> set[Rule]:
    rules = AwardedRule._base_manager.using(database())
    return {Rule(*rule) for rule in rules.values_list("counter", "kind", "step")}


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
    return _mark(person, ids, Q(seen_at=None), "seen_at")


def mark_read(person: str, ids: Sequence[int] | None = None) -> int:
    """They were opened; answers how many were news."""
    _mark(person, ids, Q(seen_at=None), "seen_at")
    return _mark(person, ids, Q(read_at=None), "read_at")


def _mark(person: str, ids: Sequence[int] | None, before: Q, column: str) -> int:
    found = achievements(person).filter(before)
    if ids is not None:
        found = found.filter(pk__in=ids)
    return found.order_by().update(**{column: timezone.now()})


def revoke(achievement: Achievement) -> None:
    """Take it back; it will not be awarded again."""
    _all().filter(pk=achievement.pk, revoked_at=None).update(revoked_at=timezone.now())


def _all() -> QuerySet[Achievement]:
    return Achievement._base_manager.using(database())
