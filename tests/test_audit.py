"""The contract of the audit: it finds exactly what is wrong, and repair makes exactly that right."""

from __future__ import annotations

import datetime as dt
import logging
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, connections
from django.db.models import F
from django.utils import timezone

import livecounters as live
from livecounters import audit, capture, folding, installation, leases
from livecounters.audit import repair, sample, verify
from livecounters.exceptions import Busy
from livecounters.measures import Measure, declared_measures
from livecounters.models import ActivityEvent, Bucket, Delta, Lease, Mark, Measured, Member
from livecounters.windows import Grain
from tests.host.models import Attempt, Course, Quiz, Sale
from tests.oracle import assert_audited, assert_exact

pytestmark = pytest.mark.django_db

KINDS = {
    "rows": "attempts",
    "per": "per_quiz",
    "personal": "per_user",
    "sums": "score_sum",
    "distinct": "learners",
    "distinct per": "learners_per_quiz",
    "extremes": "score_max",
    "extremes per": "score_max_per_quiz",
    "dates": "sales",
    "money": "revenue_per_currency",
    "events": "quizzes_today",
    "events per": "completed_by_actor",
}


def measure(name: str) -> Measure:
    return live.counters[name].measure


def buckets(name: str) -> Any:
    return Bucket.objects.filter(measure=measure(name).key)


def members(name: str) -> Any:
    return Member.objects.filter(measure=measure(name).key)


def fill(number: int = 12) -> None:
    """Rows of now, of last weeks, of long ago and of the future, by several people."""
    people = [User.objects.get_or_create(username=f"user{n}")[0] for n in range(3)]
    quizzes = [Quiz.objects.create(title=f"Quiz {n}") for n in range(2)]
    now = timezone.now()
    ages = [0, 1, 3 * 60, 26 * 60, 20 * 24 * 60, 400 * 24 * 60, 30 * 365 * 24 * 60, -500 * 24 * 60]
    Attempt.objects.bulk_create(
        [
            Attempt(
                quiz=quizzes[n % 2],
                user=[*people, None][n % 4],
                completed=n % 5 != 4,
                completed_at=now - dt.timedelta(minutes=ages[n % len(ages)]) if n % 11 else None,
                score=[n, None, -n][n % 3],
            )
            for n in range(number)
        ]
    )
    course = Course.objects.create(title="Course")
    Sale.objects.bulk_create(
        [
            Sale(
                course=course,
                price=f"{n}.{n:02}",
                currency=["EUR", "USD"][n % 2],
                day=timezone.localdate() - dt.timedelta(days=n * 40) if n % 4 != 3 else None,
            )
            for n in range(number)
        ]
    )


@pytest.fixture
def filled() -> None:
    """Half of it folded, half of it pending."""
    fill()
    folding.fold("default")
    fill()


def all_wrong() -> dict[str, int]:
    found = {" ".join(names(m)): verify(m).wrong for m in declared_measures()}
    return {name: wrong for name, wrong in found.items() if wrong}


def names(one: Measure) -> list[str]:
    return [name for name, counter in live.counters.items() if counter.measure.key == one.key]


def cured(name: str) -> int:
    """Repair one measure; answers how much was corrected. No counter is wrong then."""
    corrected = repair(measure(name))
    assert repair(measure(name)) == 0
    assert not verify(measure(name)).wrong
    assert_exact()
    return corrected


# What is right


@pytest.mark.usefixtures("filled")
def test_nothing_is_wrong() -> None:
    assert not all_wrong()
    assert Delta.objects.exists()
    assert Bucket.objects.exists()


@pytest.mark.usefixtures("filled")
def test_an_audit_is_remembered() -> None:
    now = timezone.now() + dt.timedelta(minutes=1)

    verify(measure("attempts"), now=now)

    row = Measured.objects.get(measure=measure("attempts").key)
    assert (row.audited_at, row.drift) == (now, 0)
    verify(measure("attempts"), [""], now=now + dt.timedelta(minutes=1))
    row.refresh_from_db()
    assert row.audited_at == now


