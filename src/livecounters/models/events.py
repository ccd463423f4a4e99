"""What was told: the events of the feed, and a tombstone for each so that none is told twice."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from livecounters.models.numbers import TEXT_LENGTH, ExactCharField

# An event that counts and is never told: muted, or of somebody anonymous.
UNTOLD = 0

FORGOTTEN = "livecounters.forgotten"
"""The model of an actor or target who was forgotten; there is none of that name."""


class ActivityEvent(models.Model):
    """Something that happened, as it was when it happened; it survives its row and its target.

    ``seq`` is its place in the stream: NULL until it is numbered, ``UNTOLD`` for an event that
    only counts.
    """

    id = models.BigAutoField(primary_key=True)
    kind = ExactCharField(max_length=TEXT_LENGTH)
    actor_model = models.CharField(max_length=TEXT_LENGTH, blank=True)
    actor = ExactCharField(max_length=TEXT_LENGTH, null=True, blank=True)
    target_model = models.CharField(max_length=TEXT_LENGTH, blank=True)
    target = ExactCharField(max_length=TEXT_LENGTH, null=True, blank=True)
    target_label = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField()
    seq = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("activity event")
        verbose_name_plural = _("activity events")
        indexes = [
            models.Index(fields=["seq"], name="livecounters_event_seq"),
            models.Index(fields=["kind", "seq"], name="livecounters_event_kind"),
            # What is told together, and the feeds of an object and of an actor.
            models.Index(fields=["kind", "at"], name="livecounters_event_at"),
            models.Index(fields=["target", "seq"], name="livecounters_event_target"),
            models.Index(fields=["actor", "seq"], name="livecounters_event_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.seq}"


class EventSource(models.Model):
    """The tombstone of an event: this row was told as this kind, or this key was recorded, and
    which ``event`` it made. It outlives the event."""

    pk = models.CompositePrimaryKey("kind", "source")
    kind = ExactCharField(max_length=TEXT_LENGTH)
    source = ExactCharField(max_length=TEXT_LENGTH)
    event = models.BigIntegerField(null=True, help_text="Of what was recorded: the event's id.")

    def __str__(self) -> str:
        return f"{self.kind}:{self.source}"
