"""``GET live/counters/`` and ``GET live/counters/<name>/?of=&window=``"""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError as InvalidKey
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from livecounters import windows
from livecounters.api.base import LiveView, not_found, visible
from livecounters.declarations import Avg, Count
from livecounters.feed import iso
from livecounters.frames import plain
from livecounters.gauges import Gauge, Gauged
from livecounters.numbers import Question, Reader, counters, read, reader_of
from livecounters.registry import registry
from livecounters.windows import Window

__all__ = ["CounterViewSet", "window_of"]

NAMED = {
    "ever": windows.ever,
    "today": windows.today,
    "this_week": windows.this_week,
    "this_month": windows.this_month,
}
ROLLING = re.compile(r"(\d{1,5})(m|h|d)")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
MAX_OF = 200


class CounterViewSet(LiveView, ViewSet):
    """The counters that the caller may read."""

    lookup_value_regex = r"[\w.]+"

    def list(self, request: Request) -> Response:
        """Every counter the caller may read, with its value if it is one for the site."""
        now = timezone.now()
        found = [counter for counter in counters.values() if visible(request, counter.entry)]
        sitewide = [counter for counter in found if counter.per is None]
        values = dict(
            zip(sitewide, read([Question(counter) for counter in sitewide], now), strict=True)
        )
        described = [
            {**describe(c), **({"value": plain(values[c])} if c in values else {})} for c in found
        ]
        return Response({"counters": described, "at": iso(now)})

    def retrieve(self, request: Request, pk: str) -> Response:
        """One counter: ``value``, or ``values`` where several ``of`` are asked for."""
        now = timezone.now()
        counter = _counter(request, pk)
        of = request.query_params.getlist("of")
        if len(of) > MAX_OF:
            raise ValidationError({"of": f"At most {MAX_OF} at a time."})
        of = list(dict.fromkeys(of))
        scopes = _scopes(request, counter, of)
        for scope in scopes or [""]:
            if not visible(request, counter.entry, scope):
                raise not_found(request)
        if bool(scopes) != (counter.per is not None):
            raise ValidationError({"of": _of_wanted(counter)})
        window = window_of(request.query_params.get("window"))
        try:
            found = read([Question(counter, s, window) for s in scopes or [""]], now)
        except ValueError as error:
            raise ValidationError({"window": str(error)}) from error
        numbers = [plain(number) for number in found]
        answer: dict[str, Any] = {**describe(counter), "at": iso(now)}
        if len(scopes) > 1:
            answer["values"] = dict(zip(of, numbers, strict=True))
        else:
            answer["value"] = numbers[0]
        return Response(answer)


def _counter(request: Request, name: str) -> Reader:
    try:
        return reader_of(registry.numbers.get(name))
    except LookupError:
        raise not_found(request) from None


def _scopes(request: Request, counter: Reader, of: list[str]) -> list[str]:
    if counter.per is None and not of:
        return []
    try:
        return [counter.scope(one) for one in of]
    except (InvalidKey, ValueError, TypeError, OverflowError):
        # Said only to those who may know that the counter is there.
        if not counter.entry.declared.public:
            raise not_found(request) from None
        raise ValidationError({"of": _of_wanted(counter)}) from None


def _of_wanted(counter: Reader) -> str:
    per = counter.per
    if per is None:
        return "This counter is one number for the site; leave of= away."
    return f"This counter is counted per {per}; give of= with its key."


def describe(counter: Reader) -> dict[str, Any]:
    """What a counter is, without its value."""
    return {
        "name": registry.numbers.shortest(counter.entry),
        "label": counter.label,
        "unit": _unit(counter),
        "per": counter.per,
    }


def _unit(counter: Reader) -> str:
    declared = counter.entry.declared
    if isinstance(declared, Gauge):
        return declared.unit
    if isinstance(declared, Gauged):
        return "people and guests"
    if isinstance(declared, Count):
        return "count"
    return "mean" if isinstance(declared, Avg) else "sum"


def window_of(text: str | None) -> Window | None:
    """The window of a query parameter: a name, or a rolling one such as 15m, 12h, 30d."""
    if not text:
        return None
    if text in NAMED:
        return NAMED[text]
    match = ROLLING.fullmatch(text)
    if match and int(match[1]):
        return windows.last(**{UNITS[match[2]]: int(match[1])})
    raise ValidationError(
        {"window": f"Give one of {', '.join(NAMED)}, or a number with m, h or d such as 30d."}
    )
