"""Breakdowns: the parts that a number has, by name, greatest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from livecounters.declarations import Count, Sum
from livecounters.frames import plain
from livecounters.names import names_of
from livecounters.readers import Counter
from livecounters.windows import Window
from livecounters.worth import Number

__all__ = ["MOST", "Part", "adds_up", "parts"]

MOST = 100
"""So many parts at the most, the others aside."""


@dataclass(frozen=True)
class Part:
    """One part. ``key`` is None for all others together; ``share`` is what it is of the whole, in
    percent, and None where the parts do not add up; ``bar`` is its length, in percent of the
    greatest."""

    key: str | None
    name: str
    value: Number
    share: float | None
    bar: float

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": plain(self.value),
            "share": self.share,
            "bar": self.bar,
        }


def adds_up(counter: Counter) -> bool:
    """Whether the numbers of all scopes make up one whole: not of means, extremes and people who
    may be in several."""
    declared = counter.entry.declared
    return isinstance(declared, Sum) or (isinstance(declared, Count) and not declared.distinct)


def parts(
    counter: Counter,
    limit: int = 10,
    *,
    within: Any = None,
    window: Window | None = None,
    at: dt.datetime | None = None,
) -> list[Part]:
    """The greatest parts of a counter ``per`` one object (or, ``within`` the first keys of several),
    in two queries; three of people. The rest is summed as "Others" if parts add up: what is beyond
    the limit, has no name any more, or is of people who are not to be shown."""
    found = counter.breakdown(within=within, window=window, at=at)
    known = {key: value for key, value in found.items() if value}
    order = sorted(known, key=lambda key: (-_size(known[key]), key))
    names, listed = names_of(counter, order[: 2 * limit])
    shown = [key for key in order[: 2 * limit] if key in listed][: max(1, min(limit, MOST))]
    lines: list[tuple[str | None, str, Number]] = [(key, names[key], known[key]) for key in shown]
    rest = known.keys() - set(shown)
    if rest and adds_up(counter):
        others: Any = sum(known[key] for key in rest)
        lines.append((None, _("Others"), others))
    return _measured(lines, known if adds_up(counter) else {})


def _measured(
    lines: Sequence[tuple[str | None, str, Number]], whole: Mapping[str, Number]
) -> list[Part]:
    sizes = [_size(value) for value in whole.values()]
    total = sum(sizes) if all(size >= 0 for size in sizes) else 0
    longest = max((_size(value) for _, _, value in lines), default=0)
    return [
        Part(
            key,
            name,
            value,
            round(_size(value) / total * 100, 1) if total else None,
            round(max(0.0, _size(value)) / longest * 100, 1) if longest > 0 else 0.0,
        )
        for key, name, value in lines
    ]


def _size(value: Number) -> float:
    return 0.0 if value is None else float(value)
