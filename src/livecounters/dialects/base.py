"""What every dialect must say, and what all say alike."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import reduce
from typing import Any, ClassVar, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import NotSupportedError, OperationalError, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

from livecounters.conf import RETENTION, options
from livecounters.dialects.watch import Watch
from livecounters.exceptions import Unmeasurable
from livecounters.keys import ESCAPES, SEPARATOR, Field
from livecounters.measures import Measure
from livecounters.models import ActivityEvent, Delta, EventSource, Member, Muting, Stream
from livecounters.rows import PREFIX, source_columns
from livecounters.tellings import Telling

__all__ = ["Dialect", "Holder", "Statement", "columns_of"]

Statement = tuple[str, list[Any]]
"""SQL with placeholders, and their values."""


class Holder(NamedTuple):
    """A transaction that is at work: whose it is, and for how long."""

    who: str
    seconds: int


def columns_of(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields if field.column]


DELTA_COLUMNS = "measure, scope, member, at, count, total"
EVENT_COLUMNS = "kind, actor_model, actor, target_model, target, target_label, data, at, seq"


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


class Dialect(ABC):
    """SQL text for one database."""

    version: ClassVar[int] = 1
    """Part of every trigger's digest: a new number replaces installed triggers."""

    numbers_events: ClassVar[bool] = False
    """Whether the triggers number events themselves, because there is only one writer."""

    single_writer: ClassVar[bool] = False
    """Whether every write of ours can cost the host a wait, so that folding is done seldom."""

    lateral: ClassVar[bool] = True
    """Whether a table that is made in FROM may look at the query around."""

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

    # Queries

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

    def needed(self, measure: Measure, prefix: str = PREFIX) -> list[str]:
        """The conditions on a measure's columns under which a row counts at all."""
        names = [name for name in ("member", "value") if getattr(measure, name) is not None]
        conditions = [f"{prefix}{name} IS NOT NULL" for name in (*measure.scope_paths, *names)]
        number = "value" if measure.value is not None else "member" if measure.extremes else ""
        if number:
            conditions += self.finite(prefix + number, measure.value_field, measure.places)
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

    @abstractmethod
    def tell_all_sql(self, telling: Telling, rows: QuerySet[Any, Any]) -> list[str]:
        """Insert an event for each of the telling's ``rows`` that was not told; unnumbered."""

    # Installing

    def digest(self, watch: Watch) -> str:
        """What the installed triggers are compared by: the declarations, not their SQL."""
        parts = [self.version, self.fine_days, watch.table, watch.columns]
        parts += sorted(measure.key for measure in watch.measures)
        parts += sorted(telling.digest for telling in watch.tellings)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    @property
    def fine_days(self) -> int | None:
        """For how many days, at the least, a row's minute is captured: one longer than anybody
        asks for minutes; ``None`` is for good."""
        days = options().minutes
        return None if days is None else max(days, RETENTION["minutes"]) + 1

    def operations(self, watch: Watch) -> tuple[str, ...]:
        """What a watch's triggers are named by."""
        return watch.operations

    @abstractmethod
    def install_sql(self, watch: Watch) -> list[str]:
        """The statements that install a watch's triggers, in place of those of their names."""

    def in_use(self, error: Exception) -> bool:
        """Whether an error says that others use the table for too long."""
        return False

    @abstractmethod
    def remove_sql(self, table: str, name: str) -> list[str]:
        """The statements that remove the triggers called ``name`` from a table."""

    def prepare_removal_sql(self, table: str) -> list[str]:
        """What precedes removing: the table is ours until the transaction ends."""
        return []

    @abstractmethod
    def installed_sql(self) -> str:
        """A SELECT of (table, trigger name, digest) over all triggers of ours."""

    def prepare_sql(self, watch: Watch) -> list[str]:
        """What precedes installing: writers wait until the transaction ends."""
        return self.rehearsal_sql(watch)

    def rehearsal_sql(self, watch: Watch) -> list[str]:
        """Statements that fail if a watch's queries cannot be run, as they would in a trigger,
        and with them every write of the host."""
        contributions = [self.contribution(measure, None) for measure in watch.measures]
        happenings = [self.happened(telling, None) for telling in watch.tellings]
        return [f"EXPLAIN {sql}" for sql in (*contributions, *happenings)]

    # Expressions that databases write differently

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

    # Muting

    @abstractmethod
    def mute_sql(self) -> str:
        """Mute this transaction."""

    @abstractmethod
    def unmute_sql(self) -> str:
        """End it."""

    # Folding

    def lock_sql(self, wait: bool) -> str | None:
        """Say 1 if this transaction is the only one that folds from here on, else 0 (or wait);
        ``None`` where there is one writer at a time anyway."""
        return None

    def unlock_sql(self) -> str | None:
        """End that; ``None`` where it ends with the transaction."""
        return None

    write_batch: ClassVar[int] = 200
    """How many rows are given to one statement."""

    def add_sql(self, model: type[models.Model], rows: Sequence[Sequence[Any]]) -> Statement:
        """Add rows to a table of sums (Bucket, Member): its columns in their order."""
        columns = columns_of(model)
        one = f"({', '.join(['%s'] * len(columns))})"
        sql = f"{self._into(model)} VALUES {', '.join([one] * len(rows))} {self._adding(model)}"
        return sql, [value for row in rows for value in row]

    def add_from_sql(self, model: type[models.Model], select: str) -> str:
        """Add the rows of a SELECT, which must have a WHERE, to a table of sums."""
        return f"{self._into(model)} {select} {self._adding(model)}"

    def _into(self, model: type[models.Model]) -> str:
        return f"INSERT INTO {self.table(model)} ({', '.join(columns_of(model))})"

    def _adding(self, model: type[models.Model]) -> str:
        keys = [str(field.column) for field in model._meta.pk_fields]
        sums = [column for column in columns_of(model) if column not in keys]
        return self.on_conflict_add(self.table(model), keys, sums)

    def on_conflict_add(self, table: str, keys: Sequence[str], sums: Sequence[str]) -> str:
        """What makes an INSERT add to the row that is there."""
        added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
        return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}"

    def delete_sql(self, ids: Sequence[int]) -> str:
        """Delete these deltas, and touch no other."""
        return f"DELETE FROM {self.table(Delta)} WHERE id IN ({', '.join(map(str, ids))})"

    def latest_sql(self, members: Sequence[Sequence[Any]]) -> Statement:
        """The latest bucket that has rows of each of these members, given as (measure, scope,
        grain, member)."""
        # The primary key is read backwards, and so no more than one row of most members.
        sql = (
            "WITH v (measure, scope, grain, member) AS "
            f"(VALUES {', '.join(['(%s, %s, %s, %s)'] * len(members))}) "
            "SELECT * FROM (SELECT v.measure, v.scope, v.grain, v.member, ("
            f"SELECT m.start FROM {self.table(Member)} m WHERE m.measure = v.measure "
            "AND m.scope = v.scope AND m.grain = v.grain AND m.member = v.member "
            "AND m.count > 0 ORDER BY m.start DESC LIMIT 1) AS latest FROM v) l "
            "WHERE latest IS NOT NULL"
        )
        return sql, [value for one in members for value in one]

    def storable(self, number: int) -> int | float:
        """A sum as the database can take it."""
        return number

    # Marks, where several write at once

    def marked(self, model: type[models.Model], columns: Sequence[str]) -> str:
        """A relation of these columns of all marked rows of a model's table."""
        raise NotImplementedError

    def running(self) -> str | None:
        """Say which transactions are at work, for :meth:`over`; ``None`` if that cannot be seen."""
        raise NotImplementedError

    def over(self, seen: str) -> bool:
        """Whether all transactions that were at work then are over."""
        raise NotImplementedError

    def holders(self, seen: str) -> list[Holder]:
        """Those that are not."""
        raise NotImplementedError

    def sees_all(self) -> bool:
        """Whether the account may see the transactions of all others."""
        return True

    def ask(self, sql: str, *params: Any) -> Any:
        """The one value of a SELECT."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchone()[0]

    def _marking(self, watch: Watch) -> list[str]:
        """The columns of a table that others' measures go over; none if there are no marks."""
        if self.single_writer:
            return []
        named = {
            column
            for measure in watch.measures
            if measure not in watch.own
            for column in source_columns(measure.rows, watch.model)
        }
        return [column for column in watch.columns if column in named]

    def reached(self, measure: Measure, table: type[models.Model], marked: set[str]) -> str:
        """A SELECT of the scopes that marked rows of one table reach, over rows that are there
        and rows that are marked."""
        rows = measure.rows
        relations = {}
        for model in measure.models:
            name = model._meta.db_table
            columns = source_columns(rows, model)
            if model is table:
                relations[name] = f"({self.marked(model, columns)})"
            elif name in marked:
                there = f"SELECT {self.names(columns)} FROM {self.quote(name)}"
                relations[name] = f"({there} UNION ALL {self.marked(model, columns)})"
        needed = self.needed(measure)
        where = f" WHERE {' AND '.join(needed)}" if needed else ""
        return (
            f"SELECT DISTINCT {self._keys(measure)[0]} AS scope "
            f"FROM ({self.rows(rows, relations)}) r{where}"
        )

    # Temporary tables

    def temporary_sql(self, name: str, select: str) -> list[str]:
        """Make a temporary table of a SELECT, whose column ``n`` numbers its rows. One snapshot,
        and no lock on what is read."""
        return [
            f"CREATE TEMPORARY TABLE {name} AS {select}",
            f"CREATE INDEX {name}_n ON {name} (n)",
        ]

    def drop_temporary_sql(self, name: str) -> str:
        return f"DROP TABLE IF EXISTS {name}"

    # Numbering

    def number_sql(self, where: str, order: str) -> str:
        """Number the events that match, upwards from ``%s`` + 1."""
        return (
            f"UPDATE {self.events} SET seq = %s + n.place FROM ("
            f"SELECT id, ROW_NUMBER() OVER (ORDER BY {order}) AS place "
            f"FROM {self.events} WHERE {where}) n WHERE {self.events}.id = n.id"
        )

    # JSON

    def without_sql(self, column: str, keys: Iterable[str]) -> str:
        """A JSON object without these keys; the others stay as they are written."""
        paths = [self.literal(f"$.{json.dumps(key, ensure_ascii=False)}") for key in sorted(keys)]
        return f"JSON_REMOVE({column}, {', '.join(paths)})"

    # Copies

    @abstractmethod
    def home_sql(self) -> str:
        """A SELECT of what tells this copy of the database from one that was restored from it;
        '' where that cannot be told."""

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
