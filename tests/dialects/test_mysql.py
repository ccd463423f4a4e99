"""MariaDB's texts for one small watch, and what only a server can say about them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, connections, models, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

import livecounters as live
from livecounters import capture, installation
from livecounters.dialects import Watch
from livecounters.dialects.mysql import MySQL
from livecounters.measures import Measure, measure_of
from livecounters.models import ActivityEvent, Bucket, Delta, Muting
from livecounters.muting import muted
from livecounters.readers import Counter
from livecounters.registry import Registry
from livecounters.tellings import telling_of
from tests.host.models import Attempt, Quiz, Sale
from tests.servers import MariaDB

pytest.importorskip("MySQLdb", reason="NOT TESTED: mysqlclient is not installed")
backend: Any = pytest.importorskip("django.db.backends.mysql.base")

NAME = "livecounters_52e571b88884"


def wrapped(alias: str, **settings: Any) -> Any:
    given = connections.configure_settings({"default": settings})
    connections[alias] = wrapper = backend.DatabaseWrapper(given["default"], alias)
    return wrapper


@pytest.fixture
def dialect() -> Iterator[MySQL]:
    """MariaDB's, on a connection that is never opened."""
    wrapper = wrapped("text_only", ENGINE="django.db.backends.mysql", NAME="none")
    wrapper.mysql_is_mariadb = True
    yield MySQL("text_only")
    assert wrapper.connection is None
    del connections["text_only"]


def names(model: Any = Attempt, **declared: Any) -> Registry:
    found = Registry()
    if model is Attempt:
        declared = {"filter": Q(completed=True), "at": "completed_at", **declared}
    found.add(model, type("Declared", (live.LiveModel,), declared))
    return found


@pytest.fixture
def measure() -> Measure:
    return measure_of(names(n=live.Sum("score", per="quiz")).counters.get("n"))


def counted(key: str, row: str, sign: str, when: str = "") -> str:
    return (
        f"IF {when}({row}.`completed`) AND ({row}.`quiz_id`) IS NOT NULL "
        f"AND ({row}.`score`) IS NOT NULL THEN\n"
        "INSERT INTO `livecounters_delta` (measure, scope, member, at, count, total) VALUES "
        f"('{key}', CONVERT(({row}.`quiz_id`) USING utf8mb4) COLLATE utf8mb4_nopad_bin, '', "
        f"TO_SECONDS(({row}.`completed_at`)) DIV 60 * 60 - 62167219200, {sign}1, "
        f"{sign}CAST(({row}.`score`) AS DECIMAL(60, 0)));\nEND IF;\n"
    )


def test_the_triggers_of_a_watch(dialect: MySQL, measure: Measure) -> None:
    watch = Watch(Attempt, (measure,))
    changed = " AND ".join(
        f"OLD.`{name}` <=> NEW.`{name}`"
        for name in ("quiz_id", "completed", "completed_at", "score")
    )
    bodies = {
        "insert": counted(measure.key, "NEW", ""),
        "update": f"IF NOT ({changed}) THEN\n"
        + counted(measure.key, "OLD", "-")
        + counted(measure.key, "NEW", "")
        + "END IF;\n",
        "delete": counted(measure.key, "OLD", "-"),
    }
    installed = [
        sql.replace(".`completed` = 1", ".`completed`") for sql in dialect.install_sql(watch)
    ]

    assert installed == [
        "SET STATEMENT lock_wait_timeout = 2, sql_mode = 'NO_UNSIGNED_SUBTRACTION' "
        f"FOR CREATE OR REPLACE TRIGGER `{NAME}_{operation}` AFTER {operation.upper()} "
        f"ON `host_attempt` FOR EACH ROW\ndigest_{dialect.digest(watch)}: BEGIN\n"
        f"DECLARE CONTINUE HANDLER FOR 1690 BEGIN END;\n{body}END"
        for operation, body in bodies.items()
    ]


def test_counters_that_share_their_filter_share_a_statement(dialect: MySQL) -> None:
    declared = names(n=live.Count(), per=live.Count(per="quiz"), good=live.Count(filter=Q(score=9)))
    measures = tuple(measure_of(entry) for entry in declared.counters)
    insert, update, _ = dialect.install_sql(Watch(Attempt, measures))

    assert insert.count("INSERT INTO") == 3
    # Each only if its own columns changed; the outer question is asked once.
    assert update.count("NOT (") == 1 + 2 * 3


