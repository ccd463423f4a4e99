"""What stands in the way of triggers, asked of the database before a host's write meets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connections, models, transaction

from livecounters import capture
from livecounters.conf import options
from livecounters.dialects import Dialect, Watch, dialect_of
from livecounters.models import ActivityEvent, Delta, EventSource, Measured
from livecounters.registry import Registry, registry
from livecounters.watches import watches

__all__ = ["Obstacle", "cascades", "obstacles"]


# What Django leaves to the database from 6.1 on.
BY_DATABASE = ("DB_CASCADE", "DB_SET_NULL", "DB_SET_DEFAULT")


@dataclass(frozen=True)
class Obstacle:
    """``check_id`` is the number of the system check that reports it, ``hint`` the cure."""

    check_id: str
    reason: str
    hint: str


def obstacles(using: str, declared: Registry = registry) -> Iterator[Obstacle]:
    """Everything found by looking at one database, in which our tables are."""
    dialect = dialect_of(using)
    with dialect.connection.cursor() as cursor:
        kinds = {
            found.name: found.type
            for found in connections[using].introspection.get_table_list(cursor)
        }
    states = dict(capture.states(using, declared))
    measured = Measured.objects.using(using).exclude(installation="")
    captured = {table for row in measured for table in row.tables}
    for watch in watches(using, declared):
        kind = kinds.get(watch.table)
        if kind == "v":
            yield Obstacle(
                "E014",
                f"{watch.table!r} is a view, on which there can be no triggers.",
                "Declare about the models of the tables that it is made from.",
            )
        elif kind is not None:
            yield from _of_table(dialect, watch)
            # MariaDB shows triggers only to those who may make some.
            seen = states[watch.table] if watch.table not in captured else "installed"
            if seen != "installed" and options().INSTALL_ON_MIGRATE:
                yield from RIGHTS[dialect.connection.vendor](dialect, watch)
    yield from FAILING[dialect.connection.vendor](dialect)
    if any(measure.joined for watch in watches(using, declared) for measure in watch.own):
        yield from _blind(dialect)


def _of_table(dialect: Dialect, watch: Watch) -> Iterator[Obstacle]:
    try:
        with _apart(dialect), dialect.connection.cursor() as cursor:
            for statement in dialect.rehearsal_sql(watch):
                cursor.execute(statement)
    except DatabaseError as error:
        yield Obstacle(
            "W007",
            f"The database cannot run what is declared about {watch.table!r}: {_said(error)}",
            "Migrate, if the column is still to come; else see that the model says what the "
            "table is, and compare only what the database can compare.",
        )
    yield from UNSEEN[dialect.connection.vendor](dialect, watch)


def _apart(dialect: Dialect) -> AbstractContextManager[object]:
    """A savepoint, where a statement that fails would end the transaction."""
    if dialect.connection.vendor != "postgresql":
        return nullcontext()
    return transaction.atomic(using=dialect.using)


def _blind(dialect: Dialect) -> Iterator[Obstacle]:
    """Settling waits for the transactions of others."""
    if dialect.sees_all():
        return
    if dialect.connection.vendor == "mysql":
        yield Obstacle(
            "E019",
            "Counters over relations are not settled: the account may not see which transactions "
            "are at work, and what two of them change at once stays wrong.",
            "GRANT PROCESS ON *.* to the account.",
        )
    else:
        yield Obstacle(
            "W008",
            "Counters over relations are settled without regard to other roles: their snapshots "
            "cannot be seen. What they read at REPEATABLE READ before, and write after, is missed.",
            "GRANT pg_read_all_stats to the role, unless every process of the site uses this one.",
        )


# Writes that no trigger sees


def _unseen_by_postgresql(dialect: Dialect, watch: Watch) -> Iterator[Obstacle]:
    for partitioned, partition in _rows(
        dialect,
        "SELECT relkind = 'p', relispartition FROM pg_class WHERE oid = %s::regclass",
        dialect.quote(watch.table),
    ):
        if partition:
            yield Obstacle(
                "W006",
                f"{watch.table!r} is a partition. What is written to it by the name of the whole "
                "table is not seen.",
                "Declare about a model of the whole table.",
            )
        elif partitioned:
            yield Obstacle(
                "W006",
                f"{watch.table!r} is partitioned. Writes to a partition by its own name, and "
                "partitions that are attached, detached or dropped, are not seen.",
                "Write to the table itself; run manage.py livecounters rebuild after the rest.",
            )


def _unseen_by_mysql(dialect: Dialect, watch: Watch) -> Iterator[Obstacle]:
    for columns in _rows(
        dialect,
        "SELECT GROUP_CONCAT(k.column_name) FROM information_schema.referential_constraints c "
        "JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name, "
        "table_name) WHERE c.constraint_schema = DATABASE() AND c.table_name = %s "
        "AND c.delete_rule IN ('CASCADE', 'SET NULL') GROUP BY c.constraint_name",
        watch.table,
    ):
        yield _unseen(watch.table, str(columns[0]))


def cascades(model: type[models.Model], using: str) -> Iterator[Obstacle]:
    """The foreign keys by which MySQL and MariaDB change rows without a trigger."""
    if connections[using].vendor != "mysql":
        return
    silent = [getattr(models, name, None) for name in BY_DATABASE]
    for field in model._meta.concrete_fields:
        on_delete = getattr(field.remote_field, "on_delete", None)
        if on_delete is not None and on_delete in silent:
            yield _unseen(model._meta.label, field.name)


def _unseen(where: str, what: str) -> Obstacle:
    return Obstacle(
        "E017",
        f"Rows of {where} are deleted or changed by a cascade of the database, over {what!r}; "
        "MySQL and MariaDB run no triggers then.",
        "Let Django do it: on_delete=models.CASCADE or models.SET_NULL.",
    )


# Rights to install


def _rights_of_postgresql(dialect: Dialect, watch: Watch) -> Iterator[Obstacle]:
    for role, schema, trigger, create in _rows(
        dialect,
        "SELECT current_user, current_schema(), has_table_privilege(%s, 'TRIGGER'), "
        "has_schema_privilege(current_schema(), 'CREATE')",
        dialect.quote(watch.table),
    ):
        if not trigger:
            yield _forbidden(
                f"the role {role!r} may not create triggers on {watch.table!r}",
                f"GRANT TRIGGER ON {dialect.quote(watch.table)} TO {dialect.quote(role)};",
            )
        if not create:
            yield _forbidden(
                f"the role {role!r} may not create functions in the schema {schema!r}",
                f"GRANT CREATE ON SCHEMA {dialect.quote(schema)} TO {dialect.quote(role)};",
            )


def _rights_of_mysql(dialect: Dialect, watch: Watch) -> Iterator[Obstacle]:
    # What a role gives is not listed; who has one is not asked.
    for account, role, logged, super_, trigger in _rows(
        dialect,
        "SELECT CURRENT_USER(), CURRENT_ROLE(), @@log_bin AND NOT @@log_bin_trust_function_creators,"
        f" {_granted('user', 'SUPER')}, {_granted('user', 'TRIGGER')} "
        f"OR {_granted('schema', 'TRIGGER', 'table_schema = DATABASE()')} "
        f"OR {_granted('table', 'TRIGGER', 'table_schema = DATABASE() AND table_name = %s')}",
        watch.table,
    ):
        if role not in (None, "NONE"):
            continue
        if not trigger:
            yield _forbidden(
                f"{account} may not create triggers on {watch.table!r}",
                f"GRANT TRIGGER ON {dialect.quote(watch.table)} TO {account};",
            )
        if logged and not super_:
            yield _forbidden(
                f"the server keeps a binary log, and {account} may create no triggers without "
                "SUPER (error 1419)",
                "Set log_bin_trust_function_creators = 1 on the server, or let an account with "
                "SUPER run manage.py livecounters sync.",
            )


def _granted(where: str, right: str, condition: str = "true") -> str:
    return (
        f"EXISTS (SELECT 1 FROM information_schema.{where}_privileges "
        f"WHERE grantee = {_grantee('CURRENT_USER()')} AND privilege_type = '{right}' "
        f"AND {condition})"
    )


def _grantee(account: str) -> str:
    # information_schema writes 'user'@'host'.
    return f"CONCAT('''', REPLACE({account}, '@', '''@'''), '''')"


def _forbidden(reason: str, cure: str) -> Obstacle:
    return Obstacle("E016", f"No triggers can be installed: {reason}.", cure)


# Triggers that are there and would fail


def _failing_on_postgresql(dialect: Dialect) -> Iterator[Obstacle]:
    ours = [m._meta.db_table for m in (Delta, EventSource, ActivityEvent)]
    writable = (
        "has_table_privilege(r.oid, c.oid, 'INSERT') AND (r.rolsuper OR r.rolbypassrls "
        "OR NOT c.relrowsecurity OR (c.relowner = r.oid AND NOT c.relforcerowsecurity) "
        "OR EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = c.oid AND polcmd IN ('a', '*')))"
    )
    for role, table in _rows(
        dialect,
        "SELECT DISTINCT r.rolname, c.relname FROM pg_trigger t "
        "JOIN pg_class w ON w.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
        "JOIN pg_roles r ON r.oid = p.proowner "
        "JOIN pg_class c ON c.relnamespace = w.relnamespace AND c.relname = ANY(%s) "
        "WHERE t.tgname LIKE 'livecounters\\_%%' AND w.relnamespace = "
        f"current_schema()::regnamespace AND NOT ({writable})",
        ours,
    ):
        yield Obstacle(
            "E018",
            f"Writes to counted tables fail: their triggers run with the rights of {role!r}, "
            f"which may not write to {table!r}.",
            f"GRANT INSERT ON {dialect.quote(table)} TO {dialect.quote(role)}; and let no row "
            "security hold for it.",
        )


def _failing_on_mysql(dialect: Dialect) -> Iterator[Obstacle]:
    accounts = "table_schema = 'mysql'"
    # Not from mysql.user: reading it leaves the transaction without savepoints. Who else has an
    # account is shown to those who may read that.
    gone = _rows(
        dialect,
        "SELECT DISTINCT definer FROM information_schema.triggers "
        "WHERE trigger_schema = DATABASE() AND trigger_name LIKE 'livecounters~_%%' ESCAPE '~' "
        f"AND ({_granted('user', 'SELECT')} "
        f"OR {_granted('schema', 'SELECT', accounts)}) "
        f"AND {_grantee('definer')} NOT IN "
        "(SELECT grantee FROM information_schema.user_privileges)",
    )
    for (definer,) in gone:
        yield Obstacle(
            "E018",
            f"Writes to counted tables fail: their triggers run with the rights of {definer}, "
            "an account that is gone (error 1449).",
            "Run manage.py livecounters sync --remove and then manage.py livecounters sync, as "
            "an account that stays.",
        )


def _nothing(*given: object) -> Iterator[Obstacle]:
    """SQLite: whoever may write to the file may do everything."""
    yield from ()


Look = Callable[[Dialect, Watch], Iterator[Obstacle]]

UNSEEN: dict[str, Look] = {
    "mysql": _unseen_by_mysql,
    "postgresql": _unseen_by_postgresql,
    "sqlite": _nothing,
}
RIGHTS: dict[str, Look] = {
    "mysql": _rights_of_mysql,
    "postgresql": _rights_of_postgresql,
    "sqlite": _nothing,
}
FAILING: dict[str, Callable[[Dialect], Iterator[Obstacle]]] = {
    "mysql": _failing_on_mysql,
    "postgresql": _failing_on_postgresql,
    "sqlite": _nothing,
}


def _rows(dialect: Dialect, sql: str, *params: Any) -> list[Any]:
    with dialect.connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _said(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