def test_nothing_at_all() -> None:
    assert not all_wrong()
    assert sum(repair(one) for one in declared_measures()) == 0


# What is wrong: every kind of row of every kind of measure


def models_of(name: str) -> list[Any]:
    return [Bucket] if measure(name).member is None else [Bucket, Member]


def _harm(model: Any, row: Any, harm: str) -> str:
    """Make one row wrong; answers the scope that is wrong then."""
    rows = model.objects.filter(pk=row.pk)
    if harm == "missing":
        rows.delete()
    elif harm == "changed":
        rows.update(count=F("count") + 3)
    else:
        keys = {"measure": row.measure, "scope": "nobody", "grain": row.grain, "start": row.start}
        if model is Member:
            keys["member"] = row.member
        model.objects.create(count=2, **keys)
        return "nobody"
    return str(row.scope)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("harm", ["changed", "missing", "surplus"])
def test_each_wrong_bucket_is_found_and_cured(kind: str, harm: str) -> None:
    name = KINDS[kind]
    folding.fold("default")
    for model in models_of(name):
        for grain in Grain:
            rows = model.objects.filter(measure=measure(name).key, grain=grain)
            # Of minutes only the latest are kept.
            row = rows.filter(start__lte=measure(name).clock.stamp(timezone.now())).latest("start")
            scope = _harm(model, row, harm)

            found = verify(measure(name))

            assert (found.wrong, len(found.some)) == (1, 1), (model, grain)
            (drift,) = found.some
            assert (drift.grain, drift.scope, drift.start) == (grain, scope, row.start)
            assert repair(measure(name)) == 1, (model, grain)
    assert repair(measure(name)) == 0
    assert_exact()


@pytest.mark.usefixtures("filled")
def test_kept_and_right_are_told(caplog: pytest.LogCaptureFixture) -> None:
    folding.fold("default")
    right = live.counters["score_sum"].value()
    buckets("score_sum").filter(grain=Grain.EVER).update(
        total=F("total") + 100, count=F("count") + 1
    )
    count = buckets("score_sum").get(grain=Grain.EVER).count

    (drift,) = verify(measure("score_sum")).some

    assert (drift.scope, drift.member, drift.grain, drift.start) == ("", "", Grain.EVER, 0)
    assert (drift.count, drift.total) == ((count, count - 1), (right + 100, right))
    told = {
        "scope": "",
        "grain": "ever",
        "start": 0,
        "count": {"kept": count, "right": count - 1},
        "total": {"kept": right + 100, "right": right},
    }
    assert drift.as_json() == told
    clock = measure("score_sum").clock
    assert drift.told(clock) == (
        f"ever, count is {count}, right is {count - 1}, total is {right + 100}, right is {right}"
    )

    with caplog.at_level(logging.WARNING, "livecounters"):
        assert cured("score_sum") == 1

    (record,) = [one for one in caplog.records if "corrected" in one.message]
    assert record.levelno == logging.WARNING
    assert "host.score_sum" in record.message
    assert record.drift == told  # type: ignore[attr-defined]


@pytest.mark.usefixtures("filled")
def test_who_was_last_where() -> None:
    """Only the number of members is wrong; their rows are right."""
    folding.fold("default")
    wrong = buckets("learners").filter(grain=Grain.DAY, members__gt=0).order_by("-start").first()
    buckets("learners").filter(grain=Grain.DAY, start=wrong.start).update(members=F("members") + 1)

    (drift,) = verify(measure("learners")).some

    assert drift.members == (wrong.members + 1, wrong.members)
    assert (drift.grain, drift.start) == (Grain.DAY, wrong.start)
    assert cured("learners") == 1


@pytest.mark.usefixtures("filled")
def test_everything_is_gone() -> None:
    folding.fold("default")
    Bucket.objects.all().delete()
    Member.objects.all().delete()
    Mark.objects.all().delete()

    assert len(all_wrong()) > 20
    for one in declared_measures():
        repair(one)

    assert not any(repair(one) for one in declared_measures())
    assert_audited()


