"""The numbers: what happened lately (deltas) and what it all adds up to (buckets)."""

from __future__ import annotations

from django.db import models

KEY_LENGTH = 32
TEXT_LENGTH = 255


class Delta(models.Model):
    """A change of a measure that is not folded yet, written by a trigger beside the host's row.

    ``at`` is a stamp (seconds since 1970 UTC, see ``windows``), floored to the minute, or to the
    quarter hour where it is long past; NULL for rows that have no time.
    """

    id = models.BigAutoField(primary_key=True)
    measure = models.CharField(max_length=KEY_LENGTH)
    scope = models.CharField(max_length=TEXT_LENGTH)
    member = models.CharField(max_length=TEXT_LENGTH)
    at = models.BigIntegerField(null=True)
    count = models.BigIntegerField()
    total = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["measure", "scope"], name="livecounters_delta_measure")]

    def __str__(self) -> str:
        return f"{self.measure}[{self.scope}] {self.count:+} {self.total:+}"


class Bucket(models.Model):
    """The sum of all folded deltas of one measure, scope and member in one span of time."""

    pk = models.CompositePrimaryKey("measure", "scope", "grain", "start", "member")
    measure = models.CharField(max_length=KEY_LENGTH)
    scope = models.CharField(max_length=TEXT_LENGTH)
    grain = models.SmallIntegerField()
    start = models.BigIntegerField()
    member = models.CharField(max_length=TEXT_LENGTH)
    count = models.BigIntegerField()
    total = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.measure}[{self.scope}] {self.grain}@{self.start}: {self.count}"
