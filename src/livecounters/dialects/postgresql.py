"""PostgreSQL: statement triggers whose transition tables shadow the table.

The functions run with their owner's rights and a pinned ``search_path``, so the host's role
needs no rights on our tables and no other schema can catch a row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.db import models
from django.db.models import QuerySet

from livecounters.dialects.base import Dialect, Holder, Statement, columns_of
from livecounters.dialects.queries import EVENT_COLUMNS
from livecounters.dialects.watch import Watch
from livecounters.keys import Field
from livecounters.measures import Measure
from livecounters.models import Mark, Measured, Member
from livecounters.models.numbers import TEXT_LENGTH
from livecounters.rows import may_fail, used_tables
from livecounters.tellings import Telling
from livecounters.windows import MINUTE, QUARTER

__all__ = ["PostgreSQL"]

OLD = "livecounters_old"
NEW = "livecounters_new"

# The advisory lock of folding; such locks belong to one database.
FOLDING = 7_281_990_417_033_113_906

# Whoever waits behind us waits no longer than this.
PATIENCE = "SET LOCAL lock_timeout = '2s'"
LOCK_NOT_AVAILABLE = "55P03"

# Other sessions of this database, and those of them that began before what was seen.
OTHERS = (
    "datname = current_database() AND pid <> pg_backend_pid() "
    "AND backend_type <> 'autovacuum worker'"
)
BEFORE = "(age(backend_xmin) > age(seen::xid) OR age(backend_xid) > age(seen::xid))"

# The name of a new installation.
FRESH = "md5(random()::text || clock_timestamp()::text)"

# A cascade of the database changes rows of other tables in the same statement, after which
# neither sees the other. So what hangs on a row is counted out before it goes.
WHEN = {"cascade": "BEFORE DELETE"}
RETURNED = {"cascade": "OLD"}

REFERENCING = {
    "insert": f"NEW TABLE AS {NEW}",
    "update": f"OLD TABLE AS {OLD} NEW TABLE AS {NEW}",
    "delete": f"OLD TABLE AS {OLD}",
}


class PostgreSQL(Dialect):
    def operations(self, watch: Watch) -> tuple[str, ...]:
        # Events that are gone have happened nonetheless.
        if "delete" not in watch.operations:
            return watch.operations
        return (*watch.operations, "truncate", *(["cascade"] if watch.referenced else []))

    def install_sql(self, watch: Watch) -> list[str]:
        statements = []
        for operation in self.operations(watch):
            function = self._function(watch.name, operation)
            trigger = self.quote(f"{watch.name}_{operation}")
            tables = REFERENCING.get(operation)
            statements += [
                self._function_sql(watch, operation, function),
                (
                    f"CREATE OR REPLACE TRIGGER {trigger} "
                    f"{WHEN.get(operation, f'AFTER {operation.upper()}')} "
                    f"ON {self.quote(watch.table)} "
                    f"{f'REFERENCING {tables} ' if tables else ''}"
                    f"FOR EACH {'ROW' if operation == 'cascade' else 'STATEMENT'} "
                    f"EXECUTE FUNCTION {function}()"
                ),
                (
                    f"COMMENT ON TRIGGER {trigger} ON {self.quote(watch.table)} "
                    f"IS {self.literal(self.digest(watch))}"
                ),
            ]
        return statements

    def _function(self, name: str, operation: str) -> str:
        return self.quote(f"{name}_{operation}")

    def _function_sql(self, watch: Watch, operation: str, function: str) -> str:
        body = "\n".join(self._body(watch, operation))
        quote = "$livecounters$"
        while quote in body:
            quote = f"{quote[:-1]}_$"
        return (
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql "
            f"SECURITY DEFINER SET search_path FROM CURRENT {self._plans(watch, operation)}AS {quote}\n"
            f"BEGIN\n{body}\nRETURN {RETURNED.get(operation, 'NULL')};\nEND\n{quote}"
        )

    def _body(self, watch: Watch, operation: str) -> list[str]:
        if operation == "truncate":
            # Readers count the source, which is empty, until the numbers are made right. No
            # delta: it would survive a flush, which empties our tables in the same statement.
            # A new installation: a backfill that saw the rows must not call them counted.
            keys = ", ".join(map(self.literal, watch.keys)) or "NULL"
            return [
                (
                    f"UPDATE {self.table(Measured)} SET ready = false, installation = {FRESH} "
                    f"WHERE measure IN ({keys}) AND installation <> '';"
                )
            ]
        if operation == "cascade":
            return self._count(watch, watch.referenced, [("(SELECT OLD.*)", "-")])
        relations = {"insert": [(NEW, "")], "delete": [(OLD, "-")]}.get(
            operation, [(OLD, "-"), (NEW, "")]
        )
        left = watch.referenced if operation == "delete" else []
        measures = [measure for measure in watch.measures if measure not in left]
        statements = [
            *self._skip(watch, operation),
            *self._count(watch, measures, relations),
            *self._mark(watch, operation),
        ]
        if operation != "delete":
            statements += [self._tell(telling, operation) for telling in watch.tellings]
        return statements

    def _plans(self, watch: Watch, operation: str) -> str:
        # A session plans a trigger's statements at their first call and keeps the plans for all
        # sizes: nested loops made for one row take minutes for many, and a hash join made for
        # many reads the whole joined table for every single row. So: subqueries are hashed
        # whatever their estimate, and joined tables are entered by their index.
        if operation == "truncate":
            return ""
        settings = []
        if watch.tellings and operation != "delete":
            settings.append("SET hash_mem_multiplier = 1000")
        read = [measure.rows for measure in watch.measures]
        if operation != "delete":
            read += [telling.rows for telling in watch.tellings]
        if any(len(used_tables(rows)) > 1 for rows in read):
            settings += ["SET enable_hashjoin = off", "SET enable_mergejoin = off"]
        return "".join(f"{setting} " for setting in settings)

    def _skip(self, watch: Watch, operation: str) -> list[str]:
        # Most updates touch nothing that is watched; comparing the rows is far cheaper than
        # running every query twice.
        if operation != "update":
            return []
        return [f"IF NOT EXISTS ({self._changed(watch, OLD, NEW)}) THEN RETURN NULL; END IF;"]

    def _changed(self, watch: Watch, before: str, after: str) -> str:
        columns = ", ".join(
            # What a collation takes for the same is another text.
            f'{self.quote(name)}::text COLLATE "C"'
            if isinstance(field, (models.CharField, models.TextField))
            else self.quote(name)
            for name, field in watch.fields.items()
        )
        return f"SELECT {columns} FROM {before} EXCEPT ALL SELECT {columns} FROM {after}"

    def _count(
        self, watch: Watch, measures: Iterable[Measure], relations: Sequence[tuple[str, str]]
    ) -> list[str]:
        table = watch.model._meta.db_table
        sums = {measure: self.sums(measure, relations, table=table) for measure in measures}
        guarded = [m for m in sums if not m.append_only and may_fail(m.rows)]
        plain = [sql for measure, sql in sums.items() if measure not in guarded]
        statements = [self._into_delta(" UNION ALL ".join(plain)) + ";"] if plain else []
        return statements + [
            self._guarded(measure.key, self._into_delta(sums[measure]) + ";") for measure in guarded
        ]

    def _mark(self, watch: Watch, operation: str) -> list[str]:
        columns = self.names(self._marking(watch))
        if not columns:
            return []
        relations = {"insert": [NEW], "delete": [OLD]}.get(operation, [OLD, NEW])
        rows = " UNION ALL ".join(f"SELECT {columns} FROM {relation}" for relation in relations)
        return [
            (
                f'INSERT INTO {self.table(Mark)} ("table", "row") '
                f"SELECT {self.literal(watch.model._meta.db_table)}, to_jsonb(c) FROM ({rows}) c;"
            )
        ]

    def marked(self, model: type[models.Model], columns: Sequence[str]) -> str:
        table = model._meta.db_table
        names = ", ".join(f"r.{self.quote(name)}" for name in columns)
        return (
            f"SELECT {names} FROM {self.table(Mark)} k, "
            f"jsonb_populate_record(NULL::{self.quote(table)}, k.row) r "
            f'WHERE k."table" = {self.literal(table)}'
        )

    # Our own transaction comes after all that are at work; a snapshot may be older than that,
    # of a transaction that has only read so far.

    def running(self) -> str:
        return str(self.ask("SELECT pg_current_xact_id()::text"))

    def over(self, seen: str) -> bool:
        return bool(
            self.ask(
                "SELECT seen < pg_snapshot_xmin(pg_current_snapshot()) AND NOT EXISTS ("
                f"SELECT 1 FROM pg_stat_activity WHERE {OTHERS} AND {BEFORE}) "
                "FROM (SELECT %s::text::xid8 AS seen) s",
                seen,
            )
        )

    def holders(self, seen: str) -> list[Holder]:
        sql = (
            "SELECT concat_ws(' ', 'process', pid, usename, nullif(application_name, '')), "
            f"extract(epoch FROM now() - xact_start)::int FROM pg_stat_activity, seen WHERE {OTHERS} "
            f"AND {BEFORE} UNION ALL SELECT 'prepared transaction ' || gid, "
            "extract(epoch FROM now() - prepared)::int FROM pg_prepared_xacts, seen "
            "WHERE age(transaction) > age(seen::xid)"
        )
        with self.connection.cursor() as cursor:
            cursor.execute(f"WITH seen AS (SELECT %s::text::xid8 AS seen) {sql}", [seen])
            return [Holder(who, seconds or 0) for who, seconds in cursor.fetchall()]

    def sees_all(self) -> bool:
        return bool(self.ask("SELECT pg_has_role('pg_read_all_stats', 'USAGE')"))

    def _guarded(self, key: str, statement: str) -> str:
        # A row for which an expression cannot be evaluated is the host's to write all the same.
        # What could not be counted is found missing by the next sync.
        return (
            f"BEGIN {statement} EXCEPTION WHEN data_exception THEN "
            f"UPDATE {self.table(Measured)} SET ready = false, installation = {FRESH} "
            f"WHERE measure = {self.literal(key)} AND ready; "
            f"RAISE WARNING 'livecounters: a row could not be counted: %', SQLERRM; END;"
        )

    def _tell(self, telling: Telling, operation: str) -> str:
        before = OLD if operation == "update" else None
        tell = self._tell_sql(telling, self.happened(telling, NEW, before)) + ";"
        return self._guarded(telling.digest, tell) if may_fail(telling.rows) else tell

    def _tell_sql(self, telling: Telling, happened: str) -> str:
        kind = self.literal(telling.kind)
        seq = "CASE WHEN h.untold THEN 0 END"
        return (
            f"WITH happened AS ({happened}), told AS ("
            f"INSERT INTO {self.sources} (kind, source) SELECT {kind}, source FROM happened "
            f"ON CONFLICT DO NOTHING RETURNING source) "
            f"INSERT INTO {self.events} ({EVENT_COLUMNS}) "
            # Not a join: a session keeps the plan of its first call, and a nested loop made for
            # one row takes minutes for many. A subquery that is no join is always hashed.
            f"SELECT {self.event_columns(telling, seq)} FROM happened h "
            f"WHERE (h.source IN (SELECT source FROM told)) IS TRUE ORDER BY h.at"
        )

    def tell_all_sql(self, telling: Telling, rows: QuerySet[Any, Any]) -> list[str]:
        return [self._tell_sql(telling, self.happened(telling, None, rows=rows))]

    def remove_sql(self, table: str, name: str) -> list[str]:
        operation = name.rpartition("_")[2]
        return [
            f"DROP TRIGGER IF EXISTS {self.quote(name)} ON {self.quote(table)}",
            f"DROP FUNCTION IF EXISTS {self._function(name.rpartition('_')[0], operation)}()",
        ]

    def installed_sql(self) -> str:
        return (
            "SELECT c.relname, t.tgname, COALESCE(obj_description(t.oid, 'pg_trigger'), '') "
            "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE t.tgname LIKE 'livecounters\\_%' AND NOT t.tgisinternal "
            "AND c.relnamespace = current_schema()::regnamespace"
        )

    def prepare_removal_sql(self, table: str) -> list[str]:
        return [PATIENCE, f"LOCK TABLE {self.quote(table)} IN ACCESS EXCLUSIVE MODE"]

    def prepare_sql(self, watch: Watch) -> list[str]:
        return [
            PATIENCE,
            # What the functions' SET search_path FROM CURRENT will pin.
            "SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)",
            f"LOCK TABLE {self.quote(watch.table)} IN SHARE ROW EXCLUSIVE MODE",
            *super().prepare_sql(watch),
        ]

    def rehearsal_sql(self, watch: Watch) -> list[str]:
        table = self.quote(watch.table)
        changed = [f"EXPLAIN {self._changed(watch, table, table)}"] if watch.columns else []
        return [*super().rehearsal_sql(watch), *changed]

    def in_use(self, error: Exception) -> bool:
        return getattr(error.__cause__, "sqlstate", "") == LOCK_NOT_AVAILABLE

    def text(self, sql: str, field: Field) -> str:
        if isinstance(field, models.UUIDField):
            return f"replace({sql}::text, '-', '')"
        if isinstance(field, models.BooleanField):
            return f"{sql}::int::text"
        if isinstance(field, models.CharField):
            # As it is, whatever the column's collation takes for the same. A table that somebody
            # else made may hold longer ones.
            return f'left({sql}::text, {TEXT_LENGTH}) COLLATE "C"'
        return f"{sql}::text"

    def stamp(self, sql: str) -> str:
        # Minutes matter for a while only; what is long past is kept by the quarter hour, so
        # that a bulk insert of old rows stays a handful of deltas.
        # Hours, because days must be looked up in the time zone, row by row.
        fine, coarse = (
            f"floor(date_part('epoch', {sql}) / {step})::bigint * {step}"
            for step in (MINUTE, QUARTER)
        )
        days = self.fine_days
        recent = f"{sql} > statement_timestamp() - interval '{days * 24} hours'" if days else "true"
        # Moments that a calendar does not know ('infinity') are none.
        known = f"{sql} > '0001-01-02' AND {sql} < '9999-12-30'"
        return f"CASE WHEN NOT ({known}) THEN NULL WHEN {recent} THEN {fine} ELSE {coarse} END"

    def scaled(self, sql: str, places: int) -> str:
        # Not bigint: a number too large for it must not fail the host's write.
        return f"round(({sql})::numeric * 1{'0' * places})" if places else f"({sql})::numeric"

    def sampled(self, text: str, field: Field, sample: int) -> str:
        # To SQL_ASCII is no conversion: the bytes as they are, which cannot fail.
        threshold = f"decode('{self.hashes // sample:08x}', 'hex')"
        return f"sha256(convert_to({text}, 'SQL_ASCII')) < {threshold}"

    def integer(self, text: str) -> str:
        return f"({text})::numeric"

    def unscaled(self, sql: str, places: int, inexact: bool = False) -> str:
        kind = "float8" if inexact else "numeric"
        return f"(({sql})::{kind} / 1{'0' * places})" if places else f"({sql})::{kind}"

    def exact(self, sql: str) -> str:
        # Of the type of our columns, or a condition does not reach them.
        return f'({sql})::varchar COLLATE "C"'

    def padded(self, sql: str) -> str:
        return f"lpad(({sql})::text, {len(str(self.bound))}, '0')"

    def moment(self) -> str:
        return "statement_timestamp()"

    def muted(self) -> str:
        return "(COALESCE(current_setting('livecounters.muted', true), '') = 'on')"

    def no_data(self) -> str:
        return "'{}'::jsonb"

    def mute_sql(self) -> str:
        return "SELECT set_config('livecounters.muted', 'on', true)"

    def unmute_sql(self) -> str:
        return "SELECT set_config('livecounters.muted', '', true)"

    def lock_sql(self, wait: bool) -> str:
        if wait:
            return f"SELECT 1 FROM (SELECT pg_advisory_xact_lock({FOLDING})) l"
        return f"SELECT pg_try_advisory_xact_lock({FOLDING})::int"

    # Many values are given as one, which is much faster than a placeholder for each: drivers look
    # at each in Python, the server parses each.

    write_batch: ClassVar[int] = 5_000

    def _recordset(
        self, model: type[models.Model], columns: list[str], rows: Sequence[Sequence[Any]]
    ) -> Statement:
        """A relation of these columns' values."""
        types = {field.column: field.db_type(self.connection) for field in model._meta.fields}
        typed = ", ".join(f"{self.quote(name)} {types[name]}" for name in columns)
        values = json.dumps([dict(zip(columns, row, strict=True)) for row in rows])
        return f"json_to_recordset(%s) AS v ({typed})", [values]

    def add_sql(self, model: type[models.Model], rows: Sequence[Sequence[Any]]) -> Statement:
        columns = columns_of(model)
        relation, values = self._recordset(model, columns, rows)
        names = self.names(columns)
        return f"{self._into(model)} SELECT {names} FROM {relation} {self._adding(model)}", values

    def latest_sql(self, members: Sequence[Sequence[Any]]) -> Statement:
        # The last row at or before the member's: a comparison that the primary key alone can
        # serve, backwards. Of equalities a plan made without statistics may walk the other
        # index, past everybody who came later.
        key = ["measure", "scope", "grain", "member"]
        theirs, ours, found = (
            ", ".join(f"{table}.{name}" for name in key) for table in ("v", "m", "l")
        )
        order = ", ".join(f"m.{name} DESC" for name in (*key, "start"))
        relation, values = self._recordset(Member, key, members)
        sql = (
            f"SELECT l.* FROM {relation}, LATERAL (SELECT {ours}, m.start "
            f"FROM {self.table(Member)} m WHERE ({ours}) <= ({theirs}) AND m.count > 0 "
            f"ORDER BY {order} LIMIT 1) l WHERE ({found}) = ({theirs})"
        )
        return sql, values

    def without_sql(self, column: str, keys: Iterable[str]) -> str:
        return f"{column} - ARRAY[{', '.join(map(self.literal, sorted(keys)))}]"

    def home_sql(self) -> str:
        return (
            f"SELECT oid::text || ':' || '{self.stream}'::regclass::oid::text "
            "FROM pg_database WHERE datname = current_database()"
        )
