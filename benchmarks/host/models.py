"""One table of attempts for each variant, and the rows that hand-written counting fills."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Quiz(models.Model):
    title = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.title


class Package(models.Model):
    title = models.CharField(max_length=100)
    quizzes = models.ManyToManyField(Quiz, related_name="packages")

    def __str__(self) -> str:
        return self.title


class Attempt(models.Model):
    """What every variant's table looks like."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, related_name="+")
    completed = models.BooleanField(default=False)
    completed_at = models.DateTimeField(null=True)
    score = models.IntegerField(null=True)
    note = models.TextField(blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.pk}"


class Bare(Attempt):
    """Nobody looks."""


class Counted(Attempt):
    """Three counters of livecounters: of the site, per user, through a many-to-many relation."""


class Told(Attempt):
    """The same three and an activity."""


class ToldCounted(Attempt):
    """The same, and a counter over the activity."""


class Streamed(Attempt):
    """An action of django-activity-stream for each completed attempt; no counter."""


class Cached(Attempt):
    """Counter columns kept by a signal handler with F()."""


class Recomputed(Attempt):
    """The numbers are counted again by a signal handler at each save."""


class Read(Attempt):
    """The table that numbers are read from; the host's own COUNT has the index it wants."""

    class Meta:
        indexes = [models.Index(fields=["completed", "completed_at"], name="read_completed")]


class People(Attempt):
    """The table that people are counted in."""

    class Meta:
        indexes = [models.Index(fields=["completed", "completed_at"], name="people_completed")]


class Ranked(Attempt):
    """The table that people are ranked by."""


class Totals(models.Model):
    """What hand-written counting keeps: one row for the site, one per user, one per package."""

    of = models.CharField(max_length=100, unique=True)
    count = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.of}: {self.count}"
