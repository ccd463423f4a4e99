"""What a person wants to reach, and what they have reached."""

from __future__ import annotations

from django.db import models

from livecounters.models.numbers import TEXT_LENGTH, ExactCharField

__all__ = ["PersonalGoal"]


class PersonalGoal(models.Model):
    """A person's own goal, from a day on; earlier days keep the goal that they had."""

    pk = models.CompositePrimaryKey("person", "counter", "period", "since")
    person = ExactCharField(max_length=TEXT_LENGTH)
    counter = ExactCharField(max_length=TEXT_LENGTH)
    period = ExactCharField(max_length=10)
    since = models.DateField()
    target = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.counter} of {self.person}: {self.target} a {self.period}"
