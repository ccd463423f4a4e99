"""Shadows: what a query reads in the place of its tables."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

__all__ = ["shadow"]


class Shadow:
    """Stands in a query's FROM for a table: the changed rows under the table's own name."""

    join_type = None
    parent_alias = None
    filtered_relation = None

    def __init__(self, relation: str, alias: str) -> None:
        self.relation = relation
        self.table_name = alias
        self.table_alias = alias

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        return f"{self.relation} {connection.ops.quote_name(self.table_alias)}", []


class ShadowJoin:
    """Stands in a query's FROM for a joined table."""

    def __init__(self, join: Any, relation: str) -> None:
        self.join = join
        self.relation = relation

    def __getattr__(self, name: str) -> Any:
        return getattr(self.join, name)

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        sql, params = self.join.as_sql(compiler, connection)
        table = connection.ops.quote_name(self.join.table_name)
        begin = f"{self.join.join_type} {table} "
        assert sql.startswith(begin)
        return f"{self.join.join_type} {self.relation} {table} {sql[len(begin) :]}", params


def shadow(table: Any, relation: str) -> Any:
    """What reads a relation instead of a table of a query."""
    if table.join_type is None:
        return Shadow(relation, table.table_alias)
    return ShadowJoin(table, relation)
