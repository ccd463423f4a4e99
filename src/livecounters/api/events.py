"""``GET live/events/?kind=&target=&actor=&group=&topic=&limit=&cursor=`` and ``POST live/events/``"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model, Q
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import ViewSet

from livecounters import feed, timeline
from livecounters.api.base import LiveView, not_found
from livecounters.api.throttles import RecordThrottle
from livecounters.attainment import progress
from livecounters.audience import Viewer
from livecounters.cursors import Cursor
from livecounters.exceptions import TopicRefused, Unrecordable
from livecounters.models import ActivityEvent
from livecounters.recordables import recordable_of
from livecounters.recording import record
from livecounters.registry import ActivityEntry, registry
from livecounters.selection import Party, Selection, party_of
from livecounters.topics import MAX_PARTIES, FeedTopic, feed_of, granted, seen_by

__all__ = ["EventViewSet"]

DEFAULT_LIMIT = 20
MAX_LIMIT = 100

# What a browser may say of an event: in bytes, in characters, and about what.
MAX_BODY = 8_192
MAX_KEY = 100
GIVEN = ("kind", "key", "data", "target")


class TooLarge(APIException):
    """More than an event holds."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"At most {MAX_BODY} bytes."
    default_code = "too_large"


class EventViewSet(LiveView, ViewSet):
    """What happened, newest first; three queries however many and whatever is told. And what a
    browser says that happened, of activities that are declared so."""

    def get_permissions(self) -> list[BasePermission]:
        return [IsAuthenticated() if self.request.method == "POST" else AllowAny()]

    def own_throttle(self) -> type[BaseThrottle]:
        return RecordThrottle if self.request.method == "POST" else super().own_throttle()

    def list(self, request: Request) -> Response:
        topic = _topic(request)
        limit = _limit(request.query_params.get("limit"))
        cursor = _cursor(request.query_params.get("cursor"))
        found = timeline.page(
            limit,
            topic.selection,
            cursor,
            viewer=None if topic.viewer is None else Viewer(request.user),
            of=_group(request, topic),
        )
        if cursor is not None and cursor.epoch != found.place.epoch:
            raise ValidationError(
                {"cursor": "The feed was renumbered; begin again without a cursor."}
            )
        return Response(
            {
                "results": [event.as_json() for event in found.events],
                "next": None if found.older is None else _next(request, found.older),
                "epoch": found.place.epoch,
                "seq": found.place.seq,
            }
        )

    def create(self, request: Request) -> Response:
        """Record what the caller did, once for each key. 201 the first time and 200 from then
        on, both with the event and the caller's progress."""
        given = _given(request)
        entry = _recordable(request, given["kind"])
        try:
            target = _target(request, entry, given.get("target"))
            data, key = given.get("data"), given["key"]
            found = record(entry, actor=request.user, target=target, data=data, key=key)
        except Unrecordable as error:
            raise ValidationError({error.about: str(error)}) from error
        return Response(
            {"event": _said(found.event), "progress": progress(request.user).as_json()},
            status=status.HTTP_201_CREATED if found.fresh else status.HTTP_200_OK,
        )


# Reading


def _topic(request: Request) -> FeedTopic:
    """The feed that is asked for, as the caller sees it: of a token, or of what is named."""
    query = request.query_params
    try:
        if "topic" in query:
            found = granted(query["topic"], lambda: request.user)
            if not isinstance(found, FeedTopic):
                raise TopicRefused(query["topic"])
            return found
        asked = feed_of(
            [_activity(request, name).full_name for name in query.getlist("kind")],
            _parties(query.getlist("target"), "target"),
            _parties(query.getlist("actor"), "actor"),
        )
        return seen_by(asked, lambda: request.user, shown=False)
    except TopicRefused:
        if "topic" in query or "kind" in query:
            raise not_found(request) from None
    return FeedTopic(Selection(kinds=()))


def _parties(texts: Sequence[str], word: str) -> list[Party]:
    if len(texts) > MAX_PARTIES:
        raise ValidationError({word: f"At most {MAX_PARTIES} at a time."})
    found = []
    for text in texts:
        model, colon, key = text.rpartition(":") if word == "actor" else text.partition(":")
        if word == "actor" and not colon:
            model = get_user_model()._meta.label
        try:
            found.append(party_of(model, key))
        except (LookupError, ValueError, TypeError, DjangoValidationError):
            raise ValidationError({word: "Name an object as app.model:key."}) from None
    return found


def _group(request: Request, topic: FeedTopic) -> Q | None:
    """What is asked for of groups: nothing, that there be none, or the events of one."""
    asked = request.query_params.get("group")
    if asked is None:
        return None
    if asked == "none":
        return Q()
    if not re.fullmatch(r"\d{1,18}", asked, re.ASCII):
        raise ValidationError({"group": 'Give the number of an event, or "none".'})
    found = timeline.together(int(asked), topic.selection)
    if found is None:
        raise not_found(request)
    return found


# Recording


def _given(request: Request) -> dict[str, Any]:
    """What the body says, of the right form."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
        raise TooLarge
    given = request.data
    if not isinstance(given, dict):
        raise ValidationError({"non_field_errors": "Give a JSON object."})
    errors = {name: "A browser cannot give this." for name in given if name not in GIVEN}
    if not isinstance(given.get("kind"), str):
        errors["kind"] = "Give the name of an activity."
    key = given.get("key")
    if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY:
        errors["key"] = f"Give a text of 1 to {MAX_KEY} characters, another one for each event."
    if errors:
        raise ValidationError(errors)
    return given


def _recordable(request: Request, name: str) -> ActivityEntry:
    """The activity of a name; one that no browser may record is like one that is not there."""
    entry = _activity(request, name)
    if not entry.recorded or not entry.declared.client:
        raise not_found(request)
    return entry


def _target(request: Request, entry: ActivityEntry, key: Any) -> Model | None:
    """The object that is named, if the caller may record this of it; one of which the caller
    may not is like one that is not there."""
    if key is not None and (isinstance(key, bool) or not isinstance(key, (str, int))):
        raise ValidationError({"target": "Give the key of an object."})
    found = recordable_of(entry)
    target = None if key is None else found.find(key)
    may = entry.declared.client
    if callable(may) and not may(request.user, target):
        raise not_found(request) if key is None else found.missing(key)
    return target


def _said(event: ActivityEvent) -> dict[str, Any]:
    """An event as the feed shows it, with its number."""
    feed.number()
    row = ActivityEvent.objects.using(feed.database()).filter(pk=event.pk).first()
    return timeline.said(row or event).as_json()


def _activity(request: Request, name: str) -> ActivityEntry:
    try:
        return registry.activities.get(name)
    except LookupError:
        raise not_found(request) from None


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"\d{1,4}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise ValidationError({"limit": f"Give a number from 1 to {MAX_LIMIT}."})
    return int(text)


def _cursor(text: str | None) -> Cursor | None:
    cursor = Cursor.parse(text) if text else None
    if text and cursor is None:
        raise ValidationError({"cursor": "Use the address in next as it is."})
    return cursor


def _next(request: Request, older: Cursor) -> str:
    query = [(k, v) for k, vs in request.query_params.lists() for v in vs if k != "cursor"]
    query.append(("cursor", str(older)))
    return str(request.build_absolute_uri(f"{request.path}?{urlencode(query)}"))