def test_what_is_told_is_guarded_by_its_tombstone(dialect: MySQL) -> None:
    told = telling_of(names(told=live.Activity("x", target="quiz")).activities.get("told"))
    insert, update, delete = dialect.install_sql(Watch(Attempt, (), (told,)))

    guard = (
        "DO LAST_INSERT_ID(0);\nINSERT INTO `livecounters_eventsource` (kind, source) "
        "VALUES ('host.told', livecounters_told_source) ON DUPLICATE KEY UPDATE source = "
    )
    for sql in (insert, update):
        assert guard in sql
        assert "IF LAST_INSERT_ID() = 0 THEN\nINSERT INTO `livecounters_activityevent`" in sql
        assert "INSERT INTO `livecounters_activityevent` (" in sql
        # Whatever INSERT reads by itself would be locked.
        assert ") SELECT" not in sql
    assert "IS NOT TRUE OR NOT (OLD.`id` <=> NEW.`id`)" in update
    assert "IS NOT TRUE" not in insert
    assert delete.endswith(": BEGIN\nEND")


def test_mysql_cannot_replace_a_trigger(dialect: MySQL, measure: Measure) -> None:
    dialect.connection.mysql_is_mariadb = False
    watch = Watch(Attempt, (measure,))

    drop, create, *_ = dialect.install_sql(watch)
    assert drop == f"DROP TRIGGER IF EXISTS `{NAME}_insert`"
    assert create.startswith(f"CREATE TRIGGER `{NAME}_insert` AFTER INSERT")
    assert "COLLATE utf8mb4_0900_bin" in create
    assert dialect.prepare_sql(watch)[-2:] == [
        "SET SESSION lock_wait_timeout = 2",
        "SET SESSION sql_mode = 'NO_UNSIGNED_SUBTRACTION'",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "'plain'"),
        ("100%", "'100%'"),
        ("it's", "_utf8mb4 X'69742773'"),
        ("\\", "_utf8mb4 X'5c'"),
        ("Ä", "_utf8mb4 X'c384'"),
        (True, "1"),
        (-7, "-7"),
        (Decimal("1.50"), "1.50"),
    ],
)
def test_literals_mean_the_same_in_every_session(dialect: MySQL, value: Any, text: str) -> None:
    assert dialect.literal(value) == text


def test_sums_are_added_and_numbers_given_by_key(dialect: MySQL) -> None:
    added, values = dialect.add_sql(Bucket, [("m", "s", 0, 0, 1, 2, 3)])
    assert values == ["m", "s", 0, 0, 1, 2, 3]
    assert added.endswith(
        "ON DUPLICATE KEY UPDATE count = `livecounters_bucket`.count + VALUES(count), "
        "total = `livecounters_bucket`.total + VALUES(total), "
        "members = `livecounters_bucket`.members + VALUES(members)"
    )
    assert dialect.number_these_sql([5, 7], "seq IS NULL") == (
        "UPDATE `livecounters_activityevent` FORCE INDEX (PRIMARY) "
        "SET seq = %s + FIELD(id, 5, 7) "
        "WHERE id IN (5, 7) AND (seq IS NULL)"
    )


def test_a_temporary_table_locks_nothing(dialect: MySQL) -> None:
    dialect.connection.isolation_level = "repeatable read"

    assert dialect.temporary_sql("t", "SELECT 1 AS n") == [
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "CREATE TEMPORARY TABLE t (INDEX (n)) AS SELECT 1 AS n",
    ]


# On a server


@pytest.fixture
def server(mariadb_server: MariaDB, django_db_blocker: Any) -> Iterator[MySQL]:
    """The dialect beside the database of the run, whichever that is."""
    wrapper = wrapped("beside", **mariadb_server.settings)
    with django_db_blocker.unblock():
        yield MySQL("beside")
        wrapper.close()
    del connections["beside"]


def ask(server: MySQL, sql: str) -> Any:
    with server.connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}")
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("moment", "stamp"),
    [
        ("'1970-01-01 00:00:00'", 0),
        ("'1969-12-31 23:59:59.9'", -60),
        ("'1955-03-01 01:07:09.9999'", -468283980),
        ("'2024-02-29 11:44:59.9999'", 1709207040),
        ("DATE '1970-01-02'", 86400),
        ("NULL", None),
        ("'0000-00-00'", None),
    ],
)
def test_stamps(server: MySQL, moment: str, stamp: int | None) -> None:
    assert ask(server, server.stamp(moment)) == stamp


