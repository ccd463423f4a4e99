"""Tiers: whoever finishes quizzes rises."""

from collections.abc import Iterable

from django.db.models import Count, Q

from .models import Profile, Tier

LEAST = {Tier.LIGHTHOUSE: 30, Tier.LANTERN: 20, Tier.CANDLE: 5, Tier.SPARK: 0}
"""The quizzes that each takes, the highest first."""


def tier_of(finished: int) -> Tier:
    return next(tier for tier, least in LEAST.items() if finished >= least)


def promote(people: Iterable[int]) -> None:
    """Give these people (by key) the tiers that they have reached."""
    done = Count("user__attempts", filter=Q(user__attempts__completed=True))
    for profile in Profile.objects.filter(user__in=people).annotate(finished=done):
        tier = tier_of(profile.finished)
        if tier != profile.tier:
            Profile.objects.filter(pk=profile.pk).update(tier=tier)
