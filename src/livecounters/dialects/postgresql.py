"""PostgreSQL: statement triggers whose transition tables shadow the table.

The functions run with their owner's rights and a pinned ``search_path``, so the host's role
needs no rights on our tables and no other schema can catch a row.
"""

from __future__ import annotations

from django.db import models

from livecounters.dialects.base import EVENT_COLUMNS, Dialect
from livecounters.dialects.watch import Watch
from livecounters.rows import Field
from livecounters.tellings import Telling
from livecounters.windows import MINUTE, QUARTER

__all__ = ["PostgreSQL"]

OLD = "livecounters_old"
NEW = "livecounters_new"

REFERENCING = {
    "insert": f"NEW TABLE AS {NEW}",
    "update": f"OLD TABLE AS {OLD} NEW TABLE AS {NEW}",
    "delete": f"OLD TABLE AS {OLD}",
}


class PostgreSQL(Dialect):
    def install_sql(self, watch: Watch) -> list[str]:
        statements = []
        for operation in watch.operations:
            function = self._function(watch.name, operation)
            trigger = f"{self.quote(f'{watch.name}_{operation}')} ON {self.quote(watch.table)}"
            statements += [
                self._function_sql(watch, operation, function),
                (
                    f"CREATE TRIGGER {self.quote(f'{watch.name}_{operation}')} "
                    f"AFTER {operation.upper()} ON {self.quote(watch.table)} "
                    f"REFERENCING {REFERENCING[operation]} "
                    f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
                ),
                f"COMMENT ON TRIGGER {trigger} IS {self.literal(self.digest(watch))}",
            ]
        return statements

    def _function(self, name: str, operation: str) -> str:
        return self.quote(f"{name}_{operation}")

    def _function_sql(self, watch: Watch, operation: str, function: str) -> str:
        body = "\n".join(
            [*self._skip(watch, operation), *self._count(watch, operation)]
            + [
                self._tell(telling, operation)
                for telling in watch.tellings
                if operation != "delete"
            ]
        )
        quote = "$livecounters$"
        while quote in body:
            quote = f"{quote[:-1]}_$"
        return (
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql "
            f"SECURITY DEFINER SET search_path FROM CURRENT {self._plans(watch, operation)}AS {quote}\n"
            f"BEGIN\n{body}\nRETURN NULL;\nEND\n{quote}"
        )

    def _plans(self, watch: Watch, operation: str) -> str:
        # A session plans a trigger's statements at their first call and keeps the plans for all
        # sizes: nested loops made for one row take minutes for many, and a hash join made for
        # many reads the whole joined table for every single row. So: subqueries are hashed
        # whatever their estimate, and joined tables are entered by their index.
        if operation == "delete":
            return ""
        settings = []
        if watch.tellings:
            settings.append("SET hash_mem_multiplier = 1000")
        if watch.tables - {watch.table}:
            settings += ["SET enable_hashjoin = off", "SET enable_mergejoin = off"]
        return "".join(f"{setting} " for setting in settings)

    def _skip(self, watch: Watch, operation: str) -> list[str]:
        # Most updates touch nothing that is watched; comparing the rows is far cheaper than
        # running every query twice.
        if operation != "update":
            return []
        columns = self.names(watch.columns)
        return [
            (
                f"IF NOT EXISTS (SELECT {columns} FROM {OLD} EXCEPT ALL "
                f"SELECT {columns} FROM {NEW}) THEN RETURN NULL; END IF;"
            )
        ]

    def _count(self, watch: Watch, operation: str) -> list[str]:
        relations = {"insert": [(NEW, "")], "delete": [(OLD, "-")]}.get(
            operation, [(OLD, "-"), (NEW, "")]
        )
        sums = [self.sums(measure, relations) for measure in watch.measures]
        return [self._into_delta(" UNION ALL ".join(sums)) + ";"] if sums else []

    def _tell(self, telling: Telling, operation: str) -> str:
        before = OLD if operation == "update" else None
        return self._tell_sql(telling, self.happened(telling, NEW, before)) + ";"

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

    def tell_all_sql(self, telling: Telling) -> list[str]:
        return [self._tell_sql(telling, self.happened(telling, None))]

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

    def prepare_sql(self, watch: Watch) -> list[str]:
        return [
            "SET LOCAL lock_timeout = '2s'",
            # What the functions' SET search_path FROM CURRENT will pin.
            "SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)",
            f"LOCK TABLE {self.quote(watch.table)} IN SHARE ROW EXCLUSIVE MODE",
        ]

    def text(self, sql: str, field: Field) -> str:
        if isinstance(field, models.UUIDField):
            return f"replace({sql}::text, '-', '')"
        if isinstance(field, models.BooleanField):
            return f"{sql}::int::text"
        return f"{sql}::text"

    def stamp(self, sql: str) -> str:
        # Minutes matter for a while only; what is long past is kept by the quarter hour, so
        # that a bulk insert of old rows stays a handful of deltas.
        # Hours, because days must be looked up in the time zone, row by row.
        fine, coarse = (
            f"floor(date_part('epoch', {sql}) / {step})::bigint * {step}"
            for step in (MINUTE, QUARTER)
        )
        recent = f"{sql} > statement_timestamp() - interval '72 hours'"
        return f"CASE WHEN {recent} THEN {fine} ELSE {coarse} END"

    def scaled(self, sql: str, places: int) -> str:
        return f"round({sql} * 1{'0' * places})::bigint" if places else f"{sql}::bigint"

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

    def skip_locked(self) -> str:
        return " FOR UPDATE SKIP LOCKED"
