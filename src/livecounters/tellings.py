"""What a trigger writes for an activity: which rows are told, and what is told of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from django.db import models, router
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import JSONObject

from livecounters.exceptions import Unmeasurable
from livecounters.keys import Field, textual
from livecounters.measures import canonical
from livecounters.recordables import recordable_of
from livecounters.registry import ActivityEntry
from livecounters.rows import PREFIX, outer, output_field, related_model, rows

__all__ = ["Telling", "party", "telling_of"]

VERSION = 1


@dataclass(frozen=True, eq=False)
class Telling:
    """The defining query of an activity.

    Its columns: ``source`` (the row's key), and ``actor``, ``target``, ``label``, ``data``,
    ``at`` where it has them.
    """

    entry: ActivityEntry

    @property
    def model(self) -> type[models.Model]:
        return self.entry.rows_of

    @property
    def kind(self) -> str:
        return self.entry.full_name

    @cached_property
    def using(self) -> str:
        return router.db_for_write(self.model)

    @cached_property
    def rows(self) -> QuerySet[Any, Any]:
        declared = self.entry.declared
        columns = {
            "source": "pk",
            "actor": self.entry.live.actor,
            "target": declared.target,
            "label": declared.target_label,
            "data": JSONObject(**declared.data) if declared.data else None,
            "at": declared.at or self.entry.live.at,
        }
        found = rows(
            self.model,
            self.entry.where,
            {name: value for name, value in columns.items() if value is not None},
            joins=True,
        )
        outer(found.query)
        return found

    @cached_property
    def columns(self) -> set[str]:
        """The names of the columns that it has."""
        return {name.removeprefix(PREFIX) for name in self.rows.query.annotations}

    def field(self, column: str) -> Field | None:
        """The stored field of a column whose values are written as text."""
        if column not in self.columns:
            return None
        return textual(output_field(self.rows, column), repr(column))

    @property
    def actor_model(self) -> str:
        return self._related("actor")

    @property
    def target_model(self) -> str:
        if self.entry.declared.target == "pk":
            # The row itself.
            return (self.model._meta.concrete_model or self.model)._meta.label_lower
        return self._related("target")

    def _related(self, column: str) -> str:
        if column not in self.columns:
            return ""
        return related_model(self.rows, column)

    @cached_property
    def digest(self) -> str:
        declared = self.entry.declared
        parts = [VERSION, self.kind, declared.anonymous, self.entry.live.actor, declared.target]
        parts += map(canonical, (self.entry.where, declared.target_label, declared.at))
        parts += [canonical(self.entry.live.at)]
        parts += [(key, canonical(value)) for key, value in declared.data.items()]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


@cache
def telling_of(entry: ActivityEntry) -> Telling:
    """The telling of an activity. Raises ``Unmeasurable`` if no trigger can tell it."""
    telling = Telling(entry)
    for key, value in entry.declared.data.items():
        if not isinstance(value, (str, Combinable)):
            raise Unmeasurable(
                "E022",
                f"{key!r} in its data is {value!r}, which is no field of a row.",
                "Name a field or an expression. What code or a browser gives is declared in a "
                "live.LiveSite.",
            )
    for column in ("source", "actor", "target"):
        telling.field(column)
    if "target" in telling.columns and not telling.target_model:
        raise Unmeasurable(
            "E009",
            f"target={entry.declared.target!r} is no foreign key.",
            "Name a foreign key of the model, or 'pk' for the row itself; or leave target away and put "
            "it into data=.",
        )
    if "at" in telling.columns and not isinstance(
        output_field(telling.rows, "at"), models.DateField
    ):
        raise Unmeasurable(
            "E008", "its time is no date and no datetime.", "Give at= a DateTimeField."
        )
    return telling


def party(activity: ActivityEntry, column: str) -> str:
    """The label of the model that the ``actor`` or ``target`` of an activity's events is of; ""
    if of none. Raises ``Unmeasurable`` as the declaration does."""
    told = recordable_of(activity) if activity.recorded else telling_of(activity)
    label: str = getattr(told, f"{column}_model")
    return label
