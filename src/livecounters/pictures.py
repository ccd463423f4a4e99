"""Pictures: what the templates of charts, breakdowns and leaderboards are given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from livecounters import breakdowns, charts, leaderboards
from livecounters.breakdowns import Part
from livecounters.charts import Chart, Drawn
from livecounters.conf import site_zone
from livecounters.dates import written
from livecounters.displays import decimals_of, doubts_of, number_text, piece
from livecounters.leaderboards import Line
from livecounters.meters import Meter
from livecounters.numbers import Reader
from livecounters.people import key_of
from livecounters.readers import Counter
from livecounters.readings import BREAKDOWN, TOP, SeriesTopic, lines
from livecounters.registry import registry
from livecounters.series import Point
from livecounters.shapes import KINDS, shape
from livecounters.topics import sign
from livecounters.windows import DAY, HOUR, MINUTE, Rolling, Window, named

__all__ = ["STYLES", "breakdown", "chart", "leaderboard", "sparklines"]

STYLES = ("bars", "chips")

SPARK = Rolling(12 * HOUR)


# Charts


def chart(reader: Reader, of: Any, window: Rolling, step: str, kind: str) -> dict[str, Any]:
    """A number over a rolling window."""
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}: choose one of {', '.join(map(repr, KINDS))}.")
    asked = Chart(reader, reader.scope(of), window, step or charts.step_of(window))
    (drawn,) = charts.read([asked])
    decimals, points = decimals_of(reader), drawn.series
    percent = drawn.percent
    stretch, trend = _sentences(window)
    return {
        **_sketch(drawn, kind),
        "name": registry.numbers.shortest(reader.entry),
        "label": reader.label,
        "doubt": doubts_of(reader, drawn.highest),
        "decimals": str(decimals),
        "times": json.dumps(_times(asked.step)),
        "language": get_language() or "",
        "last": str(len(points) - 1),
        "highest": number_text(drawn.highest, decimals),
        "stretch": stretch,
        "trend": "" if percent is None else trend.replace("{percent}", _signed(percent)),
        "trend_text": trend,
        "rows": [_row(point, asked.step, decimals) for point in points],
    }


def sparklines(numbers: Sequence[tuple[Reader, str]]) -> list[dict[str, Any] | None]:
    """The last twelve hours of several numbers, each of a scope, None of those without history; in
    two statements for counters and one for gauges, however many."""
    asked = {
        number: Chart(*number, SPARK, "hour") for number in numbers if charts.has_history(number[0])
    }
    drawn = dict(zip(asked, charts.read(list(asked.values())), strict=True))
    return [_sketch(drawn[number], "area") if number in drawn else None for number in numbers]


def _sketch(drawn: Drawn, kind: str) -> dict[str, Any]:
    """The bare picture; the running step is a path of its own."""
    values = [None if point.value is None else float(point.value) for point in drawn.series]
    number = len(values)
    return {
        "token": sign(SeriesTopic(drawn.chart)),
        "reading": json.dumps(drawn.as_json(), separators=(",", ":")),
        "kind": kind,
        "size": str(number),
        "shape": shape(kind, values, 0, number - 1),
        "running": shape(kind, values, number - (1 if kind == "bar" else 2), number),
    }


def _row(point: Point, step: str, decimals: int) -> dict[str, Any]:
    text = number_text(point.value, decimals)
    if point.running:
        text = f"{text} ({_('so far')})"
    return {"start": _time(point, step), "text": text, "running": point.running}


def _time(point: Point, step: str) -> str:
    """As the script will write it; in other languages as Django does."""
    minutes = step != "day"
    text = written(point.start, get_language() or "", minutes=minutes)
    return text or date_format(point.start, "DATETIME_FORMAT" if minutes else "DATE_FORMAT")


def _times(step: str) -> dict[str, str]:
    """How the browser writes the times (options of ``Intl.DateTimeFormat``)."""
    shown = {"dateStyle": "medium", "timeZone": str(site_zone())}
    return shown if step == "day" else shown | {"timeStyle": "short"}


def _signed(percent: float) -> str:
    text = number_text(percent, 0)
    return f"+{text}" if percent > 0 else text


def _sentences(window: Rolling) -> tuple[str, str]:
    """How long a window is; and what is said of a change, to be filled in here and in the
    browser."""
    seconds = window.seconds
    if seconds % DAY == 0:
        number = seconds // DAY
        stretch = ngettext("The last day", "The last %(number)s days", number)
        trend = ngettext(
            "{percent} % against the day before",
            "{percent} % against the %(number)s days before",
            number,
        )
    elif seconds % HOUR == 0:
        number = seconds // HOUR
        stretch = ngettext("The last hour", "The last %(number)s hours", number)
        trend = ngettext(
            "{percent} % against the hour before",
            "{percent} % against the %(number)s hours before",
            number,
        )
    else:
        number = seconds // MINUTE
        stretch = ngettext("The last minute", "The last %(number)s minutes", number)
        trend = ngettext(
            "{percent} % against the minute before",
            "{percent} % against the %(number)s minutes before",
            number,
        )
    text = number_text(number, 0)
    return stretch.replace("%(number)s", text), trend.replace("%(number)s", text)


# Lines


def breakdown(
    reader: Reader, limit: int, kind: str, window: str | Window | None, within: Any
) -> dict[str, Any]:
    """The parts of a number, greatest first."""
    counter = _per(reader, "live_breakdown")
    if kind not in STYLES:
        raise ValueError(f"kind={kind!r}: choose one of {', '.join(map(repr, STYLES))}.")
    chosen = _window(window, counter)
    limit = max(1, min(limit, breakdowns.MOST))
    found = breakdowns.parts(counter, limit, within=within, window=chosen)
    decimals = decimals_of(counter)
    return {
        "token": _token(BREAKDOWN, counter, chosen, limit, within),
        "name": registry.counters.shortest(counter.entry),
        "label": counter.label,
        "kind": kind,
        "shares": breakdowns.adds_up(counter),
        "doubt": doubts_of(counter, max((one.value or 0 for one in found), default=0)),
        "decimals": str(decimals),
        "lines": [_part(one, decimals) for one in found],
    }


def _part(part: Part, decimals: int) -> dict[str, Any]:
    return {
        "name": part.name,
        "share": number_text(part.share, 0),
        "bar": f"{part.bar:g}",
        **piece(part.value, decimals),
    }


def leaderboard(
    reader: Reader,
    limit: int,
    window: str | Window,
    near: int,
    within: Any,
    user: Any,
) -> dict[str, Any]:
    """The first lines, and those around the viewer's own if that is not among them."""
    counter = _per(reader, "live_leaderboard")
    chosen = _window(window, counter)
    limit = max(1, min(limit, leaderboards.MOST))
    first = leaderboards.board(counter, limit, viewer=user, within=within, window=chosen)
    beside: list[Line] = []
    people = user is not None and leaderboards.of_people(counter)
    if people and not any(one.own for one in first):
        beside = leaderboards.beside(counter, user, near, within=within, window=chosen)
        # What is shown above already.
        known = {one.key for one in first}
        beside = [one for one in beside if one.key not in known]
    decimals = decimals_of(counter)
    return {
        "token": _token(TOP, counter, chosen, limit, within),
        "own": leaderboards.mark_of(key_of(user)) if people else "",
        "name": registry.counters.shortest(counter.entry),
        "label": counter.label,
        "decimals": str(decimals),
        "lines": [_line(one, decimals) for one in first],
        "beside": [_line(one, decimals) for one in beside],
        "gap": bool(first and beside and beside[0].rank > first[-1].rank + 1),
    }


def _line(line: Line, decimals: int) -> dict[str, Any]:
    return {
        "rank": number_text(line.rank, 0),
        "key": line.key,
        "name": line.name,
        "own": line.own,
        "listed": line.listed,
        **piece(line.value, decimals),
    }


def _per(reader: Reader, tag: str) -> Counter:
    if isinstance(reader, Meter) or reader.per is None:
        raise TypeError(f"{tag} {reader.name!r}: name a counter with per=.")
    return reader


def _window(window: str | Window | None, counter: Counter) -> Window:
    if window is None:
        return counter.entry.declared.window
    return window if isinstance(window, Window) else named(window)


def _token(family: str, counter: Counter, window: Window, limit: int, within: Any) -> str:
    keys = () if within is None else within
    return sign(lines(family, counter, get_language() or "", window, limit, keys))
