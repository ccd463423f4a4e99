"""What is declared to livecounters, found as in any host."""

from __future__ import annotations

from django.db.models import F, Q

import livecounters as live
from benchmarks.host.models import Counted, People, Ranked, Read, Told, ToldCounted

COMPLETED = Q(completed=True)
WEEK = live.last(days=7)
MONTH = live.last(days=30)


@live.register(Counted)
class CountedLive(live.LiveModel):
    at = "completed_at"
    filter = COMPLETED

    counted_week = live.Count(window=WEEK)
    counted_of_user = live.Count(per="user")
    counted_score = live.Avg("score", per="quiz__packages")


@live.register(Told)
class ToldLive(live.LiveModel):
    at = "completed_at"
    filter = COMPLETED
    actor = "user"

    told_week = live.Count(window=WEEK)
    told_of_user = live.Count(per="user")
    told_score = live.Avg("score", per="quiz__packages")

    completed = live.Activity(
        "{actor} completed {target} with {score} points",
        target="quiz",
        target_label=F("quiz__title"),
        data={"score": "score"},
    )


@live.register(ToldCounted)
class ToldCountedLive(live.LiveModel):
    at = "completed_at"
    filter = COMPLETED
    actor = "user"

    all_week = live.Count(window=WEEK)
    all_of_user = live.Count(per="user")
    all_score = live.Avg("score", per="quiz__packages")

    all_completed = live.Activity(
        "{actor} completed {target} with {score} points",
        target="quiz",
        target_label=F("quiz__title"),
        data={"score": "score"},
    )
    all_events = live.Count(events=all_completed, per="actor")


@live.register(Read)
class ReadLive(live.LiveModel):
    at = "completed_at"
    filter = COMPLETED

    read_month = live.Count(window=MONTH)


@live.register(People)
class PeopleLive(live.LiveModel):
    at = "completed_at"
    filter = COMPLETED

    read_people = live.Count("user", distinct=True, window=MONTH)


@live.register(Ranked)
class RankedLive(live.LiveModel):
    at = "completed_at"
    filter = COMPLETED

    ranked_sessions = live.Count(per="user")
    ranked_points = live.Sum("score", per="user")
