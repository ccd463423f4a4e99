"""What transactions change at once is settled: every order of two, and who holds it up.

Random rounds of three are in ``soak``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models import Count, Q, Sum
from django.utils import timezone

import livecounters as live
from livecounters import audit, feed, folding, installation, leases
from livecounters.account import account_of
from livecounters.measures import declared_measures
from livecounters.models import Mark, Suspect
from livecounters.readers import Counter
from livecounters.registry import Registry, registry
from livecounters.settling import Waiting, settle, waiting
from livecounters.status import LONG, status_of
from tests.host.models import Attempt, Course, Quiz, Tag
from tests.oracle import assert_exact

pytestmark = pytest.mark.django_db(transaction=True)

several_writers = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer")

LEVELS = ["READ COMMITTED", "REPEATABLE READ"]
THROUGH = Quiz.tags.through._meta.db_table

LINK = f"INSERT INTO {THROUGH} (quiz_id, tag_id) VALUES ({{quiz}}, 'new')"
UNLINK = f"DELETE FROM {THROUGH} WHERE quiz_id = {{quiz}} AND tag_id = 'old'"
ATTEMPT = (
    "INSERT INTO host_attempt (quiz_id, completed, completed_at, score, note) "
    "VALUES ({quiz}, TRUE, '2026-11-20 10:00:00', 7, '')"
)
RETRY = "UPDATE host_attempt SET score = 3 WHERE id = {attempt}"
FORGET = "DELETE FROM host_attempt WHERE id = {attempt}"
HIDE = "UPDATE host_quiz SET published = FALSE WHERE id = {quiz}"
MOVE = "UPDATE host_quiz SET course_id = '{course}' WHERE id = {quiz}"
RENAME = "UPDATE host_course SET title = 'c1' WHERE id = '{course}'"


def declared() -> Registry:
    found = Registry()
    given: dict[str, Any] = {
        "filter": Q(completed=True),
        "points_per_tag": live.Sum("score", per="quiz__tags", filter=Q(quiz__published=True)),
        "titled": live.Count(per="quiz__course", filter=Q(quiz__course__title="c1")),
    }
    found.add(Attempt, type("Joined", (live.LiveModel,), given))
    return found


def truth() -> list[dict[str, Any]]:
    rows = Attempt.objects.filter(completed=True)
    published = rows.filter(quiz__published=True, quiz__tags__isnull=False)
    titled = rows.filter(quiz__course__title="c1")
    return [
        dict(published.values_list("quiz__tags").annotate(n=Sum("score"))),
        {key.hex: n for key, n in titled.values_list("quiz__course").annotate(n=Count("*"))},
    ]


def kept(names: Registry) -> list[dict[str, Any]]:
    found = [Counter(entry).breakdown() for entry in names.counters]
    return [{scope: number for scope, number in one.items() if number} for one in found]


def settle_all(names: Registry) -> None:
    """As the pump does, which looks again and again."""
    for _ in range(10_000):
        if not Mark.objects.exists() and not Suspect.objects.exists():
            return
        settle("default", names)
    raise AssertionError(waiting("default"))


@pytest.fixture
def names() -> Registry:
    found = declared()
    assert not installation.sync("default", found).failed
    return found


@pytest.fixture
def writers() -> Iterator[list[Any]]:
    found = [connection.copy() for _ in range(2)]
    yield found
    for one in found:
        one.close()


def begin(one: Any, level: str = "READ COMMITTED") -> None:
    if one.vendor == "postgresql":
        run(one, f"BEGIN ISOLATION LEVEL {level}")
        # Its snapshot is taken by its first statement.
        run(one, "SELECT 1")
    else:
        run(one, f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
        # Foreign keys make some of them wait for each other, counted or not.
        run(one, "SET SESSION innodb_lock_wait_timeout = 0")
        run(one, "BEGIN")


def run(one: Any, sql: str) -> None:
    with one.cursor() as cursor:
        cursor.execute(sql)


def fill() -> dict[str, Any]:
    """A quiz in a course, with a tag and an attempt; another course and another tag."""
    for model in (Attempt, Quiz, Course, Tag, User):
        model.objects.all().delete()
    old, new = (Tag.objects.create(slug=slug) for slug in ("old", "new"))
    courses = [Course.objects.create(title=f"c{n}") for n in (1, 2)]
    quiz = Quiz.objects.create(title="q", course=courses[0])
    quiz.tags.add(old)
    assert new
    attempt = Attempt.objects.create(
        quiz=quiz, completed=True, completed_at=timezone.now(), score=9
    )
    to = courses[1].pk
    return {
        "quiz": quiz.pk,
        "attempt": attempt.pk,
        "course": to.hex if connection.vendor == "mysql" else to,
    }


PAIRS = [(LINK, ATTEMPT), (LINK, RETRY), (UNLINK, FORGET), (HIDE, ATTEMPT), (MOVE, RENAME)]


@several_writers
@pytest.mark.parametrize(
    ("pair", "level"),
    [
        # Each pair once on every database; on the quicker ones each at both levels.
        pytest.param(pair, level, marks=[pytest.mark.thorough] * ((place + number) % 2))
        for place, pair in enumerate(PAIRS)
        for number, level in enumerate(LEVELS)
    ],
)
def test_every_order_of_two(
    names: Registry, writers: list[Any], pair: tuple[str, str], level: str
) -> None:
    """Begin, change, commit, each: 20 orders. Some of them drift, or they prove nothing; after
    settling none does, folded in between or not."""
    drifted = 0
    for n, order in enumerate(sorted(set(itertools.permutations([0, 0, 0, 1, 1, 1])))):
        known = fill()
        settle_all(names)
        left = [["begin", sql.format(**known), "COMMIT"] for sql in pair]
        for who in order:
            step = left[who].pop(0)
            if step == "begin":
                begin(writers[who], level)
            else:
                try:
                    run(writers[who], step)
                except OperationalError:
                    assert connection.vendor == "mysql"
                    run(writers[who], "ROLLBACK")
            if n % 3 == 1:
                folding.fold("default", declared=names)
            if n % 3 == 2:
                settle("default", names)
        drifted += kept(names) != truth()
        settle_all(names)
        assert kept(names) == truth(), order
    assert drifted or (connection.vendor == "mysql" and not {HIDE, RENAME}.isdisjoint(pair))
    assert not any(audit.verify(measure).wrong for measure in declared_measures(names))


@several_writers
def test_a_forgotten_transaction_delays_settling_and_is_named(
    writers: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = fill()
    settle_all(registry)
    forgotten, other = writers
    begin(forgotten, "REPEATABLE READ")
    run(forgotten, ATTEMPT.format(**known))
    run(other, LINK.format(**known))
    for _ in range(3):
        settle("default")
    assert Mark.objects.exists()

    found = waiting("default")
    assert found.marks == Mark.objects.count()
    assert len(found.holders) == 1
    assert not found.blind
    assert found.holders[0].seconds < LONG
    assert not _problems()
    held = found.holders[0]._replace(seconds=LONG + 1)
    monkeypatch.setattr("livecounters.status.waiting", lambda using: Waiting(found.marks, (held,)))
    (problem,) = _problems()
    assert problem.startswith(f"{found.marks} changes wait to be settled until {held.who} ends")

    run(forgotten, "COMMIT")
    account = account_of(live.counters["per_tag"], of="new")
    assert account.verdict == "differs by -1, until marked changes are settled"
    looked = [audit.verify(measure) for measure in declared_measures()]
    assert not [one.some for one in looked if one.wrong]
    assert any(one.unsettled for one in looked)

    settle_all(registry)
    assert waiting("default") == Waiting()
    assert_exact()


def _problems() -> list[str]:
    return [one for one in status_of("default", timezone.now()).problems if "settled" in one]


@several_writers
def test_whoever_reads_settles_where_no_pump_is(writers: list[Any]) -> None:
    known = fill()
    settle_all(registry)
    counter = live.counters["per_tag"]
    leases.hold(leases.PUMP, "a pump", timezone.now(), 60, feed.database())
    _crossed(writers, known)
    for _ in range(3):
        assert counter.value(of="new") == 1
    assert Mark.objects.filter(seen=None).exists()

    leases.release(leases.PUMP, "a pump", feed.database())
    for _ in range(10_000):
        if counter.value(of="new") == 2:
            break
    assert counter.value(of="new") == 2


def _crossed(writers: list[Any], known: dict[str, Any]) -> None:
    for one in writers:
        begin(one)
    for one, sql in zip(writers, (LINK, ATTEMPT), strict=True):
        run(one, sql.format(**known))
    for one in writers:
        run(one, "COMMIT")


@several_writers
def test_settling_waits_for_no_writer(names: Registry, writers: list[Any]) -> None:
    """Marks that are seen are settled beside others that are just being written."""
    known = fill()
    settle_all(names)
    first, later = writers
    begin(first)
    run(first, ATTEMPT.format(**known))
    Course.objects.update(title="c3")
    settle("default", names)
    assert Mark.objects.exclude(seen=None).exists()
    begin(later)
    run(later, LINK.format(**known))
    run(first, "COMMIT")
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
        else:
            cursor.execute("SET lock_timeout = '1s'")
    try:
        while Mark.objects.exists():
            settle("default", names)
    finally:
        connection.close()
    run(later, "COMMIT")
    settle_all(names)
    assert kept(names) == truth()


@several_writers
def test_another_release_leaves_what_it_does_not_know(names: Registry, writers: list[Any]) -> None:
    known = fill()
    settle_all(names)
    _crossed(writers, known)
    for _ in range(3):
        settle("default", Registry())
        settle("default", registry)
    assert Mark.objects.exists()
    settle_all(names)
    assert kept(names) == truth()


@several_writers
def test_the_commands_settle_and_tell(
    writers: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    known = fill()
    settle_all(registry)
    _crossed(writers, known)
    call_command("livecounters", "status")
    assert f"{Mark.objects.count()} changes to settle" in capsys.readouterr().out
    call_command("livecounters", "explain", "per_tag", "--of", "new")
    told = capsys.readouterr().out
    assert "differs by -1, until marked changes are settled" in told
    assert "host_attempt, host_quiz, host_quiz_tags" in told
    call_command("livecounters", "verify")
    assert "about to be settled: host.per_tag" in capsys.readouterr().out

    while Mark.objects.exists():
        call_command("livecounters", "fold")
    capsys.readouterr()
    call_command("livecounters", "explain", "per_tag", "--of", "new")
    assert "equal" in capsys.readouterr().out


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a database with one writer")
def test_one_writer_settles_nothing(names: Registry) -> None:
    fill()
    assert not Mark.objects.exists()
    assert settle("default", names) == {}
    assert waiting("default") == Waiting()
    assert kept(names) == truth()
