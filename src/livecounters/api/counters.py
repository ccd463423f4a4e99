"""``GET live/counters/``, ``GET live/counters/<name>/?of=&window=``, and below it ``series/``,
``breakdown/``, ``top/`` and ``rank/``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError as InvalidKey
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.exceptions import NotAuthenticated, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import ViewSet

from livecounters.api.base import LiveView, not_found, visible
from livecounters.api.sheets import SheetRenderer
from livecounters.api.throttles import HistoryThrottle
from livecounters.declarations import Avg, Count
from livecounters.feed import iso
from livecounters.frames import plain
from livecounters.gauges import Gauge, Gauged
from livecounters.leaderboards import MOST, Line, beside, board, of_people
from livecounters.numbers import Question, Reader, counters, error_of, read, reader_of
from livecounters.people import key_of
from livecounters.ranking import Place
from livecounters.readers import Counter
from livecounters.registry import registry
from livecounters.series import STEPS, Point
from livecounters.topics import may_read, models_of
from livecounters.windows import DAY, Window, last, named
from livecounters.worth import Number

__all__ = ["CounterViewSet", "window_of"]

Asked = TypeVar("Asked", Line, Place)

MAX_OF = 200
MAX_NEAR = 20
MAX_PARTS = 1000
MAX_POINTS = 10_000

A_DAY = last(days=1)
MONTH = 31 * DAY

SHEETS = (JSONRenderer, SheetRenderer)

# What takes more than a look.
HISTORY = ("series", "breakdown", "top", "rank")


class CounterViewSet(LiveView, ViewSet):
    """The counters that the caller may read."""

    lookup_value_regex = r"[\w.]+"

    def own_throttle(self) -> type[BaseThrottle]:
        return HistoryThrottle if self.action in HISTORY else super().own_throttle()

    def list(self, request: Request) -> Response:
        """Every counter the caller may read, with its value if it is one for the site."""
        now = timezone.now()
        found = [counter for counter in counters.values() if visible(request, counter.entry)]
        sitewide = [counter for counter in found if counter.per is None]
        values = dict(
            zip(sitewide, read([Question(counter) for counter in sitewide], now), strict=True)
        )
        described = [
            {**describe(c), **(_valued(c, values[c]) if c in values else {})} for c in found
        ]
        return Response({"counters": described, "at": iso(now)})

    def retrieve(self, request: Request, pk: str) -> Response:
        """One counter: ``value``, or ``values`` where several ``of`` are asked for."""
        now = timezone.now()
        counter = _counter(request, pk)
        of, scopes = _of(request, counter, MAX_OF)
        window = window_of(request.query_params.get("window"))
        try:
            found = read([Question(counter, s, window) for s in scopes or [""]], now)
        except ValueError as error:
            raise ValidationError({"window": str(error)}) from error
        answer: dict[str, Any] = {**describe(counter), "at": iso(now)}
        if len(scopes) > 1:
            answer |= _several(counter, dict(zip(of, found, strict=True)))
        else:
            answer |= _valued(counter, found[0])
        return Response(answer)

    @action(detail=True, renderer_classes=SHEETS)
    def series(self, request: Request, pk: str) -> Response:
        """A counter step by step, oldest first and without gaps: the last 24 hours by the hour, or
        the ``window`` and ``step`` that are asked for. ``running`` if a step is not over yet."""
        now = timezone.now()
        counter = _counter(request, pk)
        of, _ = _of(request, counter, 1)
        window = window_of(request.query_params.get("window")) or A_DAY
        step = _step(request, window)
        given: dict[str, Any] = {"of": of[0]} if of and isinstance(counter, Counter) else {}
        try:
            points = counter.series(window=window, step=step, at=now, **given)
        except (ValueError, TypeError) as error:
            raise ValidationError({"window": str(error)}) from error
        described = [_point(counter, point) for point in points]
        return Response({**describe(counter), "step": step, "points": described, "at": iso(now)})

    @action(detail=True, renderer_classes=SHEETS)
    def breakdown(self, request: Request, pk: str) -> Response:
        """The numbers of all keys, greatest first, to whom may read the whole of it; not of people,
        who are asked whether they want to be listed: ``top/`` does that."""
        now = timezone.now()
        counter = _divided(request, pk)
        if not visible(request, counter.entry):
            raise not_found(request)
        number = _number(request, "limit", 100, MAX_PARTS)
        places = _asked(request, _parts, counter, number + 1, at=now)
        return Response(
            {
                **describe(counter),
                "parts": [
                    {"of": one.scope, **_valued(counter, one.value)} for one in places[:number]
                ],
                "more": len(places) > number,
                "at": iso(now),
            }
        )

    @action(detail=True, renderer_classes=SHEETS)
    def top(self, request: Request, pk: str) -> Response:
        """The first places, with names, to whom may read the whole of it."""
        now = timezone.now()
        counter = _ranked(request, pk)
        if not visible(request, counter.entry):
            raise not_found(request)
        number = _number(request, "limit", 10, MOST)
        lines = _asked(request, board, counter, number, viewer=_viewer(request), at=now)
        return Response(
            {**describe(counter), "places": [_line(one) for one in lines], "at": iso(now)}
        )

    @action(detail=True)
    def rank(self, request: Request, pk: str) -> Response:
        """Where the caller stands; with neighbours for whom may read the whole of it."""
        now = timezone.now()
        if not request.user.is_authenticated:
            raise NotAuthenticated
        counter = _ranked(request, pk)
        near = _number(request, "near", 2, MAX_NEAR, least=0)
        whole = visible(request, counter.entry)
        scope = key_of(request.user)
        if not whole and not _is_own(request, counter, scope):
            raise not_found(request)
        lines = _asked(request, beside, counter, request.user, near if whole else 0, at=now)
        own = next((one for one in lines if one.own), None)
        return Response(
            {
                **describe(counter),
                "rank": own and own.rank,
                "value": own and plain(own.value),
                "listed": own is None or own.listed,
                "places": [_line(one) for one in lines],
                "at": iso(now),
            }
        )


def _parts(counter: Counter, number: int, **given: Any) -> list[Place]:
    """The greatest numbers, and of which key."""
    if of_people(counter):
        raise TypeError("People may not want to be listed: ask for top/.")
    return counter.top(number, **given)


def _point(counter: Reader, point: Point) -> dict[str, Any]:
    start, number = iso(point.start), _valued(counter, point.value)
    return {"start": start, **number, "running": point.running}


def _valued(counter: Reader, value: Number) -> dict[str, Any]:
    """A number, and of an estimate how far off it may be."""
    error = error_of(counter, value)
    return {"value": plain(value), **({} if error is None else {"relative_error": error})}


def _several(counter: Reader, values: Mapping[str, Number]) -> dict[str, Any]:
    """The same of the numbers of several keys."""
    errors = {key: error_of(counter, value) for key, value in values.items()}
    doubts = {key: error for key, error in errors.items() if error is not None}
    said = {"values": {key: plain(value) for key, value in values.items()}}
    return said | ({"relative_errors": doubts} if doubts else {})


def _step(request: Request, window: Window) -> str:
    """The width of a step that cuts the window into not too many."""
    step: str = request.query_params.get("step", "hour")
    if step not in STEPS:
        raise ValidationError({"step": f"Choose one of {', '.join(STEPS)}."})
    if getattr(window, "seconds", MONTH) > MAX_POINTS * STEPS[step]:
        raise ValidationError({"step": f"At most {MAX_POINTS} at a time; ask for larger ones."})
    return step


def _divided(request: Request, name: str) -> Counter:
    """A counter per object; any other has no parts."""
    counter = _counter(request, name)
    if not isinstance(counter, Counter) or counter.per is None:
        raise not_found(request)
    return counter


def _ranked(request: Request, name: str) -> Counter:
    """One that is exact; by an estimate nobody is ranked."""
    counter = _divided(request, name)
    if counter.sample > 1:
        raise not_found(request)
    return counter


def _is_own(request: Request, counter: Counter, scope: str) -> bool:
    """Whether the number of a person alone is theirs to read; one of several keys is not."""
    if request.query_params.get("within") or len(models_of(counter.entry)) > 1:
        return False
    return may_read(counter.entry, scope, request.user)


def _viewer(request: Request) -> Any:
    """Who looks, if it is somebody."""
    return request.user if request.user.is_authenticated else None


def _asked(
    request: Request, ask: Callable[..., list[Asked]], *given: Any, at: Any, **more: Any
) -> list[Asked]:
    """The lines in the window, and of several keys within the first ones, that are asked for."""
    within = request.query_params.getlist("within") or None
    window = window_of(request.query_params.get("window"))
    try:
        return ask(*given, within=within, window=window, at=at, **more)
    except (InvalidKey, TypeError, OverflowError) as error:
        raise ValidationError({"within": str(error)}) from error
    except ValueError as error:
        raise ValidationError({"window": str(error)}) from error


def _number(request: Request, name: str, default: int, most: int, least: int = 1) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,4}", text) or not least <= int(text) <= most:
        raise ValidationError({name: f"Give a number from {least} to {most}."})
    return int(text)


def _line(line: Line) -> dict[str, Any]:
    return {
        "rank": line.rank,
        "of": line.key,
        "name": line.name,
        "value": plain(line.value),
        "own": line.own,
    }


def _counter(request: Request, name: str) -> Reader:
    try:
        return reader_of(registry.numbers.get(name))
    except LookupError:
        raise not_found(request) from None


def _of(request: Request, counter: Reader, most: int) -> tuple[list[str], list[str]]:
    """The keys that are asked about, each once, and their scopes, which the caller may read."""
    of = request.query_params.getlist("of")
    if len(of) > most:
        raise ValidationError({"of": f"At most {most} at a time."})
    of = list(dict.fromkeys(of))
    scopes = _scopes(request, counter, of)
    for scope in scopes or [""]:
        if not visible(request, counter.entry, scope):
            raise not_found(request)
    if bool(scopes) != (counter.per is not None):
        raise ValidationError({"of": _of_wanted(counter)})
    return of, scopes


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
    """What a counter is, without its value; of an estimate, of how many values one is kept."""
    said = {
        "name": registry.numbers.shortest(counter.entry),
        "label": counter.label,
        "unit": _unit(counter),
        "per": counter.per,
    }
    sample = counter.sample if isinstance(counter, Counter) else 1
    return {**said, "sample": sample} if sample > 1 else said


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
    """The window of a query parameter, such as today, or 30d."""
    if not text:
        return None
    try:
        return named(text)
    except ValueError as error:
        raise ValidationError({"window": str(error)}) from None
