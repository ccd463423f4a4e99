"""The dashboard: numbers as they move, who is here, what happens, and how the machine goes. History
comes from the database, so it is there whenever a page is opened."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from livecounters import meters, samples, sightings
from livecounters.admin.tables import ReadOnly
from livecounters.browsers import devices
from livecounters.charts import has_history
from livecounters.conf import site_zone
from livecounters.displays import number_text
from livecounters.gauges import SITE
from livecounters.health import health
from livecounters.measures import counted_databases
from livecounters.meters import presence_declared
from livecounters.models import Dashboard, Sample
from livecounters.numbers import Reader, reader_of
from livecounters.people import key_of, users
from livecounters.presence import store
from livecounters.readers import aware
from livecounters.registry import registry
from livecounters.reporter import PREFIX
from livecounters.shapes import shape
from livecounters.status import status_of
from livecounters.telemetry import LAG
from livecounters.topics import may_read
from livecounters.windows import last

__all__ = ["DashboardAdmin"]

logger = logging.getLogger("livecounters")

HISTORY = last(hours=12)
PAGE = 50
MINUTES = 120
"""Rows of samples that are shown."""

MACHINE = (
    ("sockets", gettext_lazy("Open sockets"), "rate", 0),
    ("frames", gettext_lazy("Frames a minute"), "rate", 0),
    (LAG, gettext_lazy("Longest wait to be told (seconds)"), "high", 2),
    ("slow_closes", gettext_lazy("Clients closed as too slow, a minute"), "rate", 1),
)
"""What the processes report: name, what it is, what of it is shown, decimals."""


@dataclass(frozen=True)
class History:
    """What the processes report, hour by hour, oldest first; ``""`` is not known. ``shape`` is its
    picture."""

    name: str
    label: str
    points: list[tuple[dt.datetime, str]]
    shape: str

    @property
    def latest(self) -> str:
        return self.points[-1][1] if self.points else ""


@admin.register(Dashboard)
class DashboardAdmin(ReadOnly):
    """One page, and behind it the people who are here and the samples of a gauge."""

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "livecounters_dashboard"
        return [
            path("", view(self.changelist_view), name=f"{name}_changelist"),
            path("people/", view(self.people_view), name=f"{name}_people"),
            path("people/<path:key>/", view(self.person_view), name=f"{name}_person"),
            path("samples/<str:name>/", view(self.samples_view), name=f"{name}_samples"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self._check(request, "view_dashboard")
        now = timezone.now()
        readable = _readable(request)
        return self.page(
            request,
            "dashboard",
            _("Dashboard"),
            names=[reader.name for reader in readable],
            history=[reader.name for reader in readable if has_history(reader)],
            machine=[_machine(*one, now=now) for one in MACHINE],
            health=health(now),
            problems=[
                problem
                for using in counted_databases()
                for problem in status_of(using, now).problems
            ],
            presence=presence_declared(),
            may={
                what: request.user.has_perm(f"livecounters.view_{what}")
                for what in ("activityevent", "measured", "presence", "sample")
            },
        )

    def people_view(self, request: HttpRequest) -> HttpResponse:
        self._check(request, "view_presence")
        start = request.GET.get("start", "0")
        first = int(start) if start.isdigit() and len(start) < 7 else 0
        now = aware(timezone.now())
        try:
            found = store().roster(SITE, now.timestamp(), first, PAGE + 1)
        except Exception as error:
            # Whatever a store's library raises when its server is gone.
            logger.warning("livecounters: the presence store does not answer: %r", error)
            found = []
        names = {key_of(user): str(user) for user in users([one.key for one in found])}
        people = [
            {
                "key": one.key,
                "name": names.get(one.key, one.key),
                "since": dt.datetime.fromtimestamp(one.since, site_zone()),
                "away": one.away,
            }
            for one in found[:PAGE]
        ]
        counts = meters.counts([SITE], now.timestamp()).get(SITE)
        following = first + PAGE if len(found) > PAGE else None
        return self.page(
            request, "people", _("People online"), people=people, counts=counts, next=following
        )

    def person_view(self, request: HttpRequest, key: str) -> HttpResponse:
        self._check(request, "view_presence")
        person = next(iter(users([key])), None)
        if person is None:
            raise Http404
        seen = sightings.last_seen(key_of(person))
        return self.page(
            request, "person", str(person), devices=devices(person), seen=seen, key=key
        )

    def samples_view(self, request: HttpRequest, name: str) -> HttpResponse:
        self._check(request, "view_sample")
        known = {reader.name: reader.label for reader in _readable(request)}
        known |= {PREFIX + one: str(label) for one, label, _what, _decimals in MACHINE}
        if name not in known:
            raise Http404
        rows = Sample.objects.using(samples.database()).filter(gauge=name)
        return self.page(
            request,
            "samples",
            known[name],
            gauge=name,
            rows=[
                {
                    "at": dt.datetime.fromtimestamp(row.minute, site_zone()),
                    "count": row.count,
                    "mean": number_text(row.total / row.count, 2),
                    "low": number_text(row.low, 2),
                    "high": number_text(row.high, 2),
                }
                for row in rows.order_by("-minute")[:MINUTES]
            ],
        )

    def _check(self, request: HttpRequest, permission: str) -> None:
        if not request.user.has_perm(f"livecounters.{permission}"):
            raise PermissionDenied


def _readable(request: HttpRequest) -> list[Reader]:
    """The numbers of the site that this user may read, in the order of their declaration."""
    readers = [reader_of(entry) for entry in registry.numbers]
    return [
        reader
        for reader in readers
        if reader.per is None and may_read(reader.entry, "", request.user)
    ]


def _machine(name: str, label: Any, what: str, decimals: int, *, now: dt.datetime) -> History:
    series = samples.history(PREFIX + name, HISTORY, "hour", aware(now), what)
    values = [None if point.value is None else float(point.value) for point in series]
    return History(
        PREFIX + name,
        str(label),
        [(point.start, number_text(point.value, decimals)) for point in series],
        shape("bar", values, 0, len(values)),
    )
