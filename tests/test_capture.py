"""Capture: every way of writing counts, and every way of installing holds.

The suite runs on each database; what a database cannot do is not in here.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.core.management import call_command
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations import Migration
from django.db.models import F, Q
from django.utils import timezone

import livecounters as live
from livecounters import capture, feed, folding, installation, timeline
from livecounters.exceptions import Unmeasurable
from livecounters.models import ActivityEvent, Bucket, Delta, EventSource, Measured
from livecounters.registry import Registry
from tests.host.models import Attempt, Course, Quiz, Sale, Tag
from tests.oracle import assert_exact

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions", course=Course.objects.create(title="Maths"))


def attempt(quiz: Quiz, **given: Any) -> Attempt:
    given = {"completed": True, "completed_at": timezone.now(), "score": 70} | given
    return Attempt(quiz=quiz, **given)


def told() -> list[tuple[str, str | None]]:
    events = ActivityEvent.objects.filter(kind="host.quiz_completed").order_by("id")
    return [(event.kind, event.actor) for event in events]


def upsert_target(*names: str) -> list[str] | None:
    """What decides about a conflict, where a statement may say it."""
    target = connection.features.supports_update_conflicts_with_target
    return list(names) if target else None


WRITES: dict[str, Callable[[Quiz, User], Any]] = {
    "create": lambda q, u: attempt(q, user=u).save(),
    "create twice": lambda q, u: [attempt(q, user=u).save() for _ in range(2)],
    "not matching": lambda q, u: attempt(q, completed=False).save(),
    "bulk_create": lambda q, u: Attempt.objects.bulk_create(
        [attempt(q, user=u, score=n, code=str(n)) for n in range(300)]
    ),
    "ignore_conflicts": lambda q, u: Attempt.objects.bulk_create(
        [attempt(q, user=u, code="same") for _ in range(3)], ignore_conflicts=True
    ),
    "update_conflicts": lambda q, u: [
        Attempt.objects.bulk_create(
            [attempt(q, user=u, code=code, score=score) for code in "ab"],
            update_conflicts=True,
            unique_fields=upsert_target("code"),
            update_fields=["score", "completed"],
        )
        for score in (10, 90)
    ],
    "bulk_update": lambda q, u: _bulk_update(q, u),
    "update": lambda q, u: [
        Attempt.objects.bulk_create([attempt(q, user=u, code=str(n)) for n in range(5)]),
        Attempt.objects.filter(code__lt="3").update(score=F("score") + 20, user=None),
        Attempt.objects.filter(code="4").update(completed=False),
    ],
    "delete": lambda q, u: [attempt(q, user=u).save(), Attempt.objects.all().delete()],
    "instance delete": lambda q, u: [a := attempt(q, user=u), a.save(), a.delete()],
    "cascade": lambda q, u: [attempt(q, user=u).save(), q.course.delete()],  # type: ignore[union-attr]
    "set null": lambda q, u: [attempt(q, user=u).save(), u.delete()],
    "regroup": lambda q, u: [
        attempt(q, user=u).save(),
        Attempt.objects.update(quiz=Quiz.objects.create(title="Other")),
    ],
    "null and back": lambda q, u: [
        attempt(q, user=u, score=None).save(),
        Attempt.objects.update(score=3),
        Attempt.objects.update(score=None, completed_at=None),
    ],
    "raw sql": lambda q, u: _raw(q),
    "loaddata": lambda q, u: _load(q, u),
    "old and future": lambda q, u: [
        attempt(q, completed_at=NOW - dt.timedelta(days=4000)).save(),
        attempt(q, completed_at=dt.datetime(1955, 3, 1, 1, 7, tzinfo=dt.UTC)).save(),
        attempt(q, completed_at=NOW + dt.timedelta(days=400)).save(),
        attempt(q, completed_at=None).save(),
    ],
    "odd texts": lambda q, u: [
        Sale.objects.create(tag=Tag.objects.create(slug=slug), price="1.10", currency=currency)
        for slug, currency in (("ÄÖ", "a'b"), ("ßü", "A'B"), ("%s", "{0}"), ("", "\\"))
    ],
    "money": lambda q, u: [
        Sale.objects.bulk_create(
            [Sale(price=f"{n}.{n % 100:02}", quantity=n % 4, weight=n / 7) for n in range(200)]
        ),
        Sale.objects.filter(quantity=2).delete(),
        Sale.objects.filter(quantity=3).update(price=F("price") + 1, gift=True, currency="USD"),
    ],
    "days": lambda q, u: [
        Sale.objects.create(course=q.course, price="2.50", day=timezone.localdate()),
        Sale.objects.create(price="-1.25", day=timezone.localdate() - dt.timedelta(days=1)),
        Sale.objects.create(price="0", day=None),
    ],
}


def _bulk_update(quiz: Quiz, user: User) -> None:
    rows = Attempt.objects.bulk_create([attempt(quiz, code=str(n)) for n in range(20)])
    for number, row in enumerate(rows):
        row.score, row.completed, row.user = number * 5, number % 3 > 0, user
    Attempt.objects.bulk_update(rows, ["score", "completed", "user"])


def _raw(quiz: Quiz) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO host_attempt (quiz_id, completed, completed_at, score, note) "
            "SELECT %s, %s, %s, 40, '' FROM (SELECT 1 UNION ALL SELECT 2) two",
            [quiz.pk, True, connection.ops.adapt_datetimefield_value(timezone.now())],
        )
        cursor.execute("UPDATE host_attempt SET score = score + 1")


def _load(quiz: Quiz, user: User) -> None:
    text = serializers.serialize("json", [attempt(quiz, user=user, pk=99)])
    for row in serializers.deserialize("json", text):
        row.save()


@pytest.mark.parametrize("write", WRITES)
def test_every_way_of_writing_counts(write: str, quiz: Quiz, ada: User) -> None:
    WRITES[write](quiz, ada)

    assert_exact()
    folding.fold("default")
    assert not Delta.objects.exists()
    assert_exact()


@pytest.mark.parametrize("write", WRITES)
def test_a_rollback_leaves_nothing(write: str, quiz: Quiz, ada: User) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        WRITES[write](quiz, ada)
        raise ZeroDivisionError

    assert not Delta.objects.exists()
    assert not ActivityEvent.objects.exists()
    assert_exact()


def test_a_failed_statement_leaves_nothing(quiz: Quiz) -> None:
    attempt(quiz, code="one").save()

    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.bulk_create([attempt(quiz, code=code) for code in ("two", "one")])

    assert_exact()
    assert live.counters["attempts"].value() == 1


def test_what_nobody_watches_writes_nothing(quiz: Quiz) -> None:
    attempt(quiz).save()
    folding.fold("default")

    Attempt.objects.update(note="changed")
    Attempt.objects.get().save()
    Quiz.objects.update(title="another")

    assert not Delta.objects.exists()


def test_bulk_writes_are_few_deltas() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("triggers see one row at a time")
    quiz = Quiz.objects.create(title="Fractions")

    Attempt.objects.bulk_create([attempt(quiz, completed_at=NOW) for _ in range(2000)])

    # One for each measure, the counters over events included, however many rows.
    assert Delta.objects.count() < 40


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="keeps plans for a session")
def test_plans_made_for_one_row_are_good_for_many(quiz: Quiz, ada: User) -> None:
    """A session keeps the plans of a trigger's first call (PostgreSQL): made for one row and
    used for thousands, or the other way round, they must not take quadratic time."""
    if connection.vendor == "mysql":
        pytest.skip("there, triggers are not planned for many rows at once")

    def seconds(first: int, number: int) -> float:
        connection.close()
        for size in (first, number):
            rows = [attempt(quiz, user=ada, completed=False) for _ in range(size)]
            Attempt.objects.bulk_create(rows)
            start = time.perf_counter()
            Attempt.objects.update(completed=True)
        return time.perf_counter() - start

    many = seconds(1000, 6000)
    Attempt.objects.all().delete()
    after_one = seconds(1, 6000)

    assert after_one < 5 * many + 0.2
    assert_exact()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles")
def test_the_hosts_role_needs_no_rights_on_our_tables(quiz: Quiz, ada: User) -> None:
    """Another role, another search path, a table of ours in its own temporary schema, and row
    security: the host's write succeeds and lands in the real tables."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE host_app")
        cursor.execute(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON host_attempt, host_quiz TO host_app"
        )
        cursor.execute("GRANT USAGE ON SEQUENCE host_attempt_id_seq TO host_app")
        cursor.execute("ALTER TABLE livecounters_delta ENABLE ROW LEVEL SECURITY")
        cursor.execute("CREATE TEMP TABLE livecounters_delta (LIKE public.livecounters_delta)")
        cursor.execute("GRANT ALL ON pg_temp.livecounters_delta TO host_app")
        cursor.execute("SET LOCAL ROLE host_app")
        cursor.execute("SET LOCAL search_path = pg_catalog")
        cursor.execute(
            "INSERT INTO public.host_attempt (quiz_id, user_id, completed, score, note) "
            "VALUES (%s, %s, true, 50, '')",
            [quiz.pk, ada.pk],
        )
        cursor.execute("RESET ROLE")
        cursor.execute("SET LOCAL search_path = public, pg_temp")
        cursor.execute("SELECT COUNT(*) FROM pg_temp.livecounters_delta")
        assert cursor.fetchone() == (0,)
        assert len(told()) == 1
        assert_exact()


