"""What the package remembers about its own work."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from livecounters.models.numbers import KEY_LENGTH, TEXT_LENGTH, ExactCharField


class Measured(models.Model):
    """A measure that is captured by triggers.

    Only while ``ready`` are its buckets and deltas read; until then, and without such a row, it
    is counted from its source.
    """

    measure = ExactCharField(max_length=KEY_LENGTH, primary_key=True)
    tables = models.JSONField(
        default=dict, help_text="The tables it is captured from: their installations by name."
    )
    names = models.TextField(help_text="The counters that read it, for people.")
    since = models.DateTimeField(help_text="When its triggers were installed.")
    # A gap in the capture ends an installation: nothing that was begun in an earlier one may
    # call the measure ready.
    installation = models.CharField(max_length=KEY_LENGTH, blank=True)
    ready = models.BooleanField(default=False)
    floor = models.BigIntegerField(
        null=True, help_text="A stamp: events before it may have been pruned."
    )
    paused_at = models.DateTimeField(null=True, help_text="Since when pages are not told of it.")
    reset_at = models.DateTimeField(null=True, help_text="When somebody had it begin anew.")
    audited_at = models.DateTimeField(null=True)
    drift = models.BigIntegerField(null=True, help_text="Wrong buckets at the last audit.")

    class Meta:
        verbose_name = _("counter")
        verbose_name_plural = _("counters")
        permissions = [
            ("repair_measured", _("Can verify and repair counters")),
            ("pause_measured", _("Can pause and resume counters")),
            ("reset_measured", _("Can reset counters")),
        ]

    def __str__(self) -> str:
        return self.names


class Dashboard(Measured):
    """The operators' page, so that the admin lists it and knows who may see it."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = verbose_name_plural = _("dashboard")


class Mark(models.Model):
    """A row, as it was or as it is, of a table that a counter goes over: it was changed.

    Transactions that change two such tables at once do not see each other, and nobody's deltas
    hold what comes of both. ``seen`` says which transactions were at work when the mark was seen
    first; when they are over, what it concerns is compared, and it goes.
    """

    id = models.BigAutoField(primary_key=True)
    table = models.CharField(max_length=TEXT_LENGTH)
    row = models.JSONField(default=dict)
    # Empty: nobody else was at work.
    seen = models.TextField(null=True)  # noqa: DJ001

    def __str__(self) -> str:
        return f"{self.table}: {self.row}"


class Suspect(models.Model):
    """A scope of a measure over several tables whose deltas were folded a moment ago, perhaps
    before a transaction was over that changed another of its tables."""

    pk = models.CompositePrimaryKey("measure", "scope")
    measure = ExactCharField(max_length=KEY_LENGTH)
    scope = ExactCharField(max_length=TEXT_LENGTH)
    # Empty: nobody else was at work.
    seen = models.TextField(null=True)  # noqa: DJ001

    def __str__(self) -> str:
        return f"{self.measure}[{self.scope}]"


class Stream(models.Model):
    """The one stream of events: its epoch, and the number of its newest event.

    A new epoch says that numbers of the old one mean nothing any more.
    """

    id = models.SmallIntegerField(primary_key=True)
    epoch = models.CharField(max_length=KEY_LENGTH)
    seq = models.BigIntegerField(default=0)
    pruned = models.BigIntegerField(default=0, help_text="The highest number that was removed.")
    home = models.CharField(
        max_length=TEXT_LENGTH, blank=True, help_text="Which copy of the database this is."
    )

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
