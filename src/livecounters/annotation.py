"""Annotation: a counter as an expression of a host's query, to order and filter by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F
from django.db.models.expressions import Combinable, Expression
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

from livecounters.dialects import Dialect, dialect_of
from livecounters.keys import Field
from livecounters.rows import expression
from livecounters.summands import Ask, single, whole
from livecounters.worth import Worth

__all__ = ["Annotation"]


class Annotation(Expression):
    """The number of each row: exact, in the same statement as the rows.

    ``ask`` is called whenever the query is run, so a query that is kept for long asks about the
    moment it is run at. ``keys`` say whose number it is; without any, the fields that the counter
    is per, of the model that is asked for.
    """

    def __init__(
        self, worth: Worth, ask: Callable[[], Ask], keys: Sequence[str | Combinable] = ()
    ) -> None:
        super().__init__(output_field=worth.output_field)
        self.worth = worth
        self.ask = ask
        self.fields: list[Field] = list(worth.measure.scope_fields.values())
        self.own = not keys
        self.keys: list[Any] = [expression(key) for key in keys or map(_name, self.fields)]

    def get_source_expressions(self) -> list[Any]:
        return self.keys

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.keys = list(exprs)

    def get_group_by_cols(self) -> list[Any]:
        return [column for key in self.keys for column in key.get_group_by_cols()]

    def resolve_expression(
        self, query: Query | None = None, *args: Any, **kwargs: Any
    ) -> Annotation:
        if self.own and query is not None:
            self._refuse_others(query.model)
        resolved: Annotation = super().resolve_expression(query, *args, **kwargs)
        return resolved

    def _refuse_others(self, model: Any) -> None:
        for field in self.fields:
            if model is None or not issubclass(model, field.model):
                raise TypeError(
                    f"It is counted per {field.model.__name__}.{field.name}, of which "
                    f"{model and model.__name__} has none; name what leads to it: "
                    'expression(of="..."), for several keys expression(of=("...", "...")).'
                )

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        measure = self.worth.measure
        if connection.alias != measure.using:
            raise ValueError(
                f"These numbers are in the database {measure.using!r}, the query is run in "
                f"{connection.alias!r}; read them apart, with values(of=[...])."
            )
        dialect = dialect_of(measure.using)
        texts: list[str] = []
        params: list[Any] = []
        for key, field in zip(self.keys, self.fields, strict=True):
            sql, some = compiler.compile(key)
            texts.append(dialect.text(sql, field))
            params += some
        scope = dialect.exact(dialect.scope(measure, texts))
        ask, outer = self.ask(), (scope, params)
        if measure.member is None:
            return self._sums(dialect, replace(ask, outer=outer))
        if dialect.lateral:
            kept, values = whole(replace(ask, outer=outer))
            found, params = f"SELECT {self.worth.sql(dialect)} FROM ({kept}) w", values
        else:
            kept, values = whole(ask)
            found = f"SELECT {self.worth.sql(dialect)} FROM ({kept}) w WHERE w.scope = {scope}"
            params = [*values, *params]
        return (f"COALESCE(({found}), 0)" if self.worth.zero else f"({found})"), tuple(params)

    def _sums(self, dialect: Dialect, ask: Ask) -> tuple[str, tuple[Any, ...]]:
        found = single(ask)
        sql = self.worth.sql(dialect, found["count"][0], found["total"][0])
        return sql, tuple(param for name in self.worth.sums for param in found[name][1])


def _name(field: Field) -> F:
    return F(field.name)
