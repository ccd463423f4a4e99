"""What a person wants to reach, and what they have reached."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from livecounters.models.numbers import TEXT_LENGTH, ExactCharField

__all__ = ["Achievement", "AwardedRule", "Letter", "OptOut", "PersonalGoal", "Share", "Summons"]


class PersonalGoal(models.Model):
    """A person's own goal, from a day on; earlier days keep the goal that they had."""

    id = models.BigAutoField(primary_key=True)
    person = ExactCharField(max_length=TEXT_LENGTH)
    counter = ExactCharField(max_length=TEXT_LENGTH)
    period = ExactCharField(max_length=10)
    since = models.DateField()
    target = models.IntegerField()

    class Meta:
        verbose_name = _("personal goal")
        verbose_name_plural = _("personal goals")
        constraints = [
            models.UniqueConstraint(
                fields=["person", "counter", "period", "since"], name="livecounters_goal_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.counter} of {self.person}: {self.target} a {self.period}"


class Achievement(models.Model):
    """Something that a person has reached, once: what it is of makes it unique, so that no two
    processes award it twice.

    ``period`` is the day, week or month it was reached in, empty for what is reached once and
    for all; ``step`` what was reached of several, such as the 50 of 10, 25, 50. One that is
    revoked stays, so that it is not awarded again.
    """

    id = models.BigAutoField(primary_key=True)
    person = ExactCharField(max_length=TEXT_LENGTH)
    counter = ExactCharField(max_length=TEXT_LENGTH)
    kind = ExactCharField(max_length=20)
    step = models.IntegerField(default=0)
    period = ExactCharField(max_length=10, blank=True)
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("achievement")
        verbose_name_plural = _("achievements")
        constraints = [
            models.UniqueConstraint(
                fields=["person", "counter", "kind", "step", "period"],
                name="livecounters_achievement_once",
            )
        ]
        indexes = [
            models.Index(fields=["person", "seen_at"], name="livecounters_achievement_seen"),
            models.Index(fields=["person", "read_at"], name="livecounters_achievement_read"),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.counter} {self.kind} {self.step} {self.period}".rstrip()


class AwardedRule(models.Model):
    """A rule by which people are judged, and since when: what was reached before is awarded
    without a word."""

    pk = models.CompositePrimaryKey("counter", "kind", "step")
    counter = ExactCharField(max_length=TEXT_LENGTH)
    kind = ExactCharField(max_length=20)
    step = models.IntegerField(default=0)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.counter} {self.kind} {self.step}"


class OptOut(models.Model):
    """Something that a person does not want: to be on leaderboards, reminders, notices of a kind."""

    pk = models.CompositePrimaryKey("person", "what")
    person = ExactCharField(max_length=TEXT_LENGTH)
    # "notices:" and the full name of a counter.
    what = ExactCharField(max_length=TEXT_LENGTH + 20)

    def __str__(self) -> str:
        return f"{self.person}: no {self.what}"


class Letter(models.Model):
    """A letter that was written to a person, once: the report of a week, the reminder of a day."""

    pk = models.CompositePrimaryKey("person", "what", "period")
    person = ExactCharField(max_length=TEXT_LENGTH)
    what = ExactCharField(max_length=20)
    period = ExactCharField(max_length=10)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.what} of {self.period} to {self.person}"


class Summons(models.Model):
    """A person who is to be judged, and whose pages are to be told, though no number has changed."""

    id = models.BigAutoField(primary_key=True)
    person = ExactCharField(max_length=TEXT_LENGTH)

    def __str__(self) -> str:
        return str(self.person)


class Share(models.Model):
    """A person's word that everybody may see how far they have come by a counter."""

    pk = models.CompositePrimaryKey("person", "counter")
    person = ExactCharField(max_length=TEXT_LENGTH)
    counter = ExactCharField(max_length=TEXT_LENGTH)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.counter} of {self.person}"
