"""What all views of the API share."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils.cache import patch_cache_control, patch_vary_headers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from livecounters.registry import CounterEntry, GaugeEntry
from livecounters.topics import may_read

__all__ = ["LiveView", "OwnView", "not_found", "visible"]


class LiveView(APIView):
    """JSON with an ETag; who may read what is decided for each counter and activity.

    The session is looked at only where it matters who asks, so that answers to everybody stay
    cacheable. ``at``, the time of the answer, is no part of the ETag.
    """

    permission_classes = (AllowAny,)
    renderer_classes = (JSONRenderer,)

    def perform_authentication(self, request: Request) -> None:
        """Not before somebody asks for ``request.user``."""

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        if request.method in ("GET", "HEAD") and response.status_code == 200:
            tag = etag(response.data)
            if {tag, "*"} & set(_known(request)):
                response = Response(status=304)
            response["ETag"] = tag
            patch_cache_control(response, no_cache=True)
            if hasattr(request, "_user"):
                # It mattered who asks.
                patch_cache_control(response, private=True)
                patch_vary_headers(response, ("Cookie", "Authorization"))
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        return final


class OwnView(LiveView):
    """What is a person's alone; in no cache but their own."""

    permission_classes = (IsAuthenticated,)  # type: ignore[assignment]

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        patch_cache_control(final, private=True)
        return final


def visible(request: Request, entry: CounterEntry | GaugeEntry, scope: str = "") -> bool:
    """Whether the caller may read a number. Who asks is looked at only where it matters."""
    return entry.declared.public or may_read(entry, scope, request.user)


def not_found(request: Request) -> NotFound:
    """One answer for what does not exist and what this caller may not see.

    The caller is looked at in both cases, so that neither headers nor credentials tell them
    apart.
    """
    _ = request.user
    return NotFound()


def _known(request: Request) -> list[str]:
    header: str = request.headers.get("If-None-Match", "")
    return [known.strip() for known in header.replace("W/", "").split(",")]


def etag(data: Any) -> str:
    """The same for answers that say the same, whenever they were given."""
    text = json.dumps(_without_time(data), sort_keys=True, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _without_time(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: value for key, value in data.items() if key != "at"}
    return data
