"""Who is here, and who was: the tables of the database's presence store, and sightings.

Moments are seconds since 1970, so that processes compare them without a zone.
"""

from __future__ import annotations

from django.db import models

from livecounters.models.numbers import KEY_LENGTH, TEXT_LENGTH, ExactCharField

__all__ = ["Attendance", "Devices", "Presence", "Process", "Sighting"]

KIND_LENGTH = 1


class Process(models.Model):
    """A process with sockets, and until when it is believed to be at work.

    What it has told counts no longer than that: nobody has to tidy up after a process that was
    killed.
    """

    name = ExactCharField(max_length=KEY_LENGTH, primary_key=True)
    expires_at = models.FloatField()

    def __str__(self) -> str:
        return str(self.name)


class Presence(models.Model):
    """Somebody who is in a room by the sockets of one process."""

    pk = models.CompositePrimaryKey("room", "kind", "member", "process")
    room = ExactCharField(max_length=TEXT_LENGTH)
    kind = ExactCharField(max_length=KIND_LENGTH)
    member = ExactCharField(max_length=TEXT_LENGTH)
    process = ExactCharField(max_length=KEY_LENGTH)
    visitor = ExactCharField(
        max_length=KEY_LENGTH, blank=True, help_text="The browser that a person came with."
    )
    since = models.FloatField()
    away = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["process"], name="livecounters_presence_process"),
            models.Index(fields=["room", "visitor"], name="livecounters_presence_visitor"),
        ]

    def __str__(self) -> str:
        return f"{self.room}: {self.kind}:{self.member}"


class Attendance(models.Model):
    """How many connections one process has in a room."""

    pk = models.CompositePrimaryKey("process", "room")
    process = ExactCharField(max_length=KEY_LENGTH)
    room = ExactCharField(max_length=TEXT_LENGTH)
    connections = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["room"], name="livecounters_attendance_room")]

    def __str__(self) -> str:
        return f"{self.room}: {self.connections}"


class Devices(models.Model):
    """The browsers that somebody is here with by the sockets of one process."""

    pk = models.CompositePrimaryKey("process", "member")
    process = ExactCharField(max_length=KEY_LENGTH)
    member = ExactCharField(max_length=TEXT_LENGTH)
    devices = models.JSONField(help_text="Lists, as presence.base.Device.")

    class Meta:
        indexes = [models.Index(fields=["member"], name="livecounters_devices_member")]

    def __str__(self) -> str:
        return f"{self.member}: {len(self.devices)}"


class Sighting(models.Model):
    """When somebody was here last, and since when they are here if they still are."""

    pk = models.CompositePrimaryKey("kind", "member")
    kind = ExactCharField(max_length=KIND_LENGTH)
    member = ExactCharField(max_length=TEXT_LENGTH)
    visitor = ExactCharField(max_length=KEY_LENGTH, blank=True)
    seen_at = models.FloatField()
    online_since = models.FloatField(null=True)
    turn = models.CharField(
        max_length=KEY_LENGTH, blank=True, help_text="Who has turned it to online or offline."
    )

    class Meta:
        indexes = [
            models.Index(fields=["kind", "seen_at"], name="livecounters_sighting_seen"),
            models.Index(fields=["visitor"], name="livecounters_sighting_visitor"),
            models.Index(fields=["online_since"], name="livecounters_sighting_online"),
            models.Index(fields=["turn"], name="livecounters_sighting_turn"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.member}"
