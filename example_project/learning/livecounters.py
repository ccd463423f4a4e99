"""What this site counts and tells, declared beside its models."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

import livecounters as live
from livecounters import sources

from .models import Attempt, Enrolment, Quiz


@live.register(Attempt)
class AttemptLive(live.LiveModel):
    filter = Q(completed=True)
    at = "completed_at"
    actor = "user"

    quiz_completed = live.Activity(
        _("{actor} just completed {target}!"),
        target="quiz",
        target_label="quiz__title",
        icon="check",
        data={"score": "score"},
        link=True,
        group=live.Group(
            ngettext_lazy(
                "{actor} and {others} other completed {target}",
                "{actor} and {others} others completed {target}",
                "others",
            )
        ),
    )

    quizzes_today = live.Count(
        events=quiz_completed,
        window=live.today,
        label=_("Quizzes today"),
        icon="check",
        public=True,
    )
    quizzes_total = live.Count(
        events=quiz_completed, label=_("Quizzes completed"), icon="trophy", public=True
    )
    average_score = live.Avg("score", label=_("Average score"), icon="chart", public=True)
    quiz_attempts = live.Count(per="quiz", public=True)

    # Each learner's own: shown on their dashboard, and who is first on the leaderboard there.
    sessions = live.Count(
        per="user",
        goals={"day": live.Goal(3, least=1, most=20), "week": live.Goal(15, least=1, most=100)},
        milestones=[10, 25, 50, 100, 200, 500],
        streaks=[7, 14, 30],
        label=_("Quizzes you finished"),
        icon="trophy",
    )
    session_score = live.Avg("score", per="user")


@live.register(Attempt)
class LearningNow(live.LiveModel):
    filter = Q(completed=False, practice=False)

    learning_now = live.Count(label=_("Students learning now"), icon="users", public=True)


@live.register(Enrolment)
class EnrolmentLive(live.LiveModel):
    filter = Q(status="active")
    at = "activated_at"
    actor = "user"

    enrolled = live.Activity(
        _("{actor} enrolled in {target}"),
        target="course",
        target_label="course__title",
        icon="book",
        link=True,
    )

    active_month = live.Count(
        "user",
        distinct=True,
        window=live.last(days=30),
        label=_("Active this month"),
        icon="user",
        public=True,
    )
    course_members = live.Count(per="course", public=True)


@live.register(Quiz)
class QuizLive(live.LiveModel):
    quiz_readers = live.Online(label=_("looking at this quiz"), public=True)


@live.register
class SiteLive(live.LiveSite):
    """Who is here, and how the server does."""

    online = live.Online(label=_("Online now"), icon="users", public=True)
    active_lately = live.Active(label=_("Active lately"), icon="user", public=True)
    server_uptime = live.Gauge(
        sources.uptime, label=_("Server uptime"), every=10, unit="s", icon="clock", public=True
    )
    response_time = live.Gauge(
        sources.response_time,
        label=_("Response time"),
        every=10,
        unit="ms",
        decimals=1,
        icon="bolt",
        public=True,
    )
    database_round_trip = live.Gauge(
        sources.database_round_trip,
        label=_("Database round trip"),
        every=10,
        unit="ms",
        decimals=2,
        icon="book",
        public=True,
    )
