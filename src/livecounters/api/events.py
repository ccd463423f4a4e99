"""``GET live/events/?kind=&limit=&cursor=`` and ``POST live/events/``"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import ViewSet

from livecounters import feed
from livecounters.api.base import LiveView, not_found
from livecounters.api.throttles import RecordThrottle
from livecounters.attainment import progress
from livecounters.exceptions import Unrecordable
from livecounters.feed import Place
from livecounters.models import ActivityEvent
from livecounters.recordables import recordable_of
from livecounters.recording import record
from livecounters.registry import ActivityEntry, registry

__all__ = ["EventViewSet"]

DEFAULT_LIMIT = 20
MAX_LIMIT = 100

# The place from which older events follow: the epoch and the number of the last one shown.
CURSOR = re.compile(r"([0-9a-f]{1,32})-(\d{1,18})")

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
        place = feed.number()
        kinds = self._kinds(request)
        limit = _limit(request.query_params.get("limit"))
        before = _before(request.query_params.get("cursor"), place)
        found = feed.newest(limit + 1, kinds, before)
        results = [event.as_json() for event in found[:limit]]
        more = len(found) > limit
        return Response(
            {
                "results": results,
                "next": _next(request, place, found[limit - 1].seq) if more else None,
                "epoch": place.epoch,
                "seq": place.seq,
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

    def _kinds(self, request: Request) -> Sequence[str]:
        wanted = request.query_params.getlist("kind")
        entries = [_activity(request, name) for name in wanted] or list(registry.activities)
        visible = [e.full_name for e in entries if e.declared.public or _is_staff(request.user)]
        if wanted and len(visible) < len(entries):
            raise not_found(request)
        return visible


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
    return feed.said(row or event).as_json()


def _is_staff(user: Any) -> bool:
    return bool(user is not None and user.is_active and user.is_staff)


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


def _before(cursor: str | None, place: Place) -> int | None:
    if not cursor:
        return None
    match = CURSOR.fullmatch(cursor)
    if match is None:
        raise ValidationError({"cursor": "Use the address in next as it is."})
    if match[1] != place.epoch:
        raise ValidationError({"cursor": "The feed was renumbered; begin again without a cursor."})
    return int(match[2])


def _next(request: Request, place: Place, seq: int) -> str:
    query = [(k, v) for k, vs in request.query_params.lists() for v in vs if k != "cursor"]
    query.append(("cursor", f"{place.epoch}-{seq}"))
    return str(request.build_absolute_uri(f"{request.path}?{urlencode(query)}"))