@pytest.mark.usefixtures("filled")
def test_pending_deltas_that_are_lost() -> None:
    """As a crash of a database without durable writes loses them."""
    assert Delta.objects.count() > 50
    Delta.objects.all().delete()

    assert "host.sales host.sales_today" in all_wrong()
    for one in declared_measures():
        repair(one)

    assert_audited()


@pytest.mark.usefixtures("filled")
def test_the_number_of_what_is_wrong_is_whole_also_if_not_all_is_shown() -> None:
    folding.fold("default")
    number = buckets("attempts").filter(grain=Grain.DAY).update(count=F("count") + 1)
    assert number > 3

    found = verify(measure("attempts"), limit=2)

    assert (found.wrong, len(found.some)) == (number, 2)


# One scope


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    "name", ["per_quiz", "learners_per_quiz", "score_max_per_quiz", "per_user"]
)
def test_one_scope(name: str) -> None:
    folding.fold("default")
    model = models_of(name)[-1]
    rows = model.objects.filter(measure=measure(name).key, grain=Grain.DAY)
    scopes = sorted(set(rows.values_list("scope", flat=True)))
    one, other = scopes[:2]
    for scope in (one, other):
        found = rows.filter(scope=scope).order_by("-start").first()
        rows.filter(pk=found.pk).update(count=F("count") + 5)

    assert verify(measure(name), [one]).wrong == 1
    assert verify(measure(name), scopes).wrong == 2
    assert repair(measure(name), [one]) == 1

    assert verify(measure(name), [one]).wrong == 0
    assert verify(measure(name), [other]).wrong == 1
    assert cured(name) == 1


@pytest.mark.usefixtures("filled")
def test_the_scope_of_a_number_of_the_site() -> None:
    folding.fold("default")
    buckets("attempts").filter(grain=Grain.EVER).update(count=0)

    assert verify(measure("attempts"), [""]).wrong == 1
    assert verify(measure("attempts"), []).wrong == 0
    assert repair(measure("attempts"), [""]) == 1
    assert not all_wrong()


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", ["sales_per_course", "sales_per_gift", "sales_per_currency"])
def test_scopes_of_other_types(name: str) -> None:
    folding.fold("default")
    row = buckets(name).filter(grain=Grain.EVER).first()
    buckets(name).filter(pk=row.pk).update(count=F("count") + 1)

    assert verify(measure(name), [row.scope]).wrong == 1
    assert repair(measure(name), [row.scope]) == 1
    assert not all_wrong()


@pytest.mark.usefixtures("filled")
def test_a_sample() -> None:
    folding.fold("default")
    Bucket.objects.create(measure=measure("per_quiz").key, scope="gone", grain=0, start=0, count=1)
    there = {str(pk) for pk in Attempt.objects.values_list("quiz", flat=True)}

    assert sample(measure("attempts"), 5) == [""]
    assert set(sample(measure("per_quiz"), 100)) == there | {"gone"}
    assert len(sample(measure("per_quiz"), 2)) == 2
    assert sample(measure("per_quiz"), 2, "seed") == sample(measure("per_quiz"), 2, "seed")
    assert {one for seed in range(30) for one in sample(measure("per_quiz"), 1, seed)} == (
        there | {"gone"}
    )
    assert sample(measure("sales_per_tag"), 3) == []


# Events, and a floor below which they are gone


def events_floor() -> int:
    """Prune the events of all but the last ten days, as retention does."""
    clock = measure("quizzes_today").clock
    floor = clock.day_start(clock.stamp(timezone.now() - dt.timedelta(days=10)))
    Measured.objects.filter(tables__has_key=ActivityEvent._meta.db_table).update(floor=floor)
    old, _ = ActivityEvent.objects.filter(at__lt=clock.moment(floor)).delete()
    assert old
    return floor


EVENTS = ["quizzes_today", "quizzes_by_target", "completed_by_actor", "score_told"]


