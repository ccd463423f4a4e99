"""Queries: what changed rows contribute, and what happened to them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import reduce
from typing import Any, ClassVar

from django.core.exceptions import EmptyResultSet
from django.db import NotSupportedError, OperationalError, models
from django.db.models import QuerySet
from django.db.models.sql import Query

from livecounters.dialects.expressions import Expressions
from livecounters.dialects.shadows import shadow
from livecounters.dialects.watch import Watch
from livecounters.exceptions import Unmeasurable
from livecounters.keys import ESCAPES, SEPARATOR, Field
from livecounters.measures import Measure
from livecounters.models import Delta
from livecounters.rows import PREFIX
from livecounters.tellings import Telling

__all__ = ["DELTA_COLUMNS", "EVENT_COLUMNS", "Queries"]

DELTA_COLUMNS = "measure, scope, member, at, count, total"
EVENT_COLUMNS = "kind, actor_model, actor, target_model, target, target_label, data, at, seq"


class Queries(Expressions):
    """SELECTs made from the defining queries."""

    def rows(self, queryset: QuerySet[Any, Any], relations: Mapping[str, str] | None = None) -> str:
        """A queryset as SQL with its values written out, reading other relations for tables."""
        query: Query = queryset.query.clone()
        query.get_initial_alias()
        for table, relation in (relations or {}).items():
            query.alias_map[table] = shadow(query.alias_map[table], relation)
        try:
            sql, params = query.get_compiler(connection=self.connection).as_sql()
        except EmptyResultSet:
            raise Unmeasurable(
                "E002", "the filter matches no row at all.", "Look at the filter's values."
            ) from None
        except (NotSupportedError, TypeError, ValueError) as error:
            raise Unmeasurable(
                "E005", f"it is nothing for this database: {error}", "Say it with other lookups."
            ) from error
        return str(sql % tuple(map(self.literal, params)))

    def try_out(self, queryset: QuerySet[Any, Any]) -> None:
        """Raise ``Unmeasurable`` if this database could not run the query in a trigger."""
        # Some expressions ask the server for its version; where there is none (an image is
        # being built), there is nothing to find out either.
        with suppress(OperationalError):
            self.rows(queryset)

    def contribution(
        self,
        measure: Measure,
        relation: str | None,
        sign: str = "",
        only_if: str = "",
        table: str | None = None,
    ) -> str:
        """A SELECT of the columns of Delta: what each row of ``relation`` contributes, in the
        place of ``table``."""
        scope, member = self._keys(measure)
        return (
            f"SELECT {self.literal(measure.key)} AS measure, {scope} AS scope, "
            f"{member} AS member, {self._numbers(measure, sign)} "
            f"{self._source(measure, measure.rows, relation, only_if, table)}"
        )

    def sums(
        self,
        measure: Measure,
        relations: Iterable[tuple[str | None, str]],
        rows: QuerySet[Any, Any] | None = None,
        table: str | None = None,
        only_if: str = "",
    ) -> str:
        """A SELECT of the columns of Delta: what the rows of (relation, sign) contribute in sum,
        in the place of ``table``, without what cancels out. ``rows`` may be a part of the
        measure's rows.

        Keys are grouped by as they are, which is much faster than as text.
        """
        names = [*measure.scope_paths, *(["member"] if measure.member is not None else [])]
        columns = {name: self._grouping(name, measure) for name in names}
        rows = measure.rows if rows is None else rows
        inner = "".join(f"{sql} AS {name}, " for name, (sql, _) in columns.items())
        found = " UNION ALL ".join(
            f"SELECT {inner}{self._numbers(measure, sign)} "
            f"{self._source(measure, rows, relation, only_if, table)}"
            for relation, sign in relations
        )
        scope, member = self._keys(measure, {name: sql for name, (_, sql) in columns.items()})
        total = "SUM(total)" if measure.value is not None else "0"
        nothing = " OR SUM(total) <> 0" if measure.value is not None else ""
        return (
            f"SELECT {self.literal(measure.key)} AS measure, {scope} AS scope, "
            f"{member} AS member, at, "
            f"SUM(count) AS count, {total} AS total FROM ({found}) c "
            f"GROUP BY {', '.join([*names, 'at'])} HAVING SUM(count) <> 0{nothing}"
        )

    nothing: ClassVar[str] = "''"
    """The scope or member of a measure that has none."""

    def _grouping(self, name: str, measure: Measure) -> tuple[str, str]:
        """What a column is grouped by, and its text made from that."""
        # Text is compared as text, not by the collation of the host's column, which may take
        # different keys for the same.
        field = measure.member_field if name == "member" else measure.scope_fields[name]
        if isinstance(field, models.CharField):
            return self._text(name, measure), name
        return PREFIX + name, self._text(name, measure, name)

    def _keys(self, measure: Measure, texts: Mapping[str, str] | None = None) -> tuple[str, str]:
        """The scope and the member of a row, made from the texts of its columns."""
        columns = [*measure.scope_paths, *(["member"] if measure.member is not None else [])]
        texts = texts or {name: self._text(name, measure) for name in columns}
        scope = self.scope(measure, [texts[name] for name in measure.scope_paths])
        return scope, texts.get("member", self.nothing)

    def scope(self, measure: Measure, keys: Sequence[str]) -> str:
        """The text of a scope, made from the texts of its keys (``keys.join``)."""
        if len(keys) > 1:
            fields = measure.scope_fields.values()
            keys = [self._escaped(key, field) for key, field in zip(keys, fields, strict=True)]
        separator = self.literal(SEPARATOR)
        return reduce(
            lambda before, key: self.joined(self.joined(before, separator), key),
            keys[1:],
            keys[0] if keys else self.nothing,
        )

    def _escaped(self, text: str, field: Field) -> str:
        if isinstance(field, models.CharField):
            for sign, written in ESCAPES:
                text = f"REPLACE({text}, {self.literal(sign)}, {self.literal(written)})"
        return text

    def _text(self, name: str, measure: Measure, sql: str = "") -> str:
        """The text of one column."""
        sql = sql or PREFIX + name
        if name != "member":
            return self.text(sql, measure.scope_fields[name])
        if measure.extremes:
            return self.ordered(self.scaled(sql, measure.places))
        assert measure.member_field is not None
        return self.distinct(sql, measure.member_field)

    def _numbers(self, measure: Measure, sign: str) -> str:
        at = self.no_stamp if measure.at_field is None else self.stamp(PREFIX + "at")
        value = "0"
        if measure.value is not None:
            value = sign + self.scaled(PREFIX + "value", measure.places)
        return f"{at} AS at, {sign}1 AS count, {value} AS total"

    def _source(
        self,
        measure: Measure,
        rows: QuerySet[Any, Any],
        relation: str | None,
        only_if: str = "",
        table: str | None = None,
    ) -> str:
        needed = self.needed(measure) + ([f"({only_if})"] if only_if else [])
        where = f" WHERE {' AND '.join(needed)}" if needed else ""
        instead = {table or rows.model._meta.db_table: relation} if relation is not None else None
        return f"FROM ({self.rows(rows, instead)}) r{where}"

    def needed(self, measure: Measure, columns: Mapping[str, str] | None = None) -> list[str]:
        """The conditions on a measure's columns under which a row counts at all."""
        names = [name for name in ("member", "value") if getattr(measure, name) is not None]
        names = [*measure.scope_paths, *names]
        said = columns or {name: PREFIX + name for name in names}
        conditions = [f"{said[name]} IS NOT NULL" for name in names]
        number = "value" if measure.value is not None else "member" if measure.extremes else ""
        if number:
            conditions += self.finite(said[number], measure.value_field, measure.places)
        if measure.sample > 1:
            member = self._text("member", measure, said["member"])
            assert measure.member_field is not None
            conditions.append(self.sampled(member, measure.member_field, measure.sample))
        return conditions

    def _into_delta(self, select: str) -> str:
        return f"INSERT INTO {self.table(Delta)} ({DELTA_COLUMNS}) {select}"

    def happened(
        self,
        telling: Telling,
        relation: str | None,
        before: str | None = None,
        rows: QuerySet[Any, Any] | None = None,
    ) -> str:
        """A SELECT of (source, actor, target, label, data, at, untold): the rows of ``relation``
        that match, without those that matched in ``before`` already. ``rows`` may be a part of
        the telling's rows."""
        columns = telling.columns
        declared = telling.entry.declared
        own = telling.model._meta.db_table
        instead = {own: relation} if relation is not None else None
        actor = self._nullable("actor", telling)
        untold = self.muted()
        conditions = []
        if "actor" in columns and declared.anonymous != "show":
            if declared.anonymous == "skip":
                conditions.append(f"r.{PREFIX}actor IS NOT NULL")
            else:
                untold = f"({untold} OR r.{PREFIX}actor IS NULL)"
        if before is not None:
            # No join: PostgreSQL would keep one that is made for single rows (see _tell_sql).
            conditions.append(
                f"(r.{PREFIX}source IN (SELECT o.{PREFIX}source "
                f"FROM ({self.rows(telling.rows, {own: before})}) o)) IS NOT TRUE"
            )
        moment = self.moment()
        at = f"COALESCE(r.{PREFIX}at, {moment})" if "at" in columns else moment
        label = f"COALESCE({self.label(f'r.{PREFIX}label')}, '')" if "label" in columns else "''"
        data = f"r.{PREFIX}data" if "data" in columns else self.no_data()
        field = telling.field("source")
        assert field is not None
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return (
            f"SELECT {self.text(f'r.{PREFIX}source', field)} AS source, {actor} AS actor, "
            f"{self._nullable('target', telling)} AS target, {label} AS label, "
            f"{data} AS data, {at} AS at, {untold} AS untold "
            f"FROM ({self.rows(telling.rows if rows is None else rows, instead)}) r{where}"
        )

    def _nullable(self, column: str, telling: Telling) -> str:
        field = telling.field(column)
        return self.text(f"r.{PREFIX}{column}", field) if field is not None else "NULL"

    def event_columns(self, telling: Telling, seq: str) -> str:
        """What is selected from :meth:`happened`, called h, for EVENT_COLUMNS."""
        kind, actor, target = map(
            self.literal, (telling.kind, telling.actor_model, telling.target_model)
        )
        return f"{kind}, {actor}, h.actor, {target}, h.target, h.label, h.data, h.at, {seq}"

    def row_sums(
        self, watch: Watch, measure: Measure, rows: Sequence[tuple[str, str]], only_if: str
    ) -> list[str]:
        """SELECTs of the columns of Delta: what one row of (relation, sign) contributes."""
        table = watch.model._meta.db_table
        if measure in watch.own:
            return [self.contribution(measure, row, sign, only_if, table) for row, sign in rows]
        # Many rows may hang on it.
        return [self.sums(measure, rows, table=table, only_if=only_if)]

    def claim_sql(self) -> str:
        """Insert a tombstone of (kind, source), unless there is one; wait for who is at it."""
        return f"INSERT INTO {self.sources} (kind, source) VALUES (%s, %s) ON CONFLICT DO NOTHING"

    @abstractmethod
    def tell_all_sql(self, telling: Telling, rows: QuerySet[Any, Any]) -> list[str]:
        """Insert an event for each of the telling's ``rows`` that was not told; unnumbered."""