# Activities


def test_told_once_and_on_the_transition(quiz: Quiz, ada: User) -> None:
    row = attempt(quiz, user=ada, completed=False)
    row.save()
    assert told() == []

    row.completed = True
    row.save()
    # The host's results page saves it again at every view and moves its end.
    for _ in range(3):
        row.completed_at = timezone.now()
        row.save()
    Attempt.objects.update(completed=False)
    Attempt.objects.update(completed=True)

    assert told() == [("host.quiz_completed", str(ada.pk))]
    event = ActivityEvent.objects.get(kind="host.quiz_completed")
    assert (event.target, event.target_label) == (str(quiz.pk), "Fractions")
    assert (event.target_model, event.actor_model) == ("host.quiz", "auth.user")
    assert event.data == {"score": 70}


def test_the_event_outlives_its_row(quiz: Quiz, ada: User) -> None:
    # A practice attempt: deleted by the request that completes it.
    row = attempt(quiz, user=ada)
    row.save()
    row.delete()

    assert len(told()) == 1
    assert live.counters["quizzes_today"].value() == 1
    assert live.counters["attempts"].value() == 0
    assert live.counters["score_told"].value() == 70


def test_an_event_keeps_the_time_it_had(quiz: Quiz, ada: User) -> None:
    then = timezone.now() - dt.timedelta(days=3)
    row = attempt(quiz, user=ada, completed_at=then)
    row.save()

    Attempt.objects.update(completed_at=timezone.now())

    assert live.counters["quizzes_today"].value() == 0
    assert live.counters["quizzes_today"].value(at=then) == 1


