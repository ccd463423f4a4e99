"""The order of numbers: who has which, and how many have each."""

from __future__ import annotations

from django.db import models

from livecounters.models.numbers import KEY_LENGTH, TEXT_LENGTH, ExactCharField, TotalField

__all__ = ["Ladder", "Rung", "Score"]


class Ladder(models.Model):
    """A measure whose scores are kept in order, as its buckets have them.

    Of days and weeks those that begin at ``since`` or later; weeks begin on ``week_start``. While
    it is being made, it is right up to the scope ``upto``; without one it is whole.
    """

    measure = ExactCharField(max_length=KEY_LENGTH, primary_key=True)
    since = models.BigIntegerField()
    week_start = models.SmallIntegerField()
    upto = ExactCharField(max_length=TEXT_LENGTH, null=True)

    def __str__(self) -> str:
        return f"{self.measure}: {'whole' if self.upto is None else f'up to {self.upto}'}"


class Score(models.Model):
    """The number of one scope in one span of time: ever, a day or a week that begins at ``start``.

    ``count`` are its rows, without which there is no score; ``number`` is what it is ranked by.
    """

    pk = models.CompositePrimaryKey("measure", "span", "start", "scope")
    measure = ExactCharField(max_length=KEY_LENGTH)
    span = models.SmallIntegerField()
    start = models.BigIntegerField()
    scope = ExactCharField(max_length=TEXT_LENGTH)
    count = models.BigIntegerField()
    number = TotalField()

    class Meta:
        # Backwards it is a leaderboard: the greatest first, equal ones by their scopes.
        indexes = [
            models.Index(
                fields=["measure", "span", "start", "number", "-scope"],
                name="livecounters_score_number",
            )
        ]

    def __str__(self) -> str:
        return f"{self.measure}[{self.scope}] {self.span}@{self.start}: {self.number}"


class Rung(models.Model):
    """How many ``scopes`` have a number of this ``cell``, and how many different ``numbers`` that is.

    A cell of level 0 is one number; each of a higher level holds 256 of the one below. So the
    numbers above any number are a few hundred cells, however many scopes there are.
    """

    pk = models.CompositePrimaryKey("measure", "span", "start", "level", "cell")
    measure = ExactCharField(max_length=KEY_LENGTH)
    span = models.SmallIntegerField()
    start = models.BigIntegerField()
    level = models.SmallIntegerField()
    cell = TotalField()
    scopes = models.BigIntegerField(default=0)
    numbers = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.measure} {self.span}@{self.start} {self.level}/{self.cell}: {self.scopes}"
