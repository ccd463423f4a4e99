"""``GET live/presence/``, ``live/presence/<name>/?of=&start=``, ``live/presence/devices/`` and
``POST live/visitor/``"""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError as InvalidKey
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import ViewSet

from livecounters.api.base import LiveView, OwnView, not_found, visible
from livecounters.api.throttles import VisitorThrottle
from livecounters.browsers import Device, devices
from livecounters.conf import options
from livecounters.feed import iso
from livecounters.gauges import Online
from livecounters.meters import Meter, Person, counts
from livecounters.readers import aware
from livecounters.registry import registry
from livecounters.visitors import COOKIE, give, mint, today, visitor_of

__all__ = ["DevicesView", "PresenceViewSet", "VisitorView"]

PAGE = 50
FARTHEST = 100_000


class PresenceViewSet(LiveView, ViewSet):
    """Who is here: how many in each room, and the people of a room that has a roster."""

    lookup_value_regex = r"[\w.]+"

    def list(self, request: Request) -> Response:
        """People, guests and connections of every room of the site that the caller may see, by
        the name of its declaration."""
        now = timezone.now()
        meters = [
            Meter(gauge)
            for gauge in registry.gauges
            if gauge.model is None
            and isinstance(gauge.declared, Online)
            and visible(request, gauge)
        ]
        found = counts({meter.room() for meter in meters}, aware(now).timestamp())
        rooms = {
            registry.numbers.shortest(meter.entry): {
                "room": meter.room(),
                "label": meter.label,
                **found[meter.room()]._asdict(),
            }
            for meter in meters
            if meter.room() in found
        }
        return Response({"rooms": rooms, "at": iso(now)})

    def retrieve(self, request: Request, pk: str) -> Response:
        """One room (of an object): its numbers, and, where the declaration has a roster, the
        people from ``start`` on, 50 at a time, who came first first."""
        now = timezone.now()
        meter, scope = _room(request, pk)
        start = request.query_params.get("start", "0")
        if not re.fullmatch(r"\d{1,6}", start) or int(start) > FARTHEST:
            raise ValidationError({"start": f"Give a whole number up to {FARTHEST}."})
        found = counts([meter.room(scope)], aware(now).timestamp())
        answer: dict[str, Any] = {"label": meter.label, "at": iso(now)}
        answer |= next((one._asdict() for one in found.values()), {})
        if isinstance(meter.entry.declared, Online) and meter.entry.declared.roster:
            of = scope or None
            people = meter.roster(of=of, start=int(start), number=PAGE, at=aware(now))
            answer["roster"] = [
                {
                    "name": options().actor_name(one.user),
                    "since": iso(one.since),
                    "state": _state(one),
                }
                for one in people
            ]
        return Response(answer)


def _room(request: Request, name: str) -> tuple[Meter, str]:
    try:
        meter = Meter(registry.gauges.get(name))
        if not isinstance(meter.entry.declared, Online):
            raise not_found(request)
        scope = meter.scope(request.query_params.get("of"))
    except (LookupError, InvalidKey, ValueError, TypeError, OverflowError):
        raise not_found(request) from None
    if not visible(request, meter.entry, scope):
        raise not_found(request)
    return meter, scope


class DevicesView(OwnView):
    """The caller's own devices."""

    def get(self, request: Request) -> Response:
        """What browsers the caller is here with, which came first first. Of nobody else."""
        now = timezone.now()
        found = [
            {
                "kind": one.kind,
                "since": iso(one.since),
                "state": _state(one),
                "pages": one.pages,
                "rooms": one.rooms,
            }
            for one in devices(request.user, at=aware(now))
        ]
        return Response({"devices": found, "at": iso(now)})


def _state(here: Person | Device) -> str:
    return "away" if here.away else "active"


class VisitorView(LiveView):
    """A visitor's cookie for a browser that has seen none but cached pages."""

    authentication_classes = ()

    def own_throttle(self) -> type[BaseThrottle]:
        return VisitorThrottle

    def post(self, request: Request) -> Response:
        """Answers the token that the cookie holds, too: a socket that is open already cannot be
        given a cookie."""
        token = request.COOKIES.get(COOKIE, "")
        known = visitor_of(token, today()) is not None
        token = token if known else mint(today())
        response = Response({"visitor": token})
        if not known:
            give(response, token, secure=request.is_secure())
        return response