def test_an_event_without_a_time_happens_now(quiz: Quiz) -> None:
    before = timezone.now() - dt.timedelta(seconds=1)
    attempt(quiz, completed_at=None).save()

    assert before <= ActivityEvent.objects.get(kind="host.quiz_completed").at
    assert ActivityEvent.objects.get(kind="host.quiz_completed").at <= timezone.now()


def test_somebody_anonymous(quiz: Quiz) -> None:
    attempt(quiz, user=None, score=100).save()
    feed.number()

    kinds = {event.kind: event.seq for event in ActivityEvent.objects.all()}
    assert kinds == {"host.quiz_completed": 0, "host.perfect": 1}
    assert [event.text for event in timeline.newest(9)] == ["Someone had everything right"]
    assert live.counters["quizzes_today"].value() == 1


def test_a_bulk_write_is_told_row_by_row(quiz: Quiz, ada: User) -> None:
    rows = [attempt(quiz, user=ada, completed=False, code=str(n)) for n in range(50)]
    Attempt.objects.bulk_create(rows)

    Attempt.objects.filter(code__lt="3").update(completed=True)

    assert len(told()) == Attempt.objects.filter(completed=True).count() > 0
    assert_exact()


def test_upserts_are_told_once(quiz: Quiz, ada: User) -> None:
    for _ in range(2):
        Attempt.objects.bulk_create(
            [attempt(quiz, user=ada, code="same")],
            update_conflicts=True,
            unique_fields=upsert_target("code"),
            update_fields=["completed", "score"],
        )

    assert len(told()) == 1