@pytest.mark.usefixtures("filled")
def test_events_that_were_pruned_are_not_missing() -> None:
    before = {name: _value(name) for name in EVENTS}
    events_floor()

    assert not all_wrong()
    folding.fold("default")
    assert not all_wrong()
    assert sum(repair(measure(name)) for name in EVENTS) == 0
    assert {name: _value(name) for name in EVENTS} == before


def _value(name: str) -> Any:
    counter = live.counters[name]
    return counter.breakdown() if counter.entry.declared.per else counter.value(window=live.ever)


@pytest.mark.usefixtures("filled")
def test_what_is_above_the_floor_is_audited() -> None:
    folding.fold("default")
    floor = events_floor()
    name = "quizzes_today"
    row = buckets(name).filter(grain=Grain.DAY, start__gte=floor).first()
    before = live.counters[name].value(window=live.ever)
    buckets(name).filter(grain=Grain.DAY, start=row.start).update(count=F("count") + 1)
    buckets(name).filter(grain=Grain.EVER).update(count=F("count") + 7)

    assert verify(measure(name)).wrong == 2
    assert repair(measure(name)) == 2

    assert not all_wrong()
    assert live.counters[name].value(window=live.ever) == before


# Retention


@pytest.mark.usefixtures("filled")
def test_small_buckets_that_were_pruned_are_not_missing() -> None:
    from livecounters.retention import prune

    folding.fold("default")
    removed = prune("default", timezone.now() + dt.timedelta(days=3))
    assert removed["bucket"]
    assert removed["member"]

    for one in declared_measures():
        assert verify(one, now=timezone.now() + dt.timedelta(days=3)).wrong == 0


# Triggers that are off


