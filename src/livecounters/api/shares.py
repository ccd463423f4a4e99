"""``POST``/``DELETE live/shares/`` and the page and card that everybody may see."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from livecounters import shares
from livecounters.api.base import LiveView, not_found

__all__ = ["ShareView", "SharedCard", "SharedPage"]

# A card is a picture: nothing in it may run or load.
POLICY = "default-src 'none'; sandbox"
FRESH = "public, max-age=60"


class ShareView(LiveView):
    """The caller's own: ``{"counter": "sessions"}``."""

    permission_classes = (IsAuthenticated,)  # type: ignore[assignment]

    def post(self, request: Request) -> Response:
        """Share it; answers the address of its page."""
        try:
            token = shares.share(request.user, _counter(request))
        except LookupError:
            raise not_found(request) from None
        page = reverse("livecounters:shared", args=[token])
        return Response({"url": request.build_absolute_uri(page)}, status=201)

    def delete(self, request: Request) -> Response:
        """Take it back."""
        try:
            shares.unshare(request.user, _counter(request))
        except LookupError:
            raise not_found(request) from None
        return Response(status=204)


def _counter(request: Request) -> str:
    name: Any = request.data.get("counter") if isinstance(request.data, dict) else None
    if not isinstance(name, str):
        raise ValidationError({"counter": "Give the name of a counter."})
    return name


class SharedPage(View):
    """A page with Open Graph tags; the same for everybody, so it may be cached."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        card = request.build_absolute_uri(reverse("livecounters:shared-card", args=[token]))
        said = {"shared": _shared(token), "card": card, "url": request.build_absolute_uri()}
        response = render(request, "livecounters/shared.html", said)
        response["Cache-Control"] = FRESH
        return response


class SharedCard(View):
    """The same as a picture."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        said = {"shared": _shared(token)}
        response = render(request, "livecounters/card.svg", said, content_type="image/svg+xml")
        response["Cache-Control"] = FRESH
        response["Content-Security-Policy"] = POLICY
        return response


def _shared(token: str) -> shares.Shared:
    found = shares.shared(token)
    if found is None:
        raise Http404
    return found
