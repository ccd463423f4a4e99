"""All live numbers of the site by name: counters, which add up, and meters, which look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livecounters import meters, readers
from livecounters.meters import Meter
from livecounters.readers import Answers, Counter, aware
from livecounters.registry import CounterEntry, GaugeEntry, Registry, registry
from livecounters.windows import Window
from livecounters.worth import Number

__all__ = ["Counters", "Question", "Reader", "answers", "counters", "error_of", "read", "reader_of"]

Reader = Counter | Meter


@dataclass(frozen=True)
class Question:
    """One number that is wanted: a counter or meter, a scope ("" for the site), a window."""

    counter: Reader
    scope: str = ""
    window: Window | None = None


def reader_of(entry: CounterEntry | GaugeEntry) -> Reader:
    """What reads the numbers of a declaration."""
    return Counter(entry) if isinstance(entry, CounterEntry) else Meter(entry)


def error_of(reader: Reader, number: Number) -> float | None:
    """How far off a number may be: its relative standard error; ``None`` if it is exact."""
    return reader.error(number) if isinstance(reader, Counter) else None


def read(questions: Sequence[Question], at: dt.datetime | None = None) -> list[Number]:
    """The answers to many questions: all counters in one statement, all rooms in one question
    to the presence store."""
    return answers(questions, at).values


def answers(questions: Sequence[Question], at: dt.datetime | None = None) -> Answers:
    """The same, and what is paused."""
    moment = aware(at)
    counted: dict[Question, readers.Question] = {}
    looked: dict[Question, tuple[Meter, str]] = {}
    for question in questions:
        reader, scope, window = question.counter, question.scope, question.window
        if isinstance(reader, Counter):
            counted[question] = readers.Question(reader, scope, window)
        elif window is None:
            looked[question] = (reader, scope)
        else:
            raise ValueError(f"{reader.name} is a gauge; it has no {window!r}.")
    found: dict[Question, Number] = {}
    paused: set[str] = set()
    if counted:
        values, paused = readers.answers(list(counted.values()), moment)
        found.update(zip(counted, values, strict=True))
    if looked:
        seen = meters.read(list(looked.values()), moment.timestamp())
        found.update(zip(looked, seen, strict=True))
    return Answers([found[question] for question in questions], paused)


class Counters(Mapping[str, Any]):
    """All counters of the site by name; the short name works while it is unambiguous. Gauges are
    among them: their readers are :class:`Meter`, which know ``value``, ``values`` and ``series``.

    Raises ``UnknownName`` (a ``LookupError``) for a name that nobody declares, with a guess.
    """

    def __init__(self, declared: Registry = registry) -> None:
        self._declared = declared

    def __getitem__(self, name: str) -> Any:
        return reader_of(self._declared.numbers.get(name))

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except LookupError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return (entry.full_name for entry in self._declared.numbers)

    def __len__(self) -> int:
        return len(self._declared.numbers)


counters = Counters()
