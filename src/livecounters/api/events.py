"""``GET live/events/?kind=&limit=&cursor=``"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from livecounters import feed
from livecounters.api.base import LiveView, not_found
from livecounters.feed import Place
from livecounters.registry import ActivityEntry, registry

__all__ = ["EventViewSet"]

DEFAULT_LIMIT = 20
MAX_LIMIT = 100

# The place from which older events follow: the epoch and the number of the last one shown.
CURSOR = re.compile(r"([0-9a-f]{1,32})-(\d{1,18})")


class EventViewSet(LiveView, ViewSet):
    """What happened, newest first; three queries however many and whatever is told."""

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

    def _kinds(self, request: Request) -> Sequence[str]:
        wanted = request.query_params.getlist("kind")
        entries = [_activity(request, name) for name in wanted] or list(registry.activities)
        visible = [e.full_name for e in entries if e.declared.public or _is_staff(request.user)]
        if wanted and len(visible) < len(entries):
            raise not_found(request)
        return visible


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
