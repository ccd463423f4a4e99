"""MariaDB and MySQL: row triggers that say each query of OLD and NEW themselves.

A trigger there locks what it reads, at every isolation level, unless it reads by SELECT ... INTO;
and INSERT ... SELECT makes inserts wait for each other. So: IF, then INSERT ... VALUES. Triggers
keep the SQL mode they were created in. Ours is not strict: what does not fit is cut, where the
host's own mode would fail the host's write.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import OperationalError, models, transaction
from django.db.models import QuerySet

from livecounters.dialects.base import Dialect, Holder, Statement
from livecounters.dialects.queries import DELTA_COLUMNS, EVENT_COLUMNS
from livecounters.dialects.watch import Watch
from livecounters.keys import Field, target_of
from livecounters.measures import Measure
from livecounters.models import Delta, Mark, Member, Stream
from livecounters.models.numbers import exact_collation
from livecounters.rows import PREFIX, rows, source_columns, used_tables
from livecounters.tellings import Telling
from livecounters.windows import MINUTE

__all__ = ["MySQL"]

# TO_SECONDS() of 1970; it counts from year 0, so division floors for dates before 1970 too.
YEAR_ZERO = 62167219200

# Seconds that installing waits for those who use a table, and others for it.
PATIENCE = 2

# Unsigned columns may differ by less than nothing.
MODE = "NO_UNSIGNED_SUBTRACTION"

# "Lock wait timeout exceeded", of a table or of a row.
IN_USE = 1205
ACCESS_DENIED = 1227

# Equal as the column says is equal: 'a' and 'A' are not, for these they are.
COMPARED_AS_THEY_ARE = (
    models.BooleanField,
    models.DateField,
    models.DecimalField,
    models.DurationField,
    models.FloatField,
    models.IntegerField,
    models.TimeField,
)

# Variables are not called like the columns of a query, which they would stand in for.
TOLD = f"{PREFIX}told_"
DELTA = f"{PREFIX}delta_"

# What a trigger knows of an event before it writes it.
VARIABLES = {
    "source": "VARCHAR(255) CHARACTER SET utf8mb4",
    "actor": "VARCHAR(255) CHARACTER SET utf8mb4",
    "target": "VARCHAR(255) CHARACTER SET utf8mb4",
    "label": "LONGTEXT CHARACTER SET utf8mb4",
    "data": "LONGTEXT CHARACTER SET utf8mb4",
    "at": "DATETIME(6)",
    "untold": "BOOLEAN",
}

# Seconds for which the server shows transactions as they were.
STALE = 0.12

# What a row contributes to a measure over several tables.
DELTAS = {
    "measure": "VARCHAR(32) CHARACTER SET utf8mb4",
    "scope": "VARCHAR(255) CHARACTER SET utf8mb4",
    "member": "VARCHAR(255) CHARACTER SET utf8mb4",
    "stamp": "BIGINT",
    "count": "BIGINT",
    "total": "DECIMAL(60, 0)",
}

# A query that finds no row says so by a warning, and a number that is out of all bounds by an
# error; the host has to do with neither.
HANDLERS = (
    "DECLARE CONTINUE HANDLER FOR NOT FOUND BEGIN END",
    "DECLARE CONTINUE HANDLER FOR 1690 BEGIN END",
)


class MySQL(Dialect):
    lateral: ClassVar[bool] = False

    @property
    def _mariadb(self) -> bool:
        return bool(getattr(self.connection, "mysql_is_mariadb", False))

    def literal(self, value: Any) -> str:
        if isinstance(value, (bool, int, float, Decimal)):
            return str(int(value) if isinstance(value, bool) else value)
        if isinstance(value, UUID):
            value = str(value)
        if not isinstance(value, str):
            return super().literal(value)
        # What a backslash means depends on the session, and a trigger outlives it.
        if value.isascii() and value.isprintable() and not {"'", "\\"} & set(value):
            return f"'{value}'"
        return f"_utf8mb4 X'{value.encode().hex()}'"

    # Triggers

    def install_sql(self, watch: Watch) -> list[str]:
        statements = []
        for operation in watch.operations:
            name = self.quote(f"{watch.name}_{operation}")
            trigger = (
                f"TRIGGER {name} AFTER {operation.upper()} ON {self.quote(watch.table)} "
                f"FOR EACH ROW\n{self._body(watch, operation)}"
            )
            if self._mariadb:
                # Whoever writes meets the old trigger or the new one.
                session = f"lock_wait_timeout = {PATIENCE}, sql_mode = '{MODE}'"
                statements.append(f"SET STATEMENT {session} FOR CREATE OR REPLACE {trigger}")
            else:
                statements += [f"DROP TRIGGER IF EXISTS {name}", f"CREATE {trigger}"]
        return statements

    def prepare_sql(self, watch: Watch) -> list[str]:
        if self._mariadb:
            return super().prepare_sql(watch)
        return [
            *super().prepare_sql(watch),
            f"SET SESSION lock_wait_timeout = {PATIENCE}",
            f"SET SESSION sql_mode = '{MODE}'",
        ]

    def in_use(self, error: Exception) -> bool:
        return isinstance(error, OperationalError) and error.args[:1] == (IN_USE,)

    def remove_sql(self, table: str, name: str) -> list[str]:
        patience = f"SET STATEMENT lock_wait_timeout = {PATIENCE} FOR " if self._mariadb else ""
        return [f"{patience}DROP TRIGGER IF EXISTS {self.quote(name)}"]

    def installed_sql(self) -> str:
        return (
            "SELECT event_object_table, trigger_name, "
            "SUBSTRING(action_statement, LOCATE('digest_', action_statement) + 7, 16) "
            "FROM information_schema.triggers WHERE trigger_schema = DATABASE() "
            "AND trigger_name LIKE 'livecounters~_%' ESCAPE '~'"
        )

    def _body(self, watch: Watch, operation: str) -> str:
        tellings = watch.tellings if operation != "delete" else ()
        statements = [*self._count(watch, operation), *self._mark(watch, operation)]
        for telling in tellings:
            statements += self._tell(watch, telling, operation)
        if operation == "update":
            statements = [_if(self._changed(watch.model, watch.columns), statements)]
        if tellings:
            names = [f"DECLARE {TOLD}{name} {kind}" for name, kind in VARIABLES.items()]
            statements = [*names, *HANDLERS, *statements]
        elif statements:
            statements = [*HANDLERS[1:], *statements]
        lines = "".join(f"{statement};\n" for statement in statements)
        # A label, since the client that restores a dump takes comments out.
        return f"digest_{self.digest(watch)}: BEGIN\n{lines}END"

    def _changed(self, model: type[models.Model], columns: Iterable[str]) -> str:
        wanted = set(columns)
        fields = [field for field in model._meta.concrete_fields if field.column in wanted]
        return f"NOT ({' AND '.join(map(self._same, fields)) or 'TRUE'})"

    def _same(self, field: Field) -> str:
        old, new = (f"{row}.{self.quote(str(field.column))}" for row in ("OLD", "NEW"))
        if isinstance(target_of(field), COMPARED_AS_THEY_ARE):
            return f"{old} <=> {new}"
        return f"CAST({old} AS BINARY) <=> CAST({new} AS BINARY)"

    def _said_of(self, row: str, queryset: QuerySet[Any, Any]) -> tuple[str, dict[str, str]]:
        """The condition and the columns of a query over one table, for OLD or NEW."""
        query = queryset.query.clone()
        query.table_map = {table: list(names) for table, names in query.table_map.items()}
        query.change_aliases({query.get_initial_alias(): row})
        compiler = query.get_compiler(connection=self.connection)

        def said(node: Any) -> str:
            try:
                sql, params = compiler.compile(node)
            except FullResultSet:
                return "TRUE"
            except EmptyResultSet:
                return "FALSE"
            return f"({sql % tuple(map(self.literal, params))})"

        columns = {name: said(expression) for name, expression in query.annotations.items()}
        return said(query.where), columns

    # Counting

    def _count(self, watch: Watch, operation: str) -> list[str]:
        rows = {"insert": [("NEW", "")], "delete": [("OLD", "-")]}.get(
            operation, [("OLD", "-"), ("NEW", "")]
        )
        # Most counters of a model share their filter: one statement writes for all of them.
        found: dict[str, list[str]] = {}
        joined = [measure for measure in watch.measures if len(measure.models) > 1]
        for measure in watch.measures:
            if measure in joined:
                continue
            columns = source_columns(measure.rows)
            only_if = []
            if operation == "update" and columns != watch.columns:
                only_if = [self._changed(watch.model, columns)]
            for row, sign in rows:
                conditions, values = self._values(measure, row, sign)
                found.setdefault(" AND ".join([*only_if, *conditions]), []).append(values)
        into = f"INSERT INTO {self.table(Delta)} ({DELTA_COLUMNS}) VALUES "
        counted = [_if(when, [into + ", ".join(values)]) for when, values in found.items()]
        return counted + (self._count_joined(watch, joined, operation, rows) if joined else [])

    def _count_joined(
        self,
        watch: Watch,
        measures: Sequence[Measure],
        operation: str,
        rows: Sequence[tuple[str, str]],
    ) -> list[str]:
        changed = [(self._shadow(watch, row), sign) for row, sign in rows]
        selects = []
        for measure in measures:
            named = source_columns(measure.rows, watch.model)
            only_if = ""
            if operation == "update" and named != watch.columns:
                only_if = self._changed(watch.model, named)
            selects += self.row_sums(watch, measure, changed, only_if)
        names = [DELTA + name for name in DELTAS]
        declared = [f"DECLARE {DELTA}{name} {kind}" for name, kind in DELTAS.items()]
        return [
            _block(
                [
                    f"DECLARE {PREFIX}done BOOLEAN DEFAULT FALSE",
                    *declared,
                    f"DECLARE {PREFIX}cursor CURSOR FOR {' UNION ALL '.join(selects)}",
                    f"DECLARE CONTINUE HANDLER FOR NOT FOUND SET {PREFIX}done = TRUE",
                    f"OPEN {PREFIX}cursor",
                    f"FETCH {PREFIX}cursor INTO {', '.join(names)}",
                    (
                        f"WHILE NOT {PREFIX}done DO\n"
                        f"INSERT INTO {self.table(Delta)} ({DELTA_COLUMNS}) "
                        f"VALUES ({', '.join(names)});\n"
                        f"FETCH {PREFIX}cursor INTO {', '.join(names)};\n"
                        "END WHILE"
                    ),
                    f"CLOSE {PREFIX}cursor",
                ]
            )
        ]

    def _values(self, measure: Measure, row: str, sign: str) -> tuple[list[str], str]:
        where, said = self._said_of(row, measure.rows)
        columns = {name.removeprefix(PREFIX): sql for name, sql in said.items()}
        at = self.stamp(columns["at"]) if measure.at_field is not None else "NULL"
        keys = [name for name in columns if name == "member" or name in measure.scope_fields]
        texts = {name: self._text(name, measure, columns[name]) for name in keys}
        scope, member = self._keys(measure, texts)
        total = "0"
        if measure.value is not None:
            total = sign + self.scaled(columns["value"], measure.places)
        values = f"({self.literal(measure.key)}, {scope}, {member}, {at}, {sign}1, {total})"
        return [where, *self.needed(measure, columns)], values

    def _mark(self, watch: Watch, operation: str) -> list[str]:
        columns = self._marking(watch)
        if not columns:
            return []
        rows = {"insert": ["NEW"], "delete": ["OLD"]}.get(operation, ["OLD", "NEW"])
        marks = ", ".join(
            f"({self.literal(watch.model._meta.db_table)}, JSON_OBJECT("
            + ", ".join(f"{self.literal(c)}, {row}.{self.quote(c)}" for c in columns)
            + "))"
            for row in rows
        )
        return [f"INSERT INTO {self.table(Mark)} (`table`, `row`) VALUES {marks}"]

    def marked(self, model: type[models.Model], columns: Sequence[str]) -> str:
        table = model._meta.db_table
        fields = {str(field.column): field for field in model._meta.local_concrete_fields}
        typed = ", ".join(
            f"{self.quote(name)} {self._json_type(fields[name])} "
            f"PATH {self.literal('$.' + json.dumps(name))}"
            for name in columns
        )
        names = ", ".join(f"r.{self.quote(name)}" for name in columns)
        return (
            f"SELECT {names} FROM {self.table(Mark)} k, "
            f"JSON_TABLE(k.row, '$' COLUMNS ({typed})) r WHERE k.`table` = {self.literal(table)}"
        )

    def _json_type(self, field: Field) -> str:
        # JSON_TABLE knows no UUIDs; as text they are compared all the same.
        stored = target_of(field)
        return (
            "varchar(36)"
            if isinstance(stored, models.UUIDField)
            else str(stored.rel_db_type(self.connection))
        )

    def look_sql(self, ids: Sequence[int]) -> str:
        keys = ", ".join(map(str, ids))
        return f"UPDATE {self.table(Mark)} FORCE INDEX (PRIMARY) SET seen = %s WHERE id IN ({keys})"

    def running(self) -> str | None:
        return ",".join(sorted(self._transactions())) if self.sees_all() else None

    def over(self, seen: str) -> bool:
        if not seen:
            return True
        return self.sees_all() and not set(seen.split(",")) & set(self._transactions())

    def holders(self, seen: str) -> list[Holder]:
        found = self._transactions() if self.sees_all() else {}
        return [
            Holder(f"connection {name.partition('@')[0]}", found[name])
            for name in seen.split(",")
            if name in found
        ]

    def sees_all(self) -> bool:
        try:
            self.ask("SELECT COUNT(*) FROM information_schema.innodb_trx")
        except OperationalError as error:
            if error.args[0] != ACCESS_DENIED:
                raise
            return False
        return True

    def _transactions(self) -> dict[str, int]:
        """The transactions of others that are at work, and for how many seconds."""
        # The server shows them as they were up to a while ago: until it has been left alone for
        # a tenth of a second. So we look for this very query in what it shows.
        sql = (
            "SELECT CONCAT(trx_mysql_thread_id, '@', trx_started), "
            "TIMESTAMPDIFF(SECOND, trx_started, NOW()), "
            "trx_mysql_thread_id = CONNECTION_ID(), COALESCE(trx_query LIKE %s, FALSE) "
            "FROM information_schema.innodb_trx"
        )
        with transaction.atomic(using=self.using), self.connection.cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM {self.table(Mark)} LIMIT 1")
            while True:
                cursor.execute(sql, [f"%{secrets.token_hex(8)}%"])
                found = cursor.fetchall()
                if any(ours and fresh for _, _, ours, fresh in found):
                    return {name: seconds for name, seconds, ours, _ in found if not ours}
                time.sleep(STALE)

    # Telling

    def _tell(self, watch: Watch, telling: Telling, operation: str) -> list[str]:
        new, old = (self._shadow(watch, row) for row in ("NEW", "OLD"))
        before = old if operation == "update" else None
        only_if = "TRUE"
        if before is not None:
            only_if = self._changed(watch.model, source_columns(telling.rows))
        filtered = rows(telling.model, telling.entry.where, {"source": "pk"}, joins=True)
        if used_tables(filtered) == {watch.table}:
            # Most rows are known not to be told before any query is asked.
            only_if, before = self._happens(filtered, operation), None
        names = ", ".join(TOLD + name for name in VARIABLES)
        happened = self.happened(telling, new, before)
        tell = [
            f"SET {TOLD}source = NULL",
            f"SELECT {', '.join(f'h.{name}' for name in VARIABLES)} INTO {names} FROM ({happened}) h",
            _if(f"{TOLD}source IS NOT NULL", self._tell_once(telling)),
        ]
        return [_if(only_if, tell)]

    def _happens(self, filtered: QuerySet[Any, Any], operation: str) -> str:
        now, _ = self._said_of("NEW", filtered)
        if operation == "insert":
            return now
        pk = self._same(filtered.model._meta.pk)
        return f"{now} AND ({self._said_of('OLD', filtered)[0]} IS NOT TRUE OR NOT ({pk}))"

    def _tell_once(self, telling: Telling) -> list[str]:
        kind, actor_model, target_model = map(
            self.literal, (telling.kind, telling.actor_model, telling.target_model)
        )
        v = {name: TOLD + name for name in VARIABLES}
        values = (
            f"{kind}, {actor_model}, {v['actor']}, {target_model}, {v['target']}, {v['label']}, "
            f"{v['data']}, {v['at']}, IF({v['untold']}, 0, NULL)"
        )
        # ROW_COUNT() says nothing of use in a trigger. After it, LAST_INSERT_ID() is the host's.
        return [
            "DO LAST_INSERT_ID(0)",
            (
                f"INSERT INTO {self.sources} (kind, source) VALUES ({kind}, {v['source']}) "
                f"ON DUPLICATE KEY UPDATE source = IF(LAST_INSERT_ID(1), {self.sources}.source, "
                f"{self.sources}.source)"
            ),
            _if(
                "LAST_INSERT_ID() = 0",
                [f"INSERT INTO {self.events} ({EVENT_COLUMNS}) VALUES ({values})"],
            ),
        ]

    def _shadow(self, watch: Watch, row: str) -> str:
        names = map(self.quote, watch.columns)
        return f"(SELECT {', '.join(f'{row}.{name} AS {name}' for name in names) or '1'})"

    def claim_sql(self) -> str:
        # IGNORE would share the lock, and two that shared it could both want it for themselves.
        return (
            f"INSERT INTO {self.sources} (kind, source) VALUES (%s, %s) "
            f"ON DUPLICATE KEY UPDATE source = {self.sources}.source"
        )

    def tell_all_sql(self, telling: Telling, rows: QuerySet[Any, Any]) -> list[str]:
        kind = self.literal(telling.kind)
        happened = self.happened(telling, None, rows=rows)
        return [
            (
                f"INSERT INTO {self.events} ({EVENT_COLUMNS}) "
                f"SELECT {self.event_columns(telling, 'CASE WHEN h.untold THEN 0 END')} "
                f"FROM ({happened}) h WHERE NOT EXISTS (SELECT 1 FROM {self.sources} s "
                f"WHERE s.kind = {kind} AND s.source = h.source)"
            ),
            (
                f"INSERT INTO {self.sources} (kind, source) SELECT {kind}, h.source "
                f"FROM ({happened}) h ON DUPLICATE KEY UPDATE source = {self.sources}.source"
            ),
        ]

    # Expressions

    no_stamp: ClassVar[str] = "CAST(NULL AS SIGNED)"

    def _exact(self, sql: str) -> str:
        return f"CONVERT({sql} USING utf8mb4) COLLATE {exact_collation(self.connection)}"

    def text(self, sql: str, field: Field) -> str:
        if isinstance(field, models.UUIDField):
            # A type of its own on some servers, 32 digits on others.
            sql = f"LOWER(REPLACE(CONVERT({sql} USING utf8mb4), '-', ''))"
        return self._exact(sql)

    def distinct(self, sql: str, field: Field) -> str:
        if not isinstance(field, models.CharField):
            return super().distinct(sql, field)
        # The collation of the column says what is the same; whether that includes blanks at
        # the end is seen by comparing one with nothing.
        folded = f"IF(LEFT({sql}, 0) = ' ', TRIM(TRAILING ' ' FROM {sql}), {sql})"
        return self._exact(f"LEFT(SHA2(WEIGHT_STRING({folded}), 256), 32)")

    def sampled(self, text: str, field: Field, sample: int) -> str:
        # Digits sort before letters in any collation.
        return f"SHA2({text}, 256) < '{self.hashes // sample:08x}'"

    def integer(self, text: str) -> str:
        return f"CAST({text} AS DECIMAL(60, 0))"

    def unscaled(self, sql: str, places: int, inexact: bool = False) -> str:
        if inexact:
            return f"(CAST({sql} AS DOUBLE) / 1{'0' * places})"
        # A quotient would have no more than four places.
        whole = f"CAST({sql} AS DECIMAL(60, 0))"
        return f"({whole} * 0.{'0' * (places - 1)}1)" if places else whole

    def mean(self, total: str, count: str, inexact: bool = False) -> str:
        # A quotient has four places more than what is divided.
        return super().mean(total if inexact else f"CAST({total} AS DECIMAL(60, 15))", count)

    def exact(self, sql: str) -> str:
        return self._exact(sql)

    def padded(self, sql: str) -> str:
        return f"LPAD({sql}, {len(str(self.bound))}, '0')"

    def joined(self, left: str, right: str) -> str:
        return f"CONCAT({left}, {right})"

    def ordered(self, sql: str) -> str:
        return self._exact(super().ordered(sql))

    def label(self, sql: str) -> str:
        return f"CONVERT({sql} USING utf8mb4)"

    def stamp(self, sql: str) -> str:
        return f"TO_SECONDS({sql}) DIV {MINUTE} * {MINUTE} - {YEAR_ZERO}"

    def scaled(self, sql: str, places: int) -> str:
        decimal = f"CAST({sql} AS DECIMAL(60, {places}))"
        return f"CAST({decimal} * 1{'0' * places} AS DECIMAL(60, 0))" if places else decimal

    def moment(self) -> str:
        if self.connection.timezone is not None:
            return "UTC_TIMESTAMP(6)"
        # As the site's clock says, not the server's, if the server knows the zone.
        zone = self.literal(settings.TIME_ZONE)
        return f"COALESCE(CONVERT_TZ(UTC_TIMESTAMP(6), 'UTC', {zone}), NOW(6))"

    def no_data(self) -> str:
        return "'{}'"

    # Muting: a variable of the session, which costs nothing to ask, says whether there can be
    # a row, which goes with its transaction.

    def muted(self) -> str:
        return (
            f"(@{PREFIX}muted IS NOT NULL AND EXISTS "
            f"(SELECT 1 FROM {self.muting} WHERE id = @{PREFIX}muted))"
        )

    def mute_sql(self) -> str:
        return (
            f"INSERT INTO {self.muting} (id) VALUES (@{PREFIX}muted := CONNECTION_ID()) "
            f"ON DUPLICATE KEY UPDATE id = {self.muting}.id"
        )

    def unmute_sql(self) -> str:
        return f"DELETE FROM {self.muting} WHERE id = CONNECTION_ID()"

    # Folding

    # Named locks belong to the whole server.
    _lock: ClassVar[str] = "CONCAT('livecounters:', MD5(DATABASE()))"

    def lock_sql(self, wait: bool) -> str:
        return f"SELECT GET_LOCK({self._lock}, {31_536_000 if wait else 0})"

    def delete_sql(self, ids: Sequence[int], model: type[models.Model] = Delta) -> str:
        # Of a small table all rows would be read, locked, and waited for if a writer has not
        # committed them.
        table = self.table(model)
        if self._mariadb:
            more = ", ".join(f"({n})" for n in ids[1:])
            chosen = f"(SELECT {ids[0]} AS id{f' UNION ALL VALUES {more}' if more else ''})"
        else:
            chosen = f"JSON_TABLE('{list(ids)}', '$[*]' COLUMNS (id BIGINT PATH '$'))"
        return (
            f"DELETE d FROM {chosen} chosen STRAIGHT_JOIN {table} d FORCE INDEX (PRIMARY) "
            "ON d.id = chosen.id"
        )

    def latest_sql(self, members: Sequence[Sequence[Any]]) -> Statement:
        # No list of values: it would have the collation of the session, and no index.
        one = (
            f"(SELECT measure, scope, grain, member, start FROM {self.table(Member)} "
            "WHERE measure = %s AND scope = %s AND grain = %s AND member = %s AND count > 0 "
            "ORDER BY start DESC LIMIT 1)"
        )
        return " UNION ALL ".join([one] * len(members)), [v for key in members for v in key]

    def unlock_sql(self) -> str:
        return f"SELECT RELEASE_LOCK({self._lock})"

    def on_conflict(self, keys: Sequence[str], changes: Mapping[str, str]) -> str:
        changed = ", ".join(f"{name} = {sql}" for name, sql in changes.items())
        return f"ON DUPLICATE KEY UPDATE {changed}"

    def given(self, name: str) -> str:
        return f"VALUES({name})"

    def temporary_sql(self, name: str, select: str) -> list[str]:
        # An index made afterwards would commit.
        made = f"CREATE TEMPORARY TABLE {name} (INDEX (n)) AS {select}"
        level = getattr(self.connection, "isolation_level", None)
        if level == "read committed" or self.connection.in_atomic_block:
            return [made]
        # Stricter levels lock what is read.
        return ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", made]

    def drop_temporary_sql(self, name: str) -> str:
        return f"DROP TEMPORARY TABLE IF EXISTS {name}"

    # Numbering. An UPDATE that looks for its rows waits for whoever is writing some; so they are
    # read plainly and then numbered by their keys.

    def unnumbered_sql(self, where: str, order: str) -> str:
        return f"SELECT id FROM {self.events} WHERE {where} ORDER BY {order}"

    def number_these_sql(self, ids: Sequence[int], where: str) -> str:
        keys = ", ".join(map(str, ids))
        return (
            f"UPDATE {self.events} FORCE INDEX (PRIMARY) SET seq = %s + FIELD(id, {keys}) "
            f"WHERE id IN ({keys}) AND ({where})"
        )

    def number_sql(self, where: str, order: str) -> str:
        return (
            f"UPDATE {self.events} JOIN (SELECT id, ROW_NUMBER() OVER (ORDER BY {order}) AS place "
            f"FROM {self.events} WHERE {where}) n ON {self.events}.id = n.id "
            f"SET {self.events}.seq = %s + n.place"
        )

    # Copies

    def home_sql(self) -> str:
        return (
            "SELECT COALESCE(CONCAT(table_schema, ':', create_time), '') "
            "FROM information_schema.tables WHERE table_schema = DATABASE() "
            f"AND table_name = {self.literal(Stream._meta.db_table)}"
        )


def _block(statements: Sequence[str]) -> str:
    body = "".join(f"{statement};\n" for statement in statements)
    return f"BEGIN\n{body}END"


def _if(condition: str, statements: Sequence[str]) -> str:
    if condition == "TRUE":
        return ";\n".join(statements)
    body = "".join(f"{statement};\n" for statement in statements)
    return f"IF {condition} THEN\n{body}END IF"
