"""What all views of the API share."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils.cache import patch_cache_control, patch_vary_headers
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS, AllowAny, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from livecounters.api.throttles import ChangeThrottle, ReadThrottle
from livecounters.registry import CounterEntry, GaugeEntry
from livecounters.topics import may_read

__all__ = ["LiveView", "OwnView", "not_found", "visible"]


class BoundedParser(JSONParser):
    """JSON; what is nested too deep to be read is wrong as well."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().parse(*args, **kwargs)
        except RecursionError:
            raise ParseError("JSON parse error - nested too deep.") from None


class LiveView(APIView):
    """JSON with an ETag; who may read what is decided for each counter and activity.

    The session is looked at only where it matters who asks. An answer for which it was not is the
    same for everybody, and any cache may keep it; every other is in no cache but the reader's own,
    and errors are in none. ``at``, the time of the answer, is no part of the ETag.
    """

    permission_classes = (AllowAny,)
    parser_classes = (BoundedParser,)
    renderer_classes = (JSONRenderer,)

    def perform_authentication(self, request: Request) -> None:
        """Not before somebody asks for ``request.user``."""

    def get_throttles(self) -> list[BaseThrottle]:
        return [self.own_throttle()(), *super().get_throttles()]

    def own_throttle(self) -> type[BaseThrottle]:
        """The bound of this request, beside those of the host."""
        return ReadThrottle if self.request.method in SAFE_METHODS else ChangeThrottle

    def fresh(self) -> int:
        """For so many seconds any cache may give an answer to everybody again: however many ask, a
        site behind a cache answers once a second."""
        return 1

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        if request.method in ("GET", "HEAD") and response.status_code == 200:
            tag = etag(response.data, request.accepted_renderer.format)
            if {tag, "*"} & set(_known(request)):
                response = Response(status=304)
            response["ETag"] = tag
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        self._keep(request, final)
        return final

    def _keep(self, request: Request, response: Response) -> None:
        """Say who may keep an answer."""
        # Set as soon as somebody asks for request.user.
        asked = hasattr(request, "_user")
        if asked and self.authentication_classes:
            patch_vary_headers(response, ("Cookie", "Authorization"))
        if request.method not in SAFE_METHODS or response.status_code not in (200, 304):
            patch_cache_control(response, private=True, no_store=True)
        elif asked:
            patch_cache_control(response, private=True, no_cache=True)
        else:
            patch_cache_control(response, public=True, max_age=self.fresh())


class OwnView(LiveView):
    """What is a person's alone; in no cache but their own, since it is asked who they are."""

    permission_classes = (IsAuthenticated,)  # type: ignore[assignment]


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


def etag(data: Any, form: str = "json") -> str:
    """The same for answers that say the same in the same form, whenever they were given."""
    text = json.dumps([form, _without_time(data)], sort_keys=True, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _without_time(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: value for key, value in data.items() if key != "at"}
    return data
