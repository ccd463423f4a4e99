"""How the same is done without livecounters: signal handlers."""

from __future__ import annotations

import datetime as dt
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Avg, F
from django.db.models.signals import post_save
from django.utils import timezone

from benchmarks.host.models import Attempt, Cached, Package, Quiz, Recomputed, Streamed, Totals

STREAM = find_spec("actstream") is not None


def connect() -> None:
    post_save.connect(cache, sender=Cached)
    post_save.connect(recompute, sender=Recomputed)
    if STREAM:
        from actstream import registry

        registry.register(get_user_model(), Quiz, apps.get_model("host", "Streamed"))
        post_save.connect(stream, sender=Streamed)


def make_totals() -> None:
    """The rows to be kept, so that no write has to look whether there is one."""
    names = ["site"]
    names += [f"user {pk}" for pk in get_user_model().objects.values_list("pk", flat=True)]
    names += [f"package {pk}" for pk in Package.objects.values_list("pk", flat=True)]
    Totals.objects.bulk_create([Totals(of=name) for name in names])


def stream(sender: Any, instance: Streamed, created: bool, **kwargs: Any) -> None:
    from actstream import action

    if created and instance.completed:
        action.send(instance.user, verb="completed", action_object=instance, target=instance.quiz)


def cache(sender: Any, instance: Cached, created: bool, **kwargs: Any) -> None:
    """As usually written: it knows new rows only, and has no window."""
    if created and instance.completed:
        Totals.objects.filter(of="site").update(count=F("count") + 1)
        Totals.objects.filter(of=f"user {instance.user_id}").update(count=F("count") + 1)
        Totals.objects.filter(of__in=_packages(instance)).update(
            count=F("count") + 1, total=F("total") + instance.score
        )


def _packages(instance: Attempt) -> list[str]:
    packages = Package.quizzes.through.objects.filter(quiz_id=instance.quiz_id)
    return [f"package {pk}" for pk in packages.values_list("package_id", flat=True)]


def recompute(sender: Any, instance: Recomputed, **kwargs: Any) -> None:
    completed = Recomputed.objects.filter(completed=True)
    week = completed.filter(completed_at__gte=timezone.now() - dt.timedelta(days=7)).count()
    mine = completed.filter(user=instance.user_id).count()
    Totals.objects.filter(of="site").update(count=week)
    Totals.objects.filter(of=f"user {instance.user_id}").update(count=mine)
    for package in Package.objects.filter(quizzes=instance.quiz_id):
        there = completed.filter(quiz__packages=package)
        mean = there.aggregate(mean=Avg("score"))["mean"]
        Totals.objects.filter(of=f"package {package.pk}").update(total=round(mean or 0))