def test_a_row_may_come_before_what_it_names(ada: User) -> None:
    # Fixtures come in any order; foreign keys are judged when the transaction ends.
    if not connection.features.supports_forward_references:
        pytest.skip("foreign keys are judged at once")
    with transaction.atomic():
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA defer_foreign_keys = ON")
        attempt(Quiz(pk=77), user=ada).save()
        Quiz.objects.create(pk=77, title="Later")

    assert len(told()) == 1


def test_muted_counts_and_tells_nothing(quiz: Quiz, ada: User) -> None:
    with live.muted():
        attempt(quiz, user=ada).save()
        with live.muted():
            attempt(quiz, user=ada).save()
        attempt(quiz, user=ada).save()
    attempt(quiz, user=ada).save()
    feed.number()

    assert live.counters["quizzes_today"].value() == 4
    assert len([e for e in timeline.newest(9) if e.kind == "quiz_completed"]) == 1
    assert_exact()


def test_a_failed_muted_block_is_over(quiz: Quiz, ada: User) -> None:
    with pytest.raises(ZeroDivisionError), live.muted():
        raise ZeroDivisionError
    attempt(quiz, user=ada).save()
    feed.number()

    assert [event.kind for event in timeline.newest(9)] == ["named_only", "quiz_completed"]


# Installing


def states() -> set[str]:
    return {state.state for state in capture.states("default")}


@pytest.fixture
def filled(quiz: Quiz, ada: User) -> Iterator[None]:
    Attempt.objects.bulk_create(
        [attempt(quiz, user=ada, completed_at=NOW - dt.timedelta(hours=n)) for n in range(60)]
    )
    WRITES["money"](quiz, ada)
    folding.fold("default")
    yield
    assert_exact()


@pytest.mark.usefixtures("filled")
def test_synced_again_nothing_happens() -> None:
    assert states() == {"installed"}
    assert not any(vars(installation.sync("default")).values())


@pytest.mark.usefixtures("filled")
def test_without_triggers_the_source_is_counted() -> None:
    capture.detach("default")
    assert states() == {"missing"}

    Attempt.objects.filter(score=70).update(score=71)

    assert_exact()


@pytest.mark.usefixtures("filled")
def test_what_happened_meanwhile_is_backfilled(quiz: Quiz, ada: User) -> None:
    before = len(told())
    epoch = feed.head().epoch
    capture.detach("default", ["host_attempt"])
    attempt(quiz, user=ada, completed_at=NOW - dt.timedelta(days=2)).save()
    Attempt.objects.filter(completed_at__lt=NOW - dt.timedelta(hours=50)).delete()

    report = installation.sync("default")

    assert report.installed == ["host_attempt"]
    assert "host.attempts" in report.backfilled
    assert "host.sales" not in report.backfilled
    assert len(told()) == before + 1
    # Pages that were told other numbers begin anew, and the feed is in the order of time.
    assert feed.head().epoch != epoch
    times = [event.at for event in timeline.newest(100)]
    assert times == sorted(times, reverse=True)


@pytest.mark.usefixtures("filled")
def test_a_trigger_of_another_declaration_is_outdated() -> None:
    name = f"{capture.watches('default')[0].name}_insert"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"COMMENT ON TRIGGER {name} ON host_attempt IS 'other'")
        else:
            cursor.execute(f"DROP TRIGGER {name}")
            cursor.execute(
                f"CREATE TRIGGER {name} AFTER INSERT ON host_attempt FOR EACH ROW "
                "BEGIN -- digest:0123456789abcdef\nDELETE FROM livecounters_muting; END"
            )
    assert "outdated" in states()

    installation.sync("default")

    assert states() == {"installed"}


