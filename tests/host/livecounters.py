from __future__ import annotations

import os

from django.db.models import F, Q

import livecounters as live

from . import practice, rooms
from .models import Attempt, GiftSale, Sale


@live.register(Attempt)
class AttemptLive(live.LiveModel):
    filter = Q(completed=True)
    at = "completed_at"
    actor = "user"

    quiz_completed = live.Activity(
        "{actor} just completed {target}!",
        target="quiz",
        target_label="quiz__title",
        icon="check",
        data={"score": "score"},
        public=True,
    )
    perfect = live.Activity("{actor} had everything right", filter=Q(score=100), anonymous="show")
    named_only = live.Activity("{actor} was here", anonymous="skip")

    quizzes_today = live.Count(
        events=quiz_completed, window=live.today, label="Quizzes today", icon="check", public=True
    )
    quizzes_by_target = live.Count(events=quiz_completed, per="target", public=True)
    completed_by_actor = live.Count(events=quiz_completed, per="actor")
    score_told = live.Sum("data__score", events=quiz_completed)
    attempts = live.Count(label="Attempts", public=True)
    attempts_today = live.Count(window=live.today)
    attempts_hour = live.Count(window=live.last(hours=1))
    attempts_month = live.Count(window=live.last(days=30))
    scored = live.Count("score")
    per_quiz = live.Count(per="quiz", public=True)
    per_user = live.Count(per="user")
    score_sum = live.Sum("score")
    score_avg = live.Avg("score", label="Average score", public=True)
    score_avg_per_quiz = live.Avg("score", per="quiz", public=True)
    learners = live.Count("user", distinct=True, window=live.last(days=30), label="Active")
    learners_ever = live.Count("user", distinct=True)
    learners_today = live.Count("user", distinct=True, window=live.today)
    learners_hour = live.Count("user", distinct=True, window=live.last(hours=1))
    learners_per_quiz = live.Count("user", distinct=True, per="quiz")
    learners_per_quiz_month = live.Count(
        "user", distinct=True, per="quiz", window=live.last(days=30)
    )
    learners_estimate = live.Count("user", distinct=True, sample=2, window=live.last(days=30))
    score_min = live.Min("score")
    score_max = live.Max("score")
    score_max_per_quiz = live.Max("score", per="quiz")
    score_max_month = live.Max("score", window=live.last(days=30))
    good = live.Count(filter=Q(score__gte=50))


@live.register(Attempt)
class TagLive(live.LiveModel):
    """Over relations."""

    filter = Q(completed=True)
    at = "completed_at"

    per_tag = live.Count(per="quiz__tags", public=True)
    per_tag_and_user = live.Count(per=("quiz__tags", "user"))
    score_sum_per_tag = live.Sum("score", per="quiz__tags", filter=Q(quiz__published=True))
    learners_per_course = live.Count("user", distinct=True, per="quiz__course")
    learners_estimate_per_course = live.Count("user", distinct=True, sample=2, per="quiz__course")
    published = live.Count(filter=Q(quiz__published=True))


@live.register(Sale)
class SaleLive(live.LiveModel):
    at = "day"

    sales = live.Count()
    sales_today = live.Count(window=live.today)
    sales_per_course = live.Count(per="course")
    sales_per_tag = live.Count(per="tag")
    sales_per_currency = live.Count(per="currency")
    sales_per_gift = live.Count(per="gift")
    revenue = live.Sum(
        F("price") * F("quantity"), filter=Q(gift=False), label="Revenue", public=True
    )
    revenue_per_currency = live.Sum(F("price") * F("quantity"), per="currency")
    price_avg = live.Avg("price")
    price_min = live.Min("price")
    price_max_per_currency = live.Max("price", per="currency")
    weight_sum = live.Sum("weight")


@live.register(GiftSale)
class GiftLive(live.LiveModel):
    filter = Q(gift=True)

    gifts = live.Count()


if os.environ.get("LIVECOUNTERS_TEST_PRESENCE"):
    # Processes that tests of presence start.
    rooms.Declared().__enter__()
if os.environ.get("LIVECOUNTERS_TEST_PRACTICE"):
    # Those of recording.
    live.register(practice.PracticeLive)
