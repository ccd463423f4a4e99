"""One table and everything that is derived from its changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connections, models, router
from django.db.models import QuerySet

from livecounters.keys import Field, target_of
from livecounters.measures import Measure
from livecounters.models import ActivityEvent
from livecounters.rows import PREFIX, referenced_tables, source_columns, used_tables
from livecounters.tellings import Telling

__all__ = ["OPERATIONS", "Watch"]

OPERATIONS = ("insert", "update", "delete")


def table_name(model: type[models.Model]) -> str:
    """A model's table, as the database calls it: PostgreSQL cuts long names."""
    name = model._meta.db_table
    connection = connections[router.db_for_write(model)]
    if connection.vendor != "postgresql":
        return name
    return name.encode()[: connection.ops.max_name_length()].decode(errors="ignore")


@dataclass(frozen=True)
class Watch:
    """What a table's triggers are made from."""

    model: type[models.Model]
    measures: tuple[Measure, ...] = ()
    tellings: tuple[Telling, ...] = ()

    @property
    def table(self) -> str:
        """The table, as the database calls it."""
        return table_name(self.model)

    @property
    def name(self) -> str:
        """A short name for triggers and functions, the same for the same table."""
        return PREFIX + hashlib.sha256(self.table.encode()).hexdigest()[:12]

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations to be seen. What happened stays, so events are only ever added."""
        return ("insert",) if issubclass(self.model, ActivityEvent) else OPERATIONS

    @cached_property
    def querysets(self) -> list[QuerySet[Any, Any]]:
        return [measure.rows for measure in self.measures] + [
            telling.rows for telling in self.tellings
        ]

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The table's columns that any of the queries names, and what each stores."""
        named = {
            column for queryset in self.querysets for column in source_columns(queryset, self.model)
        }
        fields = self.model._meta.local_concrete_fields
        return {field.column: target_of(field) for field in fields if field.column in named}

    @property
    def columns(self) -> list[str]:
        """The table's columns that any of the queries names."""
        return list(self.fields)

    @property
    def own(self) -> list[Measure]:
        """The measures that count rows of this table; the others only go over it."""
        return [measure for measure in self.measures if measure.models[0] is self.model]

    @property
    def referenced(self) -> list[Measure]:
        """The measures that rows of this table may take others along from when they go: a
        foreign key of another of their tables points here."""
        name = self.model._meta.db_table
        return [one for one in self.measures if name in referenced_tables(one.rows)]

    @property
    def keys(self) -> list[str]:
        """The keys of everything that is derived."""
        return [one.key for one in self.measures] + [one.digest for one in self.tellings]

    def tables_of(self, key: str) -> list[str]:
        """All tables that the measure or the activity with this key is captured from."""
        for measure in self.measures:
            if measure.key == key:
                return [table_name(model) for model in measure.models]
        return [self.table]

    @cached_property
    def tables(self) -> set[str]:
        """Every table that the triggers mention, ours left out."""
        return {table for queryset in self.querysets for table in used_tables(queryset)}
