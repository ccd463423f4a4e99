"""Names, values and expressions, as each database writes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from livecounters.conf import RETENTION, options
from livecounters.keys import Field
from livecounters.models import ActivityEvent, EventSource, Muting, Stream

__all__ = ["Expressions"]


class Expressions(ABC):
    """SQL texts of one database that are no statements yet."""

    def __init__(self, using: str) -> None:
        self.using = using

    @property
    def connection(self) -> BaseDatabaseWrapper:
        return connections[self.using]

    # Names and literals

    def quote(self, name: str) -> str:
        return self.connection.ops.quote_name(name)

    def table(self, model: type[models.Model]) -> str:
        return self.quote(model._meta.db_table)

    def literal(self, value: Any) -> str:
        editor = self.connection.SchemaEditorClass
        assert editor is not None
        return str(editor(self.connection).quote_value(value))

    def names(self, columns: Iterable[str]) -> str:
        return ", ".join(map(self.quote, columns))

    @property
    def fine_days(self) -> int | None:
        """For how many days, at the least, a row's minute is captured: one longer than anybody
        asks for minutes; ``None`` is for good."""
        days = options().minutes
        return None if days is None else max(days, RETENTION["minutes"]) + 1

    no_stamp: ClassVar[str] = "CAST(NULL AS bigint)"
    """The stamp of a row without time."""

    bound: ClassVar[int] = 10**38
    """No scaled number reaches it."""

    @abstractmethod
    def padded(self, sql: str) -> str:
        """An integer from 0 as text, with zeros up to the length of ``bound``."""

    def ordered(self, sql: str) -> str:
        """An integer as text that sorts like it; :meth:`unordered` reads it."""
        negative = self.joined("'n'", self.padded(f"({self.bound} + {sql})"))
        positive = self.joined("'p'", self.padded(sql))
        return f"CASE WHEN {sql} < 0 THEN {negative} ELSE {positive} END"

    def joined(self, left: str, right: str) -> str:
        """Two texts as one."""
        return f"{left} || {right}"

    def unordered(self, text: str) -> int:
        """The integer that :meth:`ordered` wrote."""
        return int(text[1:]) - (self.bound if text[0] == "n" else 0)

    @abstractmethod
    def integer(self, text: str) -> str:
        """A text of digits as an integer, however long."""

    def number(self, text: str) -> str:
        """:meth:`unordered`, in SQL."""
        digits = self.integer(f"SUBSTR({text}, 2)")
        return (
            f"CASE WHEN SUBSTR({text}, 1, 1) = 'n' THEN {digits} - {self.bound} ELSE {digits} END"
        )

    @abstractmethod
    def unscaled(self, sql: str, places: int, inexact: bool = False) -> str:
        """An integer of the ``places``-th decimal as the number, or as a float."""

    def mean(self, total: str, count: str, inexact: bool = False) -> str:
        """A number or a float divided by a count; ``NULL`` if that is 0."""
        return f"({total} / NULLIF({count}, 0))"

    def exact(self, sql: str) -> str:
        """A text to be compared sign by sign."""
        return sql

    def distinct(self, sql: str, field: Field) -> str:
        """A distinct value as text: the same where the column takes two values for the same."""
        return self.text(sql, field)

    hashes: ClassVar[int] = 2**32
    """How many hashes there are: those below a ``sample``-th of them are kept."""

    @abstractmethod
    def sampled(self, text: str, field: Field, sample: int) -> str:
        """Whether a value of ``field``, as text, is among the one in ``sample`` that are kept: by
        a hash, so it is the same at any time and for whoever asks."""

    def finite(self, sql: str, field: Field, places: int) -> list[str]:
        """Conditions that leave out what cannot be added up: NaN, infinity, floats of 10^12,
        and numbers that reach ``bound`` when they are scaled."""
        if isinstance(field, models.FloatField):
            return [f"{sql} > -1e12", f"{sql} < 1e12"]
        if isinstance(field, models.DecimalField):
            bound = self.bound // 10**places
            return [f"{sql} > -{bound}", f"{sql} < {bound}"]
        return []

    @abstractmethod
    def text(self, sql: str, field: Field) -> str:
        """A value as text, the same in every dialect and in Python (``rows.text_of``)."""

    @abstractmethod
    def stamp(self, sql: str) -> str:
        """A date or datetime as a stamp (``windows``), floored to the minute."""

    @abstractmethod
    def scaled(self, sql: str, places: int) -> str:
        """A number as an integer of its ``places``-th decimal."""

    @abstractmethod
    def moment(self) -> str:
        """The present moment as a value of a DateTimeField."""

    @abstractmethod
    def muted(self) -> str:
        """Whether this transaction is muted."""

    def label(self, sql: str) -> str:
        """A label as text."""
        return f"CAST({sql} AS text)"

    @abstractmethod
    def no_data(self) -> str:
        """An empty JSON object."""

    # Our tables, for the texts above

    @property
    def events(self) -> str:
        return self.table(ActivityEvent)

    @property
    def sources(self) -> str:
        return self.table(EventSource)

    @property
    def stream(self) -> str:
        return self.table(Stream)

    @property
    def muting(self) -> str:
        return self.table(Muting)
