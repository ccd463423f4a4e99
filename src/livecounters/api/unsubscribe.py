"""``live/unsubscribe/<token>/``: no more letters, by the link in one of them."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from livecounters import letters

__all__ = ["UnsubscribeView"]


# The signed token says who it is; RFC 8058 lets a mail program post without a cookie.
@method_decorator(csrf_exempt, name="dispatch")
class UnsubscribeView(View):
    """A page with one button, for programs that only look at links; a POST does it at once."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        if not letters.is_token(token):
            raise Http404
        return render(request, "livecounters/unsubscribe.html", {"done": False})

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        if letters.unsubscribe(token) is None:
            raise Http404
        return render(request, "livecounters/unsubscribe.html", {"done": True})
