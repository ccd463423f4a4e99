"""SQLite: row triggers in which OLD and NEW, as derived tables, shadow the table.

UPDATE is seen AFTER only (a BEFORE trigger counts an UPDATE OR IGNORE that never happens),
DELETE is seen BEFORE (AFTER drifted under cascades). A trigger's own conflict clauses are
overruled by the host's statement unless they are upserts, hence ``ON CONFLICT DO NOTHING``.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any, ClassVar

from django.apps import apps
from django.db import models
from django.db.models import QuerySet

from livecounters.dialects.base import Dialect
from livecounters.dialects.queries import EVENT_COLUMNS
from livecounters.dialects.watch import Watch
from livecounters.exceptions import Unmeasurable
from livecounters.keys import Field, length
from livecounters.rows import source_columns, used_tables
from livecounters.tellings import Telling
from livecounters.windows import MINUTE

__all__ = ["SQLite"]

TIMING = {"insert": "AFTER", "update": "AFTER", "delete": "BEFORE"}

# Seconds from year 1 to 1970: with it added, integer division floors for dates before 1970 too.
YEAR_ONE = 62135596800

# Of the hash of a text: a prime, and a primitive root of it (Park and Miller's).
PRIME = 2**31 - 1
ROOT = 48271


class Number(str):
    """A number that Django writes as text."""


class SQLite(Dialect):
    numbers_events: ClassVar[bool] = True
    single_writer: ClassVar[bool] = True

    def rows(self, queryset: QuerySet[Any, Any], relations: Mapping[str, str] | None = None) -> str:
        # Django writes decimals as text, which a column makes numbers again when it is compared
        # with them; OLD and NEW do not, and '4' is more than any number.
        ops: Any = self.connection.ops
        adapt = ops.adapt_decimalfield_value
        ops.adapt_decimalfield_value = lambda value, *given: (
            None if value is None else Number(adapt(value, *given))
        )
        try:
            return super().rows(queryset, relations)
        finally:
            del ops.adapt_decimalfield_value

    def literal(self, value: Any) -> str:
        return str(value) if isinstance(value, Number) else super().literal(value)

    def try_out(self, queryset: QuerySet[Any, Any]) -> None:
        # Django adds functions of its own to its connections; other programs that write to the
        # file have none of them, and a trigger must work for all. A bare SQLite is the judge.
        sql = self.rows(queryset)
        with closing(sqlite3.connect(":memory:")) as bare:
            for table, columns in self._tables_of(queryset).items():
                bare.execute(f"CREATE TABLE {self.quote(table)} ({self.names(columns)})")
            try:
                bare.execute(f"EXPLAIN {sql}")
            except sqlite3.Error as error:
                raise Unmeasurable(
                    "E005",
                    f"SQLite cannot evaluate it in a trigger: {error}.",
                    "Use plain comparisons of fields; lookups such as __date, __year, __hour, "
                    "__regex and functions of Django's own are not known to SQLite itself.",
                ) from error

    def _tables_of(self, queryset: QuerySet[Any, Any]) -> dict[str, list[str]]:
        used = used_tables(queryset)
        return {
            model._meta.db_table: [str(field.column) for field in model._meta.local_concrete_fields]
            for model in apps.get_models(include_auto_created=True)
            if model._meta.db_table in used and not model._meta.proxy
        }

    def install_sql(self, watch: Watch) -> list[str]:
        statements = []
        for operation in watch.operations:
            statements += self.remove_sql(watch.table, f"{watch.name}_{operation}")
            statements.append(self._trigger_sql(watch, operation))
        return statements

    def in_use(self, error: Exception) -> bool:
        return "locked" in str(error)

    def _trigger_sql(self, watch: Watch, operation: str) -> str:
        body = [*self._count(watch, operation)]
        if operation != "delete":
            for telling in watch.tellings:
                body += self._tell(watch, telling, operation)
        when = f" WHEN {self._changed(watch.columns)}" if operation == "update" else ""
        statements = "".join(f"{statement};\n" for statement in body) or "SELECT 1;\n"
        return (
            f"CREATE TRIGGER {self.quote(f'{watch.name}_{operation}')} "
            f"{TIMING[operation]} {operation.upper()} ON {self.quote(watch.table)} "
            f"FOR EACH ROW{when}\nBEGIN -- digest:{self.digest(watch)}\n{statements}END"
        )

    def _shadow(self, watch: Watch, row: str) -> str:
        columns = ", ".join(
            f"{row}.{self.quote(name)} AS {self.quote(name)}" for name in watch.columns
        )
        return f"(SELECT {columns or '1'})"

    def _changed(self, columns: list[str]) -> str:
        return " OR ".join(f"OLD.{q} IS NOT NEW.{q}" for q in map(self.quote, columns)) or "0"

    def _count(self, watch: Watch, operation: str) -> list[str]:
        old, new = (self._shadow(watch, row) for row in ("OLD", "NEW"))
        rows = {"insert": [(new, "")], "delete": [(old, "-")]}.get(
            operation, [(old, "-"), (new, "")]
        )
        selects = []
        for measure in watch.measures:
            # A measure whose own columns did not change is left out.
            named = source_columns(measure.rows, watch.model)
            only_if = self._changed(named) if operation == "update" else ""
            selects += self.row_sums(watch, measure, rows, only_if)
        return [self._into_delta(" UNION ALL ".join(selects))] if selects else []

    def _tell(self, watch: Watch, telling: Telling, operation: str) -> list[str]:
        before = self._shadow(watch, "OLD") if operation == "update" else None
        happened = self.happened(telling, self._shadow(watch, "NEW"), before)
        seq = f"CASE WHEN h.untold THEN 0 ELSE (SELECT seq + 1 FROM {self.stream}) END"
        # changes() is what the statement before has written: nothing if the row was told before.
        return [
            self._bury(telling, happened),
            (
                f"INSERT INTO {self.events} ({EVENT_COLUMNS}) "
                f"SELECT {self.event_columns(telling, seq)} FROM ({happened}) h "
                f"WHERE changes() > 0"
            ),
            (
                f"UPDATE {self.stream} SET seq = seq + 1 WHERE changes() > 0 AND EXISTS "
                f"(SELECT 1 FROM {self.events} WHERE id = last_insert_rowid() AND seq > 0)"
            ),
        ]

    def _bury(self, telling: Telling, happened: str) -> str:
        return (
            f"INSERT INTO {self.sources} (kind, source) "
            f"SELECT {self.literal(telling.kind)}, source FROM ({happened}) h "
            f"WHERE true ON CONFLICT DO NOTHING"
        )

    def tell_all_sql(self, telling: Telling, rows: QuerySet[Any, Any]) -> list[str]:
        happened = self.happened(telling, None, rows=rows)
        return [
            (
                f"INSERT INTO {self.events} ({EVENT_COLUMNS}) "
                f"SELECT {self.event_columns(telling, 'CASE WHEN h.untold THEN 0 END')} "
                f"FROM ({happened}) h WHERE NOT EXISTS (SELECT 1 FROM {self.sources} s "
                f"WHERE s.kind = {self.literal(telling.kind)} AND s.source = h.source)"
            ),
            self._bury(telling, happened),
        ]

    def remove_sql(self, table: str, name: str) -> list[str]:
        return [f"DROP TRIGGER IF EXISTS {self.quote(name)}"]

    def installed_sql(self) -> str:
        return (
            "SELECT tbl_name, name, substr(sql, instr(sql, '-- digest:') + 10, 16) "
            "FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'livecounters~_%' ESCAPE '~'"
        )

    def text(self, sql: str, field: Field) -> str:
        return f"CAST({sql} AS TEXT)"

    def stamp(self, sql: str) -> str:
        # The text is cut to whole seconds: strftime rounds .9995 up, into the next minute.
        seconds = f"CAST(strftime('%s', substr({sql}, 1, 19)) AS INTEGER)"
        return f"({seconds} + {YEAR_ONE}) / {MINUTE} * {MINUTE} - {YEAR_ONE}"

    def scaled(self, sql: str, places: int) -> str:
        factor = f"ROUND({sql} * 1{'0' * places})" if places else sql
        return f"CAST({factor} AS INTEGER)"

    bound: ClassVar[int] = 2**63 - 1

    def finite(self, sql: str, field: Field, places: int) -> list[str]:
        # A column may hold anything. Texts are larger than any number.
        if isinstance(field, models.IntegerField):
            return [f"{sql} >= -{self.bound}", f"{sql} <= {self.bound}"]
        return super().finite(sql, field, places)

    def integer(self, text: str) -> str:
        return f"CAST({text} AS INTEGER)"

    def unscaled(self, sql: str, places: int, inexact: bool = False) -> str:
        # There are no decimals; Django makes some of the floats.
        return f"(({sql}) / 1{'0' * places}.0)" if places or inexact else f"({sql})"

    def padded(self, sql: str) -> str:
        return f"printf('%0{len(str(self.bound))}d', {sql})"

    def distinct(self, sql: str, field: Field) -> str:
        collation = str(getattr(field, "db_collation", None) or "").upper()
        fold = {"NOCASE": "lower", "RTRIM": "rtrim"}.get(collation)
        return f"{fold}({sql})" if fold else super().distinct(sql, field)

    hashes: ClassVar[int] = PRIME

    def sampled(self, text: str, field: Field, sample: int) -> str:
        # There is no hash function. So: the signs as the digits of a number, modulo a prime (Karp
        # and Rabin), and its fifth power, which is another for each number and scattered. No
        # product exceeds 64 bits.
        weights = ",".join(str(pow(ROOT, n + 1, PRIME)) for n in range(length(field)))
        number = (
            f"SELECT COALESCE(SUM(unicode(substr({text}, key + 1, 1)) * value), 0) % {PRIME} AS n "
            f"FROM json_each('[{weights}]') WHERE key < length({text})"
        )
        power = f"n * n % {PRIME} * (n * n % {PRIME}) % {PRIME} * n % {PRIME}"
        return f"(SELECT {power} < {PRIME // sample} FROM ({number}))"

    def storable(self, number: int) -> int | float:
        # Beyond 64 bits SQLite itself goes on in floats.
        return number if -(2**63) <= number < 2**63 else float(number)

    def moment(self) -> str:
        zone = "" if self.connection.timezone is not None else ", 'localtime'"
        return f"strftime('%Y-%m-%d %H:%M:%f', 'now'{zone})"

    def muted(self) -> str:
        return f"EXISTS (SELECT 1 FROM {self.muting})"

    def no_data(self) -> str:
        return "'{}'"

    def mute_sql(self) -> str:
        return f"INSERT INTO {self.muting} DEFAULT VALUES"

    def unmute_sql(self) -> str:
        return f"DELETE FROM {self.muting}"

    def home_sql(self) -> str:
        # Nothing inside the file tells it from its copies.
        try:
            file = os.stat(self.connection.settings_dict["NAME"])
        except OSError:
            return "SELECT ''"
        return f"SELECT '{file.st_dev}:{file.st_ino}'"
