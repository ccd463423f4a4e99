"""``GET live/snapshot/?topic=&epoch=&seq=``: the polling fallback."""

from __future__ import annotations

import re

from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from livecounters import snapshot
from livecounters.api.base import LiveView
from livecounters.feed import Place
from livecounters.frames import MAX_TOPICS

__all__ = ["SnapshotView"]


class SnapshotView(LiveView):
    """The socket's payload over HTTP."""

    def get(self, request: Request) -> Response:
        names = request.query_params.getlist("topic")
        if len(names) > MAX_TOPICS:
            raise ValidationError({"topic": f"At most {MAX_TOPICS} at a time."})
        seq = request.query_params.get("seq", "0")
        if not re.fullmatch(r"\d{1,18}", seq):
            raise ValidationError({"seq": "Give a whole number."})
        seen = Place(request.query_params.get("epoch", ""), int(seq))
        return Response(snapshot.take(names, lambda: request.user, seen, timezone.now()))