def test_texts_as_python_writes_them(server: MySQL) -> None:
    key = uuid.uuid4()

    assert ask(server, server.text(f"'{key}'", models.UUIDField())) == key.hex
    assert ask(server, server.text(f"CAST('{key}' AS UUID)", models.UUIDField())) == key.hex
    assert ask(server, server.text(f"'{key.hex}'", models.UUIDField())) == key.hex
    assert ask(server, server.text("TRUE", models.BooleanField())) == "1"
    assert ask(server, server.text("-7", models.BigIntegerField())) == "-7"
    for other in ("'A'", "'a '", "'ä'"):
        text = server.text("'a'", models.CharField())
        assert ask(server, f"{text} = {server.text(other, models.CharField())}") == 0


def test_numbers_are_scaled_to_integers(server: MySQL) -> None:
    assert ask(server, server.scaled("-0.125", 3)) == -125
    assert ask(server, server.scaled("7", 0)) == 7
    assert ask(server, server.scaled("CAST(0.1 AS DOUBLE) + CAST(0.2 AS DOUBLE)", 6)) == 300000
    for number in (-(10**30), -1, 0, 1, 10**30):
        assert server.unordered(ask(server, server.ordered(str(number)))) == number
    ordered = [ask(server, server.ordered(str(n))) for n in (-20, -3, 0, 1, 7, 100)]
    assert ordered == sorted(ordered)


WORDS = ["", " ", "a", "A", "a ", "ä", "ß", "ss", "SS ", "\t", "🎓", "🎉", "x" * 255, "é" * 255]


@pytest.mark.parametrize(
    "collation",
    [
        "utf8mb4_general_ci",
        "utf8mb4_unicode_ci",
        "utf8mb4_unicode_nopad_ci",
        "utf8mb4_bin",
        "utf8mb4_nopad_bin",
        "utf8mb4_german2_ci",
    ],
)
def test_members_are_the_same_where_the_column_says_so(server: MySQL, collation: str) -> None:
    distinct = server.distinct("word", models.CharField())
    with server.connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE livecounters_words (word varchar(255) COLLATE {collation})"
        )
        cursor.executemany(
            "INSERT INTO livecounters_words VALUES (%s)", [(word,) for word in WORDS]
        )
        cursor.execute(
            f"SELECT COUNT(DISTINCT word), COUNT(DISTINCT {distinct}) FROM livecounters_words"
        )
        theirs, ours = cursor.fetchone()
        cursor.execute("DROP TEMPORARY TABLE livecounters_words")
    assert theirs == ours


def test_one_folds_at_a_time(server: MySQL, mariadb_server: MariaDB) -> None:
    assert ask(server, server.lock_sql(wait=False).removeprefix("SELECT ")) == 1
    other = wrapped("other", **mariadb_server.settings)
    try:
        assert ask(MySQL("other"), server.lock_sql(wait=False).removeprefix("SELECT ")) == 0
        assert ask(server, server.unlock_sql().removeprefix("SELECT ")) == 1
        assert ask(MySQL("other"), server.lock_sql(wait=True).removeprefix("SELECT ")) == 1
    finally:
        other.close()
        del connections["other"]


# Triggers at work, in the run on MariaDB


@pytest.fixture
def triggers(transactional_db: None) -> Iterator[None]:
    if connection.vendor != "mysql":
        pytest.skip("runs on MariaDB only: LIVECOUNTERS_TEST_DATABASE=mariadb")
    yield
    installation.sync("default")


def complete(**given: Any) -> Attempt:
    given = {"completed": True, "completed_at": timezone.now(), "score": 70} | given
    quiz = given.pop("quiz", None) or Quiz.objects.create(title="Fractions")
    return Attempt.objects.create(quiz=quiz, **given)


def test_the_host_s_last_id_stays_its_own(triggers: None) -> None:
    row = complete()

    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO host_tag VALUES ('t')")
        cursor.execute("UPDATE host_attempt SET completed = 0")
        cursor.execute("UPDATE host_attempt SET completed = 1, score = 100")
        cursor.execute("SELECT LAST_INSERT_ID()")
        assert cursor.fetchone()[0] == row.pk


