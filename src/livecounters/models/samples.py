"""Samples: what gauges said, a row for each minute."""

from __future__ import annotations

from django.db import models

from livecounters.models.numbers import TEXT_LENGTH, ExactCharField


class Sample(models.Model):
    """All that a gauge said within one minute, and what it said last.

    ``minute`` is a stamp (see ``windows``); ``at`` is in seconds since 1970.
    """

    pk = models.CompositePrimaryKey("gauge", "minute")
    gauge = ExactCharField(max_length=TEXT_LENGTH)
    minute = models.BigIntegerField()
    count = models.BigIntegerField()
    total = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    last = models.FloatField()
    at = models.FloatField()
    histogram = models.JSONField(default=dict, help_text="How many were of about which size.")

    def __str__(self) -> str:
        return f"{self.gauge}@{self.minute}: {self.last}"
