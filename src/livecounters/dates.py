"""Dates: how a day and a minute are written in six languages, as browsers write them.

A time on a chart that the server wrote is written anew by the page's script, by
``Intl.DateTimeFormat`` (``dateStyle: "medium"``, ``timeStyle: "short"``), which knows Unicode's CLDR.
Django's formats differ from that. Here is what CLDR says.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

__all__ = ["written"]


class _Style(NamedTuple):
    """A day, what stands between it and the time, the time, and the months if they have names."""

    day: str
    between: str = ", "
    time: str = "{hour:02}:{minute:02}"
    months: str = ""


STYLES = {
    "en": _Style(
        "{month} {day}, {year}",
        time="{half}:{minute:02} {noon}",
        months="Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    ),
    "de": _Style("{day:02}.{number:02}.{year}"),
    "fr": _Style(
        "{day} {month} {year}",
        months="janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    ),
    "es": _Style(
        "{day} {month} {year}",
        time="{hour}:{minute:02}",
        months="ene feb mar abr may jun jul ago sept oct nov dic",
    ),
    "pt": _Style(
        "{day} de {month} de {year}",
        months="jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.",
    ),
    "zh-hans": _Style("{year}年{number}月{day}日", between=" "),
}
# Varieties that are written as these; others may differ.
SAME = {"en-us": "en", "pt-br": "pt", "zh": "zh-hans", "zh-cn": "zh-hans"}


def written(moment: dt.datetime, language: str, *, minutes: bool) -> str | None:
    """The day of a moment, with its minute or without, in a language (a code of Django's);
    ``None`` if it is none of the six."""
    style = STYLES.get(SAME.get(language, language))
    if style is None:
        return None
    pattern = style.day + style.between + style.time if minutes else style.day
    return pattern.format(
        year=moment.year,
        number=moment.month,
        month=style.months.split()[moment.month - 1] if style.months else "",
        day=moment.day,
        hour=moment.hour,
        half=moment.hour % 12 or 12,
        noon="AM" if moment.hour < 12 else "PM",
        minute=moment.minute,
    )
