"""Embeds: a public counter on other sites, as the setting ``EMBEDS`` lists it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import translation

from livecounters.conf import options
from livecounters.displays import counter_text
from livecounters.feed import iso
from livecounters.frames import plain
from livecounters.numbers import Question, Reader, error_of, read, reader_of
from livecounters.registry import registry

__all__ = ["ANY", "Embed", "embedded", "origins", "why_not"]

ANY = "*"
"""Every origin."""


@dataclass(frozen=True)
class Embed:
    """What other sites show: a number, as it travels and as it is written; of an estimate its
    relative standard error."""

    label: str
    value: Any
    text: str
    at: dt.datetime
    error: float | None = None

    def as_json(self) -> dict[str, Any]:
        said = {"label": self.label, "value": self.value, "text": self.text, "at": iso(self.at)}
        return said if self.error is None else {**said, "relative_error": self.error}


def embedded(name: str, of: str | None, language: str, now: dt.datetime) -> Embed | None:
    """A counter (of an object) in the words and digits of a language; ``None`` if it is not for
    other sites, or there is none."""
    counter = _listed(name)
    if counter is None:
        return None
    try:
        scope = counter.scope(of)
    except (ValidationError, ValueError, TypeError, OverflowError):
        return None
    value = read([Question(counter, scope)], now)[0]
    with translation.override(language):
        text, error = counter_text(counter, value), error_of(counter, value)
        return Embed(str(counter.label), plain(value), text, now, error)


def origins() -> list[str]:
    """The sites whose pages may read and frame embeds."""
    return list(options().embeds("ORIGINS"))


def why_not(name: Any) -> str:
    """Why a counter cannot be for other sites; empty if it can."""
    try:
        entry = registry.numbers.get(name)
    except (LookupError, AttributeError, TypeError) as error:
        return str(error)
    return "" if entry.declared.public else f"{name!r} is not public; declare it with public=True."


def _listed(name: str) -> Reader | None:
    """The counter of a name, if it is public and the host has listed it, by whichever name."""
    if why_not(name):
        return None
    entry = registry.numbers.get(name)
    listed = [one for one in options().embeds("COUNTERS") if not why_not(one)]
    return reader_of(entry) if entry in map(registry.numbers.get, listed) else None
