"""The shapes of answers and of bodies, as serializers: what the schema of the API is made of.

Views answer plain dicts; a test holds every answer of every test against these.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

__all__ = [
    "Achievements",
    "Breakdown",
    "Counter",
    "Counters",
    "Devices",
    "Embed",
    "Event",
    "Events",
    "Goals",
    "Leaderboard",
    "Marked",
    "Number",
    "Preferences",
    "Problem",
    "Progress",
    "Recorded",
    "Recording",
    "Room",
    "Rooms",
    "Series",
    "Shared",
    "Sharing",
    "Snapshot",
    "Standing",
    "Text",
    "Visitor",
    "Wrong",
]


class Number(s.Field[Any, Any, Any, Any]):
    """A number; decimals, and integers that JavaScript cannot hold exactly, are texts."""


class Text(s.Field[Any, Any, Any, Any]):
    """A text, or several of them."""


def number(**given: Any) -> Number:
    """A number, or null: of nothing there is no mean."""
    return Number(allow_null=True, **given)


class Keyed(s.Serializer[Any]):
    """An object of any keys, each with what ``child`` is."""


# Errors


class Problem(s.Serializer[Any]):
    detail = s.CharField()


class Wrong(Keyed):
    """What is wrong with each parameter or key: a text, or several, or for goals one by period."""

    child = s.JSONField()


# Numbers


class Described(s.Serializer[Any]):
    """What a counter is."""

    name = s.CharField()
    label = s.CharField(allow_blank=True)  # type: ignore[assignment]
    unit = s.CharField(help_text="count, sum or mean; of a gauge its own", allow_blank=True)
    per = Text(allow_null=True, help_text="What each number is about; null: the site.")
    sample = s.IntegerField(
        min_value=2,
        required=False,
        help_text="Its numbers are estimates: one in so many different values is kept.",
    )


def doubt() -> s.FloatField:
    """How far off an estimate may be."""
    return s.FloatField(
        min_value=0,
        required=False,
        help_text="Of an estimate: its standard error as a part of the value. 19 of 20 are off by "
        "less than twice as much.",
    )


class Listed(Described):
    """A counter in the list, with its value if it is one for the site."""

    value = number(required=False)
    relative_error = doubt()


class Counters(s.Serializer[Any]):
    counters = Listed(many=True)
    at = s.DateTimeField()


class Counter(Listed):
    """``value``, or ``values`` by key where several were asked for."""

    values = s.DictField(child=number(), required=False)
    relative_errors = s.DictField(child=s.FloatField(min_value=0), required=False)
    at = s.DateTimeField()


class Point(s.Serializer[Any]):
    start = s.DateTimeField()
    value = number()
    relative_error = doubt()
    running = s.BooleanField(help_text="The step is not over yet.")


class Series(Described):
    step = s.ChoiceField(["minute", "quarter", "hour", "day"])
    points = Point(many=True)
    at = s.DateTimeField()


class Part(s.Serializer[Any]):
    of = s.CharField(allow_blank=True)
    value = number()
    relative_error = doubt()


class Breakdown(Described):
    parts = Part(many=True)
    more = s.BooleanField(help_text="There are others.")
    at = s.DateTimeField()


class Place(s.Serializer[Any]):
    rank = s.IntegerField(min_value=1)
    of = s.CharField(allow_blank=True)
    name = s.CharField(allow_blank=True)
    value = number()
    own = s.BooleanField()


class Leaderboard(Described):
    places = Place(many=True)
    at = s.DateTimeField()


class Standing(Leaderboard):
    rank = s.IntegerField(min_value=1, allow_null=True)
    value = number()
    listed = s.BooleanField(help_text="Others see the caller there.")


# The feed


class Event(s.Serializer[Any]):
    seq = s.IntegerField(min_value=0, allow_null=True)
    key = s.CharField(help_text="What stands for it in a page: events of one group have the same.")
    kind = s.CharField()
    text = s.CharField(allow_blank=True)
    icon = s.CharField(allow_blank=True)
    at = s.DateTimeField()
    actor = s.CharField(allow_null=True, allow_blank=True)
    target = s.CharField(allow_null=True, allow_blank=True)
    data = s.DictField(child=s.JSONField())  # type: ignore[assignment]
    url = s.CharField(allow_null=True, help_text="The page of its target.")
    count = s.IntegerField(min_value=1, help_text="How many events are told as this one.")
    others = s.IntegerField(
        min_value=0, help_text="How many others have done it, beside the actor."
    )


class Events(s.Serializer[Any]):
    results = Event(many=True)
    next = s.URLField(allow_null=True)
    epoch = s.CharField(allow_blank=True)
    seq = s.IntegerField(min_value=0)


class Recording(s.Serializer[Any]):
    """What the caller did; when is now."""

    kind = s.CharField()
    key = s.CharField(max_length=100, help_text="Another one for each event.")
    data = s.DictField(child=s.JSONField(), required=False)  # type: ignore[assignment]
    target = s.CharField(required=False)


# A person's own


class Streak(s.Serializer[Any]):
    current = s.IntegerField(min_value=0)
    longest = s.IntegerField(min_value=0)


class GoalProgress(s.Serializer[Any]):
    target = s.IntegerField(min_value=0)
    progress = number()
    percent = s.FloatField(min_value=0)


class Attainment(s.Serializer[Any]):
    total = number()
    today = number()
    week = number()
    month = number()
    average = number()
    streak = Streak()
    goals = s.DictField(child=GoalProgress(), help_text="By period: day, week, month.")
    next_milestone = s.IntegerField(allow_null=True)


class Progress(Keyed):
    """By counter."""

    child = Attainment()


class Recorded(s.Serializer[Any]):
    event = Event()
    progress = Progress()


class Goals(Keyed):
    """Targets by period, by counter."""

    child = s.DictField(child=s.IntegerField())


class Preferences(Keyed):
    """Whether it is wanted, by name."""

    child = s.BooleanField()


class Achievement(s.Serializer[Any]):
    id = s.IntegerField()
    counter = s.CharField()
    kind = s.CharField()
    step = s.IntegerField(allow_null=True)
    period = s.CharField(allow_null=True, help_text="The first day of it.")
    text = s.CharField()
    icon = s.CharField(allow_blank=True)
    great = s.BooleanField()
    at = s.DateTimeField()
    seen = s.BooleanField()
    read = s.BooleanField()


class News(s.Serializer[Any]):
    unseen = s.IntegerField(min_value=0)
    unread = s.IntegerField(min_value=0)


class Achievements(News):
    results = Achievement(many=True)
    next = s.IntegerField(allow_null=True, help_text="Goes on with before=.")


class Marked(News):
    new = s.IntegerField(min_value=0, help_text="How many were news.")


class Sharing(s.Serializer[Any]):
    counter = s.CharField()


class Shared(s.Serializer[Any]):
    url = s.URLField()


# Who is here


class Counts(s.Serializer[Any]):
    label = s.CharField(allow_blank=True)  # type: ignore[assignment]
    people = s.IntegerField(min_value=0, required=False)
    guests = s.IntegerField(min_value=0, required=False)
    connections = s.IntegerField(min_value=0, required=False)


class ListedRoom(Counts):
    room = s.CharField()


class Rooms(s.Serializer[Any]):
    rooms = s.DictField(child=ListedRoom())
    at = s.DateTimeField()


class Person(s.Serializer[Any]):
    name = s.CharField(allow_blank=True)
    since = s.DateTimeField()
    state = s.ChoiceField(["active", "away"])


class Room(Counts):
    """Without numbers where the store of presence is away."""

    roster = Person(many=True, required=False)
    at = s.DateTimeField()


class Embed(s.Serializer[Any]):
    """For shields.io, ``schemaVersion``, ``label`` and ``message`` instead."""

    label = s.CharField(allow_blank=True)  # type: ignore[assignment]
    value = number(required=False)
    relative_error = doubt()
    text = s.CharField(required=False)
    at = s.DateTimeField(required=False)
    schemaVersion = s.IntegerField(required=False)  # noqa: N815
    message = s.CharField(required=False)


class Device(s.Serializer[Any]):
    kind = s.CharField(allow_blank=True)
    since = s.DateTimeField()
    state = s.ChoiceField(["active", "away"])
    pages = s.IntegerField(min_value=0)
    rooms = s.ListField(child=s.CharField())


class Devices(s.Serializer[Any]):
    devices = Device(many=True)
    at = s.DateTimeField()


class Visitor(s.Serializer[Any]):
    visitor = s.CharField()


class Snapshot(s.Serializer[Any]):
    op = s.ChoiceField(["snapshot"])
    values = s.DictField(child=s.JSONField(), help_text="As in the socket's frames.")
    events = s.DictField(child=s.ListField(child=Event()))
    reset = s.ListField(child=s.CharField())
    unavailable = s.ListField(child=s.CharField(allow_blank=True))
    at = s.DateTimeField()
    epoch = s.CharField(allow_blank=True)
    seq = s.IntegerField(min_value=0)