def without_triggers(write: Callable[[], object]) -> None:
    """Write as a restore or a replica does: rows come, triggers stay silent."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            write()
            cursor.execute("SET LOCAL session_replication_role = origin")
        return
    dialect = capture.dialect_of("default")
    (watch,) = [one for one in capture.watches("default") if one.table == "host_attempt"]
    for operation in dialect.operations(watch):
        capture.execute(dialect, dialect.remove_sql(watch.table, f"{watch.name}_{operation}"))
    write()
    capture.execute(dialect, dialect.install_sql(watch))


@pytest.mark.usefixtures("filled")
def test_rows_that_no_trigger_saw() -> None:
    def write() -> None:
        rows = list(Attempt.objects.all()[:4])
        Attempt.objects.filter(pk=rows[0].pk).delete()
        for row in rows[1:]:
            row.pk = None
        Attempt.objects.bulk_create(rows[1:])
        Attempt.objects.filter(score=5).update(score=50, user=None)

    without_triggers(write)

    found = all_wrong()
    assert found
    # Events happened to those who saw them.
    assert not {name for name in found if "told" in name or "quizzes" in name or "sales" in name}
    for one in declared_measures():
        repair(one)
    assert not all_wrong()
    assert_exact_rows()


def assert_exact_rows() -> None:
    for name in ("attempts", "learners_ever", "score_sum", "score_max"):
        counter = live.counters[name]
        assert counter.value() == _counted(name), name


def _counted(name: str) -> Any:
    from tests.oracle import truth

    return truth()[name]


@pytest.mark.usefixtures("filled")
def test_a_data_only_restore_counts_twice_and_is_repaired() -> None:
    """Our tables come with the dump, and the triggers count the rows that come once more."""
    rows = list(Attempt.objects.all())
    before = live.counters["attempts"].value()
    without_triggers(lambda: Attempt.objects.all().delete())
    Attempt.objects.bulk_create(rows)
    assert live.counters["attempts"].value() == 2 * before

    assert "host.scored" in all_wrong()
    for one in declared_measures():
        if not one.append_only:
            repair(one)

    assert live.counters["attempts"].value() == before
    assert_exact_rows()
    assert not {name for name in all_wrong() if "quizzes" not in name and "told" not in name}


@pytest.mark.usefixtures("filled")
@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite replaces unseen")
def test_replace_into() -> None:
    row = Attempt.objects.filter(completed=True).first()
    assert row is not None
    before = live.counters["attempts"].value()
    with connection.cursor() as cursor:
        cursor.execute(
            "REPLACE INTO host_attempt (id, quiz_id, user_id, completed, completed_at, score, note)"
            " SELECT id, quiz_id, user_id, completed, completed_at, 77, note FROM host_attempt"
            " WHERE id = %s",
            [row.pk],
        )
    # The row that went was not seen to go.
    assert live.counters["attempts"].value() == before + 1

    for one in declared_measures():
        repair(one)

    assert live.counters["attempts"].value() == before
    assert live.counters["score_max"].value() == 77
    assert_exact_rows()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL sees TRUNCATE")
def test_truncate_is_counted_at_once_and_comes_back_by_backfill() -> None:
    fill()
    folding.fold("default")
    key = measure("attempts").key
    before = Measured.objects.get(measure=key).installation
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE host_attempt CASCADE")

    assert live.counters["attempts"].value() == 0
    row = Measured.objects.get(measure=key)
    assert not row.ready
    # A backfill that began before may not call it ready.
    assert row.installation not in ("", before)
    fill()
    for one in declared_measures():
        if one.model is Attempt:
            assert installation.backfill(one)
    assert_exact_rows()
    assert Measured.objects.get(measure=key).ready


# Beside others


def in_threads(*jobs: Callable[[], object]) -> None:
    errors: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


def busily(write: Callable[[random.Random], object], stop: threading.Event, seed: int) -> Any:
    def run() -> None:
        chance = random.Random(seed)
        while not stop.is_set():
            try:
                write(chance)
            except OperationalError as error:
                # SQLite: the file is another's for longer than the timeout.
                if "locked" not in str(error):
                    raise
            stop.wait(0.001)

    return run


def _write(chance: random.Random) -> None:
    quiz, user = Quiz.objects.order_by("pk")[chance.randrange(2)], User.objects.first()
    now = timezone.now() - dt.timedelta(minutes=chance.choice([0, 1, 60 * 30, 60 * 24 * 300]))
    what = chance.randrange(4)
    if what < 2:
        Attempt.objects.bulk_create(
            [
                Attempt(
                    quiz=quiz,
                    user=user,
                    completed=True,
                    completed_at=now,
                    score=chance.randrange(9),
                )
                for _ in range(chance.randrange(1, 5))
            ]
        )
    elif what == 2:
        Attempt.objects.filter(score=chance.randrange(9)).update(score=F("score") + 1)
    else:
        rows = Attempt.objects.order_by("pk")[: chance.randrange(3)]
        Attempt.objects.filter(pk__in=[row.pk for row in rows]).delete()


@pytest.mark.django_db(transaction=True)
def test_no_false_alarm_and_no_wrong_repair_beside_writers_and_folders() -> None:
    fill()
    folding.fold("default")
    stop = threading.Event()
    alarms: list[Any] = []
    watched = ["per_quiz", "learners_per_quiz", "score_max", "score_sum", "quizzes_by_target"]

    def audits() -> None:
        try:
            for _ in range(6):
                for name in watched:
                    alarms.extend(verify(measure(name)).some)
                    if repair(measure(name)):
                        alarms.append(name)
        finally:
            stop.set()

    in_threads(
        audits,
        *(busily(_write, stop, seed) for seed in range(2)),
        busily(lambda chance: folding.fold("default"), stop, 9),
    )

    assert not alarms
    assert_audited()


@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_is_repaired_beside_writers_and_folders() -> None:
    fill()
    folding.fold("default")
    stop = threading.Event()
    harmed = ["attempts", "per_quiz", "learners_per_quiz", "score_max"]

    def repairs() -> None:
        try:
            for name in harmed:
                key = measure(name).key
                Bucket.objects.filter(measure=key).update(count=F("count") + 3)
                Member.objects.filter(measure=key).update(count=F("count") + 3)
                assert repair(measure(name))
                assert repair(measure(name)) == 0
        finally:
            stop.set()

    in_threads(
        repairs,
        *(busily(_write, stop, seed) for seed in range(2)),
        busily(lambda chance: folding.fold("default"), stop, 9),
    )

    assert_audited()


# One repair at a time


@pytest.mark.usefixtures("filled")
def test_while_another_repairs() -> None:
    name = f"repair:{measure('attempts').key}"
    leases.hold(name, "another", timezone.now(), 60, "default")

    with pytest.raises(Busy, match=r"another process is repairing host\.attempts .*Try again"):
        repair(measure("attempts"))
    assert repair(measure("scored")) == 0

    leases.release(name, "another", "default")
    assert repair(measure("attempts")) == 0
    assert not Lease.objects.filter(name=name).exists()


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PORTION", 2)


@pytest.mark.usefixtures("filled", "small_portions")
@pytest.mark.parametrize("ended", [False, True])
def test_a_repair_that_was_taken_over_adds_nothing_more(ended: bool) -> None:
    """It slept for longer than its lease; another repaired the same meanwhile."""
    folding.fold("default")
    buckets("attempts").update(count=F("count") + 1)
    number = buckets("attempts").filter(grain__in=[Grain.EVER, Grain.DAY]).count()
    done: list[int] = []

    def sleep(portion: int, _: int) -> None:
        if not done:
            Lease.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
            name = f"repair:{measure('attempts').key}"
            assert leases.hold(name, "another", timezone.now(), 60, "default")
            if ended:
                leases.release(name, "another", "default")
            done.append(portion)

    with pytest.raises(Busy, match="has taken over"):
        repair(measure("attempts"), progress=sleep)

    assert verify(measure("attempts")).wrong >= number - 2
    assert Lease.objects.filter(holder="another").exists() is not ended


@pytest.mark.django_db(transaction=True)
def test_two_at_once_never_both_add() -> None:
    fill()
    folding.fold("default")
    buckets("attempts").update(count=F("count") + 5)
    start, corrected, busy = threading.Barrier(3), [], []

    def job() -> None:
        start.wait()
        try:
            corrected.append(repair(measure("attempts")))
        except Busy:
            busy.append(True)

    in_threads(job, job, job)

    assert len([one for one in corrected if one]) == 1
    assert len(corrected) + len(busy) == 3
    assert_audited()


# Killed


class Killed(BaseException):
    pass


@pytest.mark.usefixtures("filled", "small_portions")
@pytest.mark.parametrize("name", ["attempts", "learners_per_quiz", "score_max"])
@pytest.mark.parametrize("after", [1, 3])
def test_a_repair_that_dies_is_finished_by_the_next(name: str, after: int) -> None:
    folding.fold("default")
    buckets(name).update(count=F("count") + 2, members=F("members") + 1)
    members(name).update(count=F("count") + 2)
    seen: list[int] = []

    def die(done: int, number: int) -> None:
        seen.append(done)
        if len(seen) == after:
            raise Killed

    with pytest.raises(Killed):
        repair(measure(name), progress=die)
    assert verify(measure(name)).wrong

    assert cured(name) > 0


KILL = """
import os, signal, django
django.setup()
from django.db.models import F
import livecounters as live
from livecounters import audit
audit.PORTION = 1
def die(done, number):
    if done == 3:
        os.kill(os.getpid(), signal.SIGKILL)
audit.repair(live.counters["per_quiz"].measure, progress=die)
"""


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_killed(process_environment: dict[str, str]) -> None:
    fill()
    folding.fold("default")
    number = buckets("per_quiz").filter(grain=Grain.DAY).update(count=F("count") + 1)
    assert number > 5

    ended = subprocess.run([sys.executable, "-c", KILL], env=process_environment, check=False)

    assert ended.returncode == -signal.SIGKILL
    assert verify(measure("per_quiz")).wrong == number - 3
    # Its lease is still there, and says until when.
    with pytest.raises(Busy, match="if it was killed, from"):
        repair(measure("per_quiz"))
    Lease.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert repair(measure("per_quiz")) == number - 3
    assert_audited()
