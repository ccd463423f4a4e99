"""``GET live/health/`` and ``GET live/metrics/``: for load balancers and monitoring systems."""

from __future__ import annotations

from django.db.transaction import non_atomic_requests
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from livecounters.conf import options
from livecounters.health import recent_health
from livecounters.telemetry import exposition
from livecounters.vitals import metrics

__all__ = ["HealthView", "MetricsView"]

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


# A database that cannot even begin a transaction is an answer, too.
@method_decorator([never_cache, non_atomic_requests], name="dispatch")
class HealthView(View):
    """200 while all is well, else 503; says of what is wrong no more than yes or no."""

    http_method_names = ("get", "head", "options")

    def get(self, request: HttpRequest) -> HttpResponse:
        found = recent_health(timezone.now())
        return JsonResponse(found.as_json(), status=200 if found.ok else 503)


@method_decorator(never_cache, name="dispatch")
class MetricsView(View):
    """The vitals in the text format of Prometheus; for staff, and for whoever knows the token."""

    http_method_names = ("get", "head", "options")

    def get(self, request: HttpRequest) -> HttpResponse:
        if not options().METRICS:
            raise Http404
        if not (_knows(request, options().METRICS) or _is_staff(request)):
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
        return HttpResponse(exposition(metrics(timezone.now())), content_type=PROMETHEUS)


def _knows(request: HttpRequest, token: str | bool) -> bool:
    given = request.headers.get("Authorization", "")
    return isinstance(token, str) and constant_time_compare(given, f"Bearer {token}")


def _is_staff(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_active and getattr(user, "is_staff", False)
