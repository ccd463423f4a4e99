"""What every dialect must say, and what all say alike."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from django.db import models

from livecounters.dialects.queries import Queries
from livecounters.dialects.watch import Watch
from livecounters.measures import Measure
from livecounters.models import Delta, Mark, Member
from livecounters.rows import source_columns

__all__ = ["Dialect", "Holder", "Statement", "columns_of"]

Statement = tuple[str, list[Any]]
"""SQL with placeholders, and their values."""


class Holder(NamedTuple):
    """A transaction that is at work: whose it is, and for how long."""

    who: str
    seconds: int


def columns_of(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields if field.column]


class Dialect(Queries):
    """SQL text for one database."""

    version: ClassVar[int] = 1
    """Part of every trigger's digest: a new number replaces installed triggers."""

    numbers_events: ClassVar[bool] = False
    """Whether the triggers number events themselves, because there is only one writer."""

    single_writer: ClassVar[bool] = False
    """Whether every write of ours can cost the host a wait, so that folding is done seldom."""

    lateral: ClassVar[bool] = True
    """Whether a table that is made in FROM may look at the query around."""

    # Installing

    def digest(self, watch: Watch) -> str:
        """What the installed triggers are compared by: the declarations, not their SQL."""
        parts = [self.version, self.fine_days, watch.table, watch.columns]
        parts += sorted(measure.key for measure in watch.measures)
        parts += sorted(telling.digest for telling in watch.tellings)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

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
        return self.on_conflict(
            keys, {name: f"{table}.{name} + {self.given(name)}" for name in sums}
        )

    def on_conflict(self, keys: Sequence[str], changes: Mapping[str, str]) -> str:
        """What makes an INSERT change the row that is there: column -> expression. An expression
        must not name a column that comes before."""
        changed = ", ".join(f"{name} = {sql}" for name, sql in changes.items())
        return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changed}"

    def given(self, name: str) -> str:
        """What such an INSERT gives for a column."""
        return f"excluded.{name}"

    def delete_sql(self, ids: Sequence[int], model: type[models.Model] = Delta) -> str:
        """Delete these rows, and touch no other, which somebody may be writing."""
        return f"DELETE FROM {self.table(model)} WHERE id IN ({', '.join(map(str, ids))})"

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

    def look_sql(self, ids: Sequence[int]) -> str:
        """Note who was at work when these marks were seen, and touch no other."""
        return f"UPDATE {self.table(Mark)} SET seen = %s WHERE id IN ({', '.join(map(str, ids))})"

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