def test_what_is_read_is_not_locked(triggers: None) -> None:
    quiz = Quiz.objects.create(title="Fractions")
    errors: list[Exception] = []

    def rename() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
            Quiz.objects.update(published=False)
        except OperationalError as error:
            errors.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        # Of the quiz the foreign key itself locks the row; the trigger reads the joined table.
        row = Attempt.objects.create(quiz=quiz, completed=False)
    with transaction.atomic():
        Attempt.objects.filter(pk=row.pk).update(completed=True, completed_at=timezone.now())
        assert ActivityEvent.objects.get(kind="host.quiz_completed").target_label == "Fractions"
        other = threading.Thread(target=rename)
        other.start()
        other.join()
    assert not errors


def test_what_does_not_fit_fails_nobody(triggers: None) -> None:
    declared = names(
        Sale,
        rest=live.Sum(F("quantity") - 5),
        huge=live.Sum(F("weight") * F("weight")),
        sales=live.Count(),
    )
    installation.sync("default", declared)
    for weight in (1.0, 1e200):
        Sale.objects.create(price=1, quantity=1, weight=weight)

    assert Counter(declared.counters.get("sales")).value() == 2
    assert Counter(declared.counters.get("rest")).value() == -8
    assert Counter(declared.counters.get("huge")).value() == 1


def test_letters_of_either_case_are_a_change(triggers: None) -> None:
    declared = names(
        Sale, per=live.Count(per="currency"), all=live.Count("currency", distinct=True)
    )
    installation.sync("default", declared)
    Sale.objects.create(price=1, currency="eur")
    Sale.objects.create(price=1, currency="EUR")
    Sale.objects.filter(currency="EUR").update(currency="EUR")

    assert Counter(declared.counters.get("per")).breakdown() == {"EUR": 2}
    found = Sale.objects.aggregate(n=Count("currency", distinct=True))["n"]
    assert Counter(declared.counters.get("all")).value() == found == 1


def test_a_muted_block_that_was_rolled_back_is_over(triggers: None) -> None:
    with pytest.raises(ZeroDivisionError), muted():
        complete()
        raise ZeroDivisionError
    assert not Muting.objects.exists()
    complete(user=User.objects.create(username="ada"))

    assert ActivityEvent.objects.get(kind="host.quiz_completed").seq is None


def test_triggers_are_replaced_beside_writers(triggers: None, measure: Measure) -> None:
    other = measure_of(names(n=live.Count(filter=Q(score=70))).counters.get("n"))
    dialect, stop = MySQL("default"), threading.Event()
    quiz = Quiz.objects.create(title="Fractions")
    errors: list[Exception] = []

    def write() -> None:
        try:
            while not stop.is_set():
                complete(quiz=quiz)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    capture.execute(dialect, dialect.install_sql(Watch(Attempt, (measure,))))
    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for number in range(20):
        some = (measure, other) if number % 2 else (measure,)
        capture.execute(dialect, dialect.install_sql(Watch(Attempt, some)))
    stop.set()
    for writer in writers:
        writer.join()

    assert not errors
    assert Delta.objects.filter(measure=measure.key).count() == Attempt.objects.count() > 0


def test_a_table_in_use_is_left_alone_soon(triggers: None, measure: Measure) -> None:
    capture.detach("default")
    complete()
    begun, done = threading.Event(), threading.Event()

    def read() -> None:
        with transaction.atomic():
            list(Attempt.objects.all())
            begun.set()
            done.wait(60)
        connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    begun.wait(60)
    try:
        dialect = MySQL("default")
        with pytest.raises(OperationalError) as caught:
            capture.execute(dialect, dialect.install_sql(Watch(Attempt, (measure,))))
        assert dialect.in_use(caught.value)
    finally:
        done.set()
        reader.join()


def test_our_tables_know_exact_text(triggers: None) -> None:
    for scope in ("a", "A", "a ", "ä"):
        for _ in range(2):
            Delta.objects.create(measure="m", scope=scope, member="", count=1, total=0)

    assert Delta.objects.filter(scope="a").count() == 2
    assert Delta.objects.values("scope").distinct().count() == 4
