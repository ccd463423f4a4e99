"""What the package remembers about its own work."""

from __future__ import annotations

from django.db import models

from livecounters.models.numbers import KEY_LENGTH, TEXT_LENGTH


class Measured(models.Model):
    """A measure that is captured and backfilled: its buckets and deltas may be read.

    A measure without such a row is counted from its source.
    """

    key = models.CharField(max_length=KEY_LENGTH, primary_key=True)
    table = models.CharField(max_length=TEXT_LENGTH, help_text="The table it is captured from.")
    names = models.TextField(help_text="The counters that read it, for people.")
    since = models.DateTimeField()

    def __str__(self) -> str:
        return self.names


class Stream(models.Model):
    """The one stream of events: its epoch, and the number of its newest event.

    A new epoch says that numbers of the old one mean nothing any more.
    """

    id = models.SmallIntegerField(primary_key=True)
    epoch = models.CharField(max_length=KEY_LENGTH)
    seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.epoch}:{self.seq}"


class Lease(models.Model):
    """Who does a job of which one at a time is enough, and until when."""

    name = models.CharField(max_length=100, primary_key=True)
    holder = models.CharField(max_length=100)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"


class Muting(models.Model):
    """Exists inside a muted transaction, where the database has no variables of a session."""

    id = models.BigAutoField(primary_key=True)

    def __str__(self) -> str:
        return "muted"
