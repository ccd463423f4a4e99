"""``GET live/achievements/``, ``POST live/achievements/<id>/seen/`` and ``.../read/``: the caller's
own."""

from __future__ import annotations

import re
from typing import Any

from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from livecounters import awards, notices
from livecounters.api.base import OwnView, not_found
from livecounters.people import key_of

__all__ = ["AchievementViewSet"]

PAGE = 50
ID = re.compile(r"\d{1,18}")


class AchievementViewSet(OwnView, ViewSet):
    """What the caller has reached, newest first, and how much of it is news.

    ``seen`` is what was shown, ``read`` what was opened; both are the same on all devices. Of
    several pages that mark one, ``new`` is above 0 for one: that one celebrates.
    """

    lookup_value_regex = r"\d{1,18}"

    def list(self, request: Request) -> Response:
        """50 at a time; ``before=<id>`` goes on. ``unseen=1``: only what was not shown yet."""
        person = _person(request)
        found = awards.achievements(person)
        before = request.query_params.get("before")
        if before is not None:
            if not ID.fullmatch(before):
                raise ValidationError({"before": "Give an id."})
            found = found.filter(pk__lt=int(before))
        if request.query_params.get("unseen") == "1":
            found = found.filter(seen_at=None)
        some = list(found[: PAGE + 1])
        return Response(
            {
                "results": [notices.as_json(one) for one in some[:PAGE]],
                "next": some[PAGE - 1].pk if len(some) > PAGE else None,
                **_news(person),
            }
        )

    @action(detail=False, methods=["post"], url_path="seen")
    def all_seen(self, request: Request) -> Response:
        """All were shown."""
        return _marked(request, awards.mark_seen, None)

    @action(detail=False, methods=["post"], url_path="read")
    def all_read(self, request: Request) -> Response:
        """All were opened."""
        return _marked(request, awards.mark_read, None)

    @action(detail=True, methods=["post"])
    def seen(self, request: Request, pk: str) -> Response:
        """One was shown; again is no error."""
        return _marked(request, awards.mark_seen, pk)

    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """One was opened; again is no error."""
        return _marked(request, awards.mark_read, pk)


def _person(request: Request) -> str:
    return key_of(request.user)


def _news(person: str) -> dict[str, int]:
    return {"unseen": awards.unseen(person), "unread": awards.unread(person)}


def _marked(request: Request, mark: Any, pk: str | None) -> Response:
    person = _person(request)
    if pk is not None and not awards.achievements(person).filter(pk=int(pk)).exists():
        raise not_found(request)
    new = mark(person, None if pk is None else [int(pk)])
    return Response({"new": new, **_news(person)})
