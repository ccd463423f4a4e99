"""Fields and expressions of a host's rows, resolved by Django's own query.

What can be kept by triggers is decided here: every reason to refuse is an ``Unmeasurable``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import models, router
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import (
    Col,
    Combinable,
    CombinedExpression,
    Func,
    Subquery,
    Value,
    Window,
)
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import (
    Cast,
    Coalesce,
    Concat,
    Extract,
    Greatest,
    JSONObject,
    Least,
    Length,
    Lower,
    Now,
    NullIf,
    Random,
    Upper,
)
from django.db.models.functions.datetime import TruncBase
from django.db.models.functions.text import ConcatPair
from django.db.models.lookups import Regex
from django.db.models.sql import Query
from django.db.models.sql.constants import LOUTER
from django.db.models.sql.datastructures import Join

from livecounters.exceptions import Unmeasurable
from livecounters.keys import Field

__all__ = [
    "PREFIX",
    "expression",
    "may_fail",
    "outer",
    "output_field",
    "referenced_tables",
    "related_model",
    "resolved",
    "rows",
    "source_columns",
    "used_models",
    "used_tables",
]

PREFIX = "livecounters_"


def expression(path: str | Combinable) -> Combinable:
    """A field name as an expression."""
    return F(path) if isinstance(path, str) else path


def rows(
    model: type[models.Model],
    where: Q,
    columns: Mapping[str, Any],
    *,
    joins: bool = False,
    needed: Iterable[str] | None = None,
) -> QuerySet[Any, Any]:
    """The rows of ``model`` that match, with ``columns`` as ``livecounters_<name>``.

    With ``joins`` columns may come over relations to one row, which need not be there. With
    ``needed``, the columns without which a row does not count, they may come over any relations;
    there is a row for each combination, and all of it must be there.

    Raises ``Unmeasurable`` where a trigger could not say the same: unknown fields, subqueries,
    functions of the clock, dates written into the filter, other relations.
    """
    queryset: QuerySet[Any, Any] = QuerySet(model)
    try:
        # The filter first: columns come over the relations that it goes over.
        queryset = queryset.filter(where).order_by()
        queryset = queryset.annotate(
            **{PREFIX + name: expression(value) for name, value in columns.items()}
        )
        queryset = queryset.values_list(*(PREFIX + n for n in columns))
    except (FieldError, FieldDoesNotExist, ValueError, TypeError) as error:
        raise Unmeasurable(
            "E002", str(error), "Name fields that the model has, as in a queryset's filter()."
        ) from error
    _refuse_unstable(queryset.query)
    if needed is None:
        _refuse_joins(queryset.query, joins)
    else:
        _require(queryset.query, needed)
        _refuse_inexact(queryset.query)
    _refuse_names(queryset)
    return queryset


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    if hasattr(node, "get_source_expressions"):
        for child in node.get_source_expressions():
            if child is not None:
                yield from _nodes(child)
    elif hasattr(node, "children"):
        for child in node.children:
            yield from _nodes(child)
    if isinstance(node, Value):
        yield node.value
    if hasattr(node, "rhs") and not hasattr(node.rhs, "get_source_expressions"):
        yield from node.rhs if isinstance(node.rhs, (list, tuple, set)) else [node.rhs]


def _all_nodes(query: Query) -> Iterator[Any]:
    yield from _nodes(query.where)
    for annotation in query.annotations.values():
        yield from _nodes(annotation)


def _refuse_unstable(query: Query) -> None:
    for node in _all_nodes(query):
        if isinstance(node, (Subquery, Query)):
            raise Unmeasurable(
                "E005",
                "a subquery cannot be kept by a trigger: the rows it looks at change unseen.",
                "Say it with fields of the row itself; exclude() or ~Q() over a many-to-many "
                "relation and Exists() are subqueries too.",
            )
        if getattr(node, "contains_aggregate", False) or isinstance(node, Window):
            raise Unmeasurable(
                "E005",
                f"{node!r} looks at several rows at once.",
                "Name a column or an expression of one row; the counter adds them up.",
            )
        if isinstance(node, (Now, Random)):
            raise Unmeasurable(
                "E005",
                f"{type(node).__name__}() gives another answer each time it is asked.",
                "Use window=live.last(...) for what depends on the clock.",
            )
        if isinstance(node, (dt.date, dt.time)):
            raise Unmeasurable(
                "E005",
                f"the filter holds the fixed moment {node!r}, taken when the module was loaded.",
                "Use window=live.last(...), or a field of the row that says the same.",
            )


def _refuse_joins(query: Query, allowed: bool) -> None:
    model: Any = query.model
    for join in _joins(query):
        if not allowed:
            if getattr(join.join_field.remote_field, "parent_link", False):
                parent = join.join_field.related_model._meta
                raise Unmeasurable(
                    "E004",
                    f"it needs a field that {model.__name__} has from its parent "
                    f"{parent.object_name}, whose table {join.table_name!r} is another.",
                    f"Declare it about the parent, @live.register({parent.object_name}): each "
                    f"{model.__name__} has a row there.",
                )
            raise Unmeasurable(
                "E004",
                f"it goes over a relation to the table {join.table_name!r}; "
                "only columns of the model's own table can be kept.",
                "Use the foreign key itself, or copy the value to the row.",
            )
        if not (join.join_field.many_to_one or join.join_field.one_to_one):
            raise Unmeasurable(
                "E004",
                f"it goes over a relation to many rows of {join.table_name!r}.",
                "Use foreign keys, each of which leads to one row.",
            )


def _require(query: Query, needed: Iterable[str]) -> None:
    """Let joins drop the rows that do not count anyway, because a column of theirs is NULL."""
    for name in needed:
        if PREFIX + name in query.annotations:
            for alias in _strict(query.annotations[PREFIX + name]) - {None}:
                query.demote_joins(_chain(query, alias))


def _chain(query: Query, alias: Any) -> set[Any]:
    """A table, and those that its join leads over: it has no row where they have none."""
    found = set()
    while alias is not None:
        found.add(alias)
        alias = getattr(query.alias_map[alias], "parent_alias", None)
    return found


def _strict(node: Any) -> set[Any]:
    """The tables without whose row an expression is NULL."""
    if isinstance(node, Col):
        return {node.alias}
    if isinstance(node, CombinedExpression):
        return set().union(*map(_strict, node.get_source_expressions()))
    return set()


def _refuse_inexact(query: Query) -> None:
    """Refuse what deltas cannot keep: they are exact for inner joins of different tables."""
    model: Any = query.model
    seen = {model._meta.db_table}
    for join in _joins(query):
        other = _joined_model(join)
        if join.table_name in seen:
            raise Unmeasurable(
                "E004",
                f"it goes through the table {join.table_name!r} twice.",
                "Name the relation by the same path in filter= and per=, in one filter only; or "
                "copy the value to the row.",
            )
        seen.add(join.table_name)
        if join.join_type == LOUTER:
            raise Unmeasurable(
                "E004",
                f"it counts rows without a row of {join.table_name!r} as well, over a relation "
                "that may lead nowhere.",
                "Say in the filter that it must lead somewhere, as in "
                "Q(course__isnull=False), or copy the value to the row.",
            )
        special = join.join_field.get_extra_restriction(join.table_alias, join.parent_alias)
        if special or join.filtered_relation is not None:
            raise Unmeasurable(
                "E004",
                f"the relation to {join.table_name!r} has a condition of its own.",
                "Declare it about the model at its other end, or copy the value to the row.",
            )
        if router.db_for_write(other) != router.db_for_write(model):
            raise Unmeasurable(
                "E004",
                f"the table {join.table_name!r} is in another database, "
                f"{router.db_for_write(other)!r}.",
                "Copy the value to the row.",
            )


def _joined_model(join: Any) -> type[models.Model]:
    """The model of a joined table."""
    related: Any = join.join_field.related_model
    for model in (related, *related._meta.all_parents):
        if model._meta.db_table == join.table_name:
            concrete: type[models.Model] = model._meta.concrete_model
            return concrete
    raise Unmeasurable(
        "E004",
        f"the relation to {join.table_name!r} leads to no model.",
        "Copy the value to the row.",
    )


def used_models(queryset: QuerySet[Any, Any]) -> list[type[models.Model]]:
    """The models whose tables a query reads, its own first."""
    own: Any = queryset.model
    return [own._meta.concrete_model or own, *map(_joined_model, _joins(queryset.query))]


def _refuse_names(queryset: QuerySet[Any, Any]) -> None:
    for name in [*sorted(used_tables(queryset)), *source_columns(queryset)]:
        if "%" in name or '"' in name:
            raise Unmeasurable(
                "E012",
                f"the name {name!r} has a percent sign or a quotation mark in it.",
                "Rename it in the database, and in db_table or db_column. For a table in another "
                "schema name the schema in the search_path of the database's OPTIONS instead.",
            )


def _joins(query: Query) -> list[Any]:
    return [
        table
        for alias, table in query.alias_map.items()
        if table.join_type is not None and query.alias_refcount[alias]
    ]


def outer(query: Query) -> None:
    """Let no join drop a row: a foreign key may point to a row that is not there yet."""
    for alias, table in query.alias_map.items():
        if isinstance(table, Join) and table.join_type != LOUTER:
            query.alias_map[alias] = table.promote()


def used_tables(queryset: QuerySet[Any, Any]) -> set[str]:
    """The tables a query reads."""
    tables = {join.table_name for join in _joins(queryset.query)}
    return tables | {queryset.model._meta.db_table}


def referenced_tables(queryset: QuerySet[Any, Any]) -> set[str]:
    """Of the tables a query reads, those that a foreign key of another points to."""
    query, found = queryset.query, set()
    for join in _joins(query):
        forward = getattr(join.join_field, "concrete", False)
        parent: Any = query.alias_map[join.parent_alias]
        found.add(join.table_name if forward else parent.table_name)
    return found


def source_columns(
    queryset: QuerySet[Any, Any], model: type[models.Model] | None = None
) -> list[str]:
    """The columns of a model's table that a query names, in the table's order; of its own
    model, if none is given."""
    # A proxy has no fields of its own.
    model = model or queryset.model._meta.concrete_model or queryset.model
    table = model._meta.db_table
    named = {
        node.target.column
        for node in _all_nodes(queryset.query)
        if isinstance(node, Col) and node.alias == table
    }
    for join in _joins(queryset.query):
        if join.parent_alias == table:
            named.update(local for local, _ in join.join_cols)
        if join.table_alias == table:
            named.update(foreign for _, foreign in join.join_cols)
    columns = [str(field.column) for field in model._meta.local_concrete_fields]
    return [column for column in columns if column in named]


# Functions that have an answer for every row, NULL at the worst.
HARMLESS = (
    Coalesce,
    Concat,
    ConcatPair,
    Extract,
    Greatest,
    JSONObject,
    KeyTransform,
    Least,
    Length,
    Lower,
    NullIf,
    TruncBase,
    Upper,
)


def may_fail(queryset: QuerySet[Any, Any]) -> bool:
    """Whether a strict database may refuse to evaluate it for some row: a division by zero, an
    integer that grows too large, a text that is no number."""
    return any(_may_fail(node) for node in _all_nodes(queryset.query))


def _may_fail(node: Any) -> bool:
    if isinstance(node, CombinedExpression):
        # Decimals have room; integers have not.
        decimal = isinstance(node.output_field, models.DecimalField)
        return not (decimal and node.connector in ("+", "-", "*"))
    if isinstance(node, Cast):
        return not isinstance(node.output_field, (models.CharField, models.TextField))
    return isinstance(node, Regex) or (isinstance(node, Func) and not isinstance(node, HARMLESS))


def resolved(queryset: QuerySet[Any, Any], name: str) -> Any:
    """The expression of a column of :func:`rows`; its type is known."""
    expression = queryset.query.annotations[PREFIX + name]
    try:
        _ = expression.output_field
    except FieldError as error:
        raise Unmeasurable("E002", str(error), "Give the expression an output_field.") from error
    return expression


def output_field(queryset: QuerySet[Any, Any], name: str) -> Field:
    """The field that a column of :func:`rows` has the type of."""
    field: Field = resolved(queryset, name).output_field
    return field


def related_model(queryset: QuerySet[Any, Any], name: str) -> str:
    """The label of the model that a column of :func:`rows` is a key of; "" if of none."""
    target = getattr(resolved(queryset, name), "target", None)
    model = getattr(target, "related_model", None)
    return model._meta.label_lower if model is not None and not isinstance(model, str) else ""