@pytest.mark.usefixtures("filled")
def test_what_is_declared_no_more_is_removed() -> None:
    installation.sync("default", Registry())

    assert capture.states("default", Registry()) == []
    assert not Bucket.objects.exists()
    assert not Measured.objects.exists()
    Attempt.objects.filter(score=70).update(score=1)
    assert not Delta.objects.exists()
    installation.sync("default")


@pytest.mark.usefixtures("filled")
def test_an_orphan_is_seen() -> None:
    found = capture.states("default", Registry())

    assert {state.state for state in found} == {"orphaned"}


def test_wrong_declarations_name_themselves() -> None:
    declared = Registry()

    class Wrong(live.LiveModel):
        n = live.Count(filter=Q(nothing=1))

    declared.add(Attempt, Wrong)

    with pytest.raises(Unmeasurable, match=r"Wrong\.n: Cannot resolve keyword 'nothing'"):
        capture.watches("default", declared)


# Migrations


def migration(app: str, *operations: Any) -> Migration:
    made = Migration("0002_test", app)
    made.operations = list(operations)
    return made


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("operation", "detached"),
    [
        (migrations.AddField("attempt", "x", models.IntegerField(default=1)), {"host_attempt"}),
        (migrations.AlterField("quiz", "title", models.TextField()), {"host_attempt"}),
        (migrations.RenameField("sale", "price", "cost"), {"host_sale"}),
        (migrations.AddField("tag", "x", models.IntegerField(default=1)), set()),
        (migrations.RunPython(lambda apps, editor: None), {"host_attempt", "host_sale"}),
    ],
)
def test_a_migration_finds_no_trigger_in_its_way(operation: Any, detached: set[str]) -> None:
    found = capture.detach_for([(migration("host", operation), False)], "default")

    assert detached <= set(found)
    assert "livecounters_activityevent" not in found
    if not detached:
        assert found == []
    installation.sync("default")


@pytest.mark.usefixtures("filled")
def test_our_own_migrations_find_none_at_all() -> None:
    found = capture.detach_for([(migration("livecounters"), True)], "default")

    assert set(found) == {
        "host_attempt",
        "host_quiz",
        "host_quiz_tags",
        "host_sale",
        "livecounters_activityevent",
    }
    installation.sync("default")


@pytest.mark.usefixtures("filled")
def test_no_plan_no_work() -> None:
    assert capture.detach_for([], "default") == []
    assert states() == {"installed"}


@pytest.mark.django_db(transaction=True)
def test_gone_and_back_again(quiz: Quiz, ada: User) -> None:
    attempt(quiz, user=ada).save()

    call_command("migrate", "livecounters", "zero", verbosity=0, stdout=StringIO())
    attempt(quiz, user=ada).save()
    call_command("migrate", "livecounters", verbosity=0, stdout=StringIO())

    assert Attempt.objects.count() == 2
    assert states() == {"installed"}
    assert_exact()


@pytest.mark.django_db(transaction=True)
def test_a_watched_table_is_remade(quiz: Quiz, ada: User) -> None:
    attempt(quiz, user=ada).save()
    field = models.IntegerField(default=7)
    field.set_attributes_from_name("remade")
    field.model = Attempt
    plan = [(migration("host", migrations.AddField("attempt", "remade", field)), False)]

    capture.detach_for(plan, "default")
    with connection.schema_editor() as editor:
        editor.add_field(Attempt, field)
    attempt_count = Attempt.objects.count()
    with connection.schema_editor() as editor:
        editor.remove_field(Attempt, field)
    installation.sync("default")

    attempt(quiz, user=ada).save()
    assert attempt_count == 1
    assert_exact()


def test_flushed_tables_leave_nothing_behind(quiz: Quiz, ada: User) -> None:
    # What a host's TransactionTestCase does after each test.
    attempt(quiz, user=ada).save()
    with connection.cursor() as cursor:
        for model in (Attempt, EventSource, ActivityEvent, Measured):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")

    assert_exact()
    installation.sync("default")
    assert_exact()
    assert live.counters["attempts"].value() == 0
