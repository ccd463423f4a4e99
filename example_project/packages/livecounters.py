"""What is counted about quizzes and the packages they are in.

A quiz is in any number of packages, and an editor moves it from one to another at any time. Its
likes, ratings and attempts move with it; nothing here has to say so.
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from learning.models import Attempt

import livecounters as live

from .models import Like, Purchase, Rating


@live.register(Like)
class LikeLive(live.LiveModel):
    at = "created_at"

    quiz_likes = live.Count(per="quiz", label=_("Likes"), icon="heart", public=True)
    package_likes = live.Count(per="quiz__packages", label=_("Likes"), icon="heart", public=True)


@live.register(Rating)
class RatingLive(live.LiveModel):
    at = "created_at"

    quiz_rating = live.Avg("stars", per="quiz", label=_("Rating"), icon="star", public=True)
    package_rating = live.Avg(
        "stars", per="quiz__packages", label=_("Rating"), icon="star", public=True
    )


@live.register(Attempt)
class PackageAttemptLive(live.LiveModel):
    filter = Q(completed=True)
    at = "completed_at"

    package_attempts = live.Count(
        per="quiz__packages", label=_("Quizzes completed"), icon="check", public=True
    )
    package_score = live.Avg(
        "score", per="quiz__packages", label=_("Average score"), icon="chart", public=True
    )


@live.register(Purchase)
class PurchaseLive(live.LiveModel):
    at = "created_at"
    actor = "user"

    package_bought = live.Activity(
        _("{actor} bought {target}"),
        target="package",
        target_label="package__title",
        icon="star",
        link=True,
    )

    # Nobody buys a package twice, so there are as many buyers as purchases.
    package_buyers = live.Count(per="package", label=_("Buyers"), icon="users", public=True)
    package_earnings = live.Sum(
        "price", per=("package", "currency"), label=_("Earnings"), icon="chart", public=True
    )
