"""The timeline: events as feeds tell them, what belongs together as one.

The one way in which events are told, be it to a template, a socket or over HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from django.db.models import Q

from livecounters import feed
from livecounters.audience import Viewer, seen
from livecounters.cursors import Cursor
from livecounters.events import Event, Head, show
from livecounters.feed import Place
from livecounters.grouping import LONE, Key, Size, grouped, key_of, sizes
from livecounters.models import ActivityEvent
from livecounters.selection import EVERYTHING, Selection

__all__ = ["Page", "newest", "page", "said", "tell", "together"]

PORTION = 200
"""Events that are looked at in one go where some may belong together."""
LOOKS = 8
"""Times that is done for one page, at the most."""

K = TypeVar("K")


class Page(NamedTuple):
    """Events, newest first, the place at which they were read, and where older ones follow; None
    if there are none."""

    events: list[Event]
    place: Place
    older: Cursor | None


def page(
    limit: int,
    selection: Selection = EVERYTHING,
    cursor: Cursor | None = None,
    at: Place | None = None,
    viewer: Viewer | None = None,
    of: Q | None = None,
) -> Page:
    """The newest events, or those that follow a cursor; those ``of`` a group each by itself.

    A group is told where its newest event is, and as it was when the first page was read: who
    turns pages sees each once, whatever happens meanwhile. Of a storm that a page cannot look
    through, the rest is left to the next one.
    """
    left = feed.told().filter(selection.where, of or Q()).order_by("-seq")
    apart = of is not None or not grouped(selection.kinds)
    portion = limit + 1 if apart and viewer is None else max(limit + 1, PORTION)
    first = left.filter(seq__lt=min(cursor.before, cursor.upto + 1)) if cursor else left
    place, rows = feed.placed(first[:portion], at)
    begin = cursor or Cursor(place.epoch, place.seq + 1, place.seq)
    found: list[Head] = []
    for look in range(LOOKS):
        new = _heads({None: (_visible(rows, viewer), selection)}, begin.upto, apart)[None]
        found += [one for one in new if one.size.newest < begin.before]
        if len(found) > limit:
            last = found[limit - 1].row.seq or 0
            return Page(show(found[:limit]), place, begin._replace(before=last))
        if len(rows) < portion:
            return Page(show(found), place, None)
        low = rows[-1].seq or 0
        for key in [one.key for one in new if one.key is not None]:
            left = left.filter(~Q(**key.where) | LONE)
        if look + 1 < LOOKS:
            rows = list(left.filter(seq__lt=low)[:portion])
    return Page(show(found), place, begin._replace(before=low))


def newest(limit: int, selection: Selection = EVERYTHING) -> list[Event]:
    """The newest events, newest first."""
    return page(limit, selection).events


def tell(
    asked: Mapping[K, tuple[Sequence[ActivityEvent], Selection]], upto: int
) -> dict[K, list[Event]]:
    """The events of several feeds, each as its selection tells it when the stream has come to
    ``upto``; in the order given, groups where the newest of them is."""
    found = _heads(asked, upto)
    shown = iter(show([one for heads in found.values() for one in heads]))
    return {name: [next(shown) for _ in heads] for name, heads in found.items()}


def said(row: ActivityEvent) -> Event:
    """One event, by itself."""
    return show([Head(row, None, _alone(row))])[0]


def together(seq: int, selection: Selection = EVERYTHING) -> Q | None:
    """The events that are told together with the one of a number; None if there is no such."""
    row = feed.told().filter(selection.where, seq=seq).first()
    if row is None:
        return None
    key = key_of(row)
    return Q(seq=seq) if key is None else Q(**key.where) & ~LONE


def _heads(
    asked: Mapping[K, tuple[Iterable[ActivityEvent], Selection]], upto: int, apart: bool = False
) -> dict[K, list[Head]]:
    newest: dict[K, list[tuple[ActivityEvent, Key | None]]] = {}
    for name, (rows, _) in asked.items():
        keyed = [(row, None if apart else key_of(row)) for row in rows]
        last: dict[Key, int] = {}
        for row, key in keyed:
            if key is not None:
                last[key] = max(last.get(key, 0), row.seq or 0)
        newest[name] = [(row, key) for row, key in keyed if key is None or last[key] == row.seq]
    wanted = {
        (key, asked[name][1].beyond(key.names)): None
        for name, rows in newest.items()
        for _, key in rows
        if key is not None
    }
    known = dict(zip(wanted, sizes(list(wanted), upto, feed.database()), strict=True))
    return {
        name: [
            Head(row, key, known[key, asked[name][1].beyond(key.names)] if key else _alone(row))
            for row, key in rows
        ]
        for name, rows in newest.items()
    }


def _visible(rows: Sequence[ActivityEvent], viewer: Viewer | None) -> Sequence[ActivityEvent]:
    if viewer is None:
        return rows
    may = seen(rows, [viewer])[viewer]
    return [row for row in rows if row.pk in may]


def _alone(row: ActivityEvent) -> Size:
    return Size(1, 0, row.seq or 0)
