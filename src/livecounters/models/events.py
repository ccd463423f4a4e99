"""What was told: the events of the feed, and a tombstone for each so that none is told twice."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from livecounters.models.numbers import TEXT_LENGTH, ExactCharField

# An event that counts and is never told: muted, or of somebody anonymous.
UNTOLD = 0

FORGOTTEN = "livecounters.forgotten"
"""The model of an actor or target who was forgotten; there is none of that name."""


class NumberedIndex(models.Index):
    """An index of the rows with a ``seq``: who writes one does not pay for it, who numbers it does.

    Of all rows where the database cannot leave some out. A query uses it if it compares ``seq``.
    """

    def create_sql(
        self, model: type[models.Model], schema_editor: Any, using: str = "", **kwargs: Any
    ) -> Any:
        found = models.Index(fields=self.fields, name=self.name)
        if schema_editor.connection.features.supports_partial_indexes:
            # Not as the condition of the index itself, which Django warns of on MariaDB.
            found.condition = models.Q(seq__isnull=False)
        return found.create_sql(model, schema_editor, using, **kwargs)


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
            NumberedIndex(fields=["kind", "seq"], name="livecounters_event_kind"),
            # What is told together, and the feeds of an object and of an actor.
            NumberedIndex(fields=["kind", "at"], name="livecounters_event_at"),
            NumberedIndex(fields=["target", "seq"], name="livecounters_event_target"),
            NumberedIndex(fields=["actor", "seq"], name="livecounters_event_actor"),
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
