"""Random hosts: any mix of writes, rollbacks, folds and repairs leaves kept equal to counted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from livecounters import audit, capture, feed, folding, installation, retention
from livecounters.measures import declared_measures
from livecounters.models import ActivityEvent
from livecounters.muting import muted
from tests.host.models import Attempt, Course, Quiz, Sale, Tag
from tests.oracle import assert_audited, assert_exact

keys = st.integers(0, 4)
scores = st.none() | st.integers(-5, 105)
ages = st.none() | st.integers(-2 * 24 * 60, 45 * 24 * 60)
prices = st.decimals("-99.99", "99.99", places=2)

# Whether an upsert may say which conflict it is about.
TARGETED = connection.features.supports_update_conflicts_with_target


class Rollback(Exception):
    pass


class Host(RuleBasedStateMachine):
    """The writes of a host, each perhaps inside a transaction that fails."""

    def __init__(self) -> None:
        super().__init__()
        for model in (Attempt, Sale, Quiz, Course, Tag, User):
            model._default_manager.all().delete()
        self.courses = [Course.objects.create(title=str(n)) for n in range(2)]
        self.quizzes = [Quiz.objects.create(title=str(n)) for n in range(5)]
        self.tags = [Tag.objects.create(slug=slug) for slug in ("a", "A/b", "é")]
        for number, quiz in enumerate(self.quizzes):
            quiz.tags.set(self.tags[: number % 3])
        self.people = [User.objects.create(username=str(n)) for n in range(4)]
        self.now = timezone.now()
        self.steps = 0

    def _attempt(self, key: int, score: int | None, age: int | None, done: bool) -> Attempt:
        at = None if age is None else self.now - dt.timedelta(minutes=age)
        user = [*self.people, None][key]
        return Attempt(
            quiz=self._quiz(key), user=user, score=score, completed_at=at, completed=done
        )

    def _quiz(self, key: int) -> Quiz:
        quiz = Quiz.objects.filter(title=str(key)).first()
        return quiz or Quiz.objects.create(title=str(key))

    @rule(key=keys, score=scores, age=ages, done=st.booleans(), times=st.integers(1, 3))
    def create_and_save_again(self, key: int, times: int, **given: Any) -> None:
        row = self._attempt(key, **given)
        for _ in range(times):
            row.save()

    @rule(key=keys, score=scores, age=ages, done=st.booleans(), number=st.integers(0, 9))
    def bulk_create(self, key: int, number: int, **given: Any) -> None:
        Attempt.objects.bulk_create([self._attempt(key, **given) for _ in range(number)])

    @rule(key=keys, score=scores, age=ages, done=st.booleans(), ignore=st.booleans())
    def upsert(self, key: int, ignore: bool, **given: Any) -> None:
        row = self._attempt(key, **given)
        row.code = str(key)
        how: dict[str, Any] = {"ignore_conflicts": True}
        if not ignore:
            how = {
                "update_conflicts": True,
                "unique_fields": ["code"] if TARGETED else None,
                "update_fields": ["score", "completed", "completed_at", "user"],
            }
        Attempt.objects.bulk_create([row], **how)

    @rule(key=keys, to=keys, age=ages)
    def update(self, key: int, to: int, age: int | None) -> None:
        moved = None if age is None else self.now - dt.timedelta(minutes=age)
        rows = Attempt.objects.filter(quiz__title=str(key))
        rows.update(quiz=self._quiz(to), score=F("score") + 1, completed_at=moved)

    @rule(key=keys, done=st.booleans())
    def flip(self, key: int, done: bool) -> None:
        Attempt.objects.filter(user=[*self.people, None][key]).update(completed=done)

    @rule(key=keys)
    def delete(self, key: int) -> None:
        Attempt.objects.filter(quiz__title=str(key)).delete()

    @rule(key=keys)
    def cascade(self, key: int) -> None:
        Quiz.objects.filter(title=str(key)).delete()

    @rule(price=prices, quantity=st.integers(0, 5), currency=st.sampled_from(["EUR", "eur", "é"]))
    def sell(self, **given: Any) -> None:
        Sale.objects.create(day=timezone.localdate(self.now), course=self.courses[0], **given)

    @rule(key=keys, score=scores, done=st.booleans())
    def bulk_update(self, key: int, score: int | None, done: bool) -> None:
        rows = list(Attempt.objects.filter(user=[*self.people, None][key])[:5])
        for number, row in enumerate(rows):
            row.quiz, row.completed = self._quiz(number), done
            row.score = None if score is None else score + number
        Attempt.objects.bulk_update(rows, ["quiz", "completed", "score"])

    @rule(key=keys, to=keys)
    def re_parent(self, key: int, to: int) -> None:
        row = Attempt.objects.filter(quiz__title=str(key)).order_by("pk").first()
        if row is not None:
            row.quiz = self._quiz(to)
            row.save(update_fields=["quiz"])

    @rule(key=keys, course=st.integers(0, 1))
    def move_a_whole_group(self, key: int, course: int) -> None:
        Quiz.objects.filter(title=str(key)).update(course=self.courses[course], title=str(key))

    @rule(key=keys, how=st.sampled_from(["add", "remove", "set", "clear"]), tag=st.integers(0, 2))
    def tag(self, key: int, how: str, tag: int) -> None:
        tags, one = self._quiz(key).tags, self.tags[tag]
        if how == "clear":
            tags.clear()
        elif how == "set":
            tags.set([one])
        else:
            getattr(tags, how)(one, self.tags[0])

    @rule(tag=st.integers(0, 2), some=st.lists(keys, max_size=3))
    def tag_from_the_other_side(self, tag: int, some: list[int]) -> None:
        self.tags[tag].quiz_set.set([self._quiz(key) for key in some])

    @rule(published=st.booleans(), key=keys)
    def publish(self, published: bool, key: int) -> None:
        Quiz.objects.filter(title__gte=str(key)).update(published=published)

    @rule(tag=st.integers(0, 2))
    def lose_a_tag(self, tag: int) -> None:
        slug = self.tags[tag].slug
        self.tags[tag].delete()
        self.tags[tag] = Tag.objects.create(slug=slug)

    @rule(key=keys)
    def forget_somebody(self, key: int) -> None:
        Attempt.objects.filter(user=[*self.people, None][key]).update(user=None)

    @rule(price=prices, gift=st.booleans())
    def reprice(self, price: Any, gift: bool) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE host_sale SET price = price + %s, gift = %s WHERE quantity > 2",
                [str(price), gift],
            )

    @rule(data=st.data(), fails=st.booleans(), told=st.booleans())
    def in_a_transaction(self, data: st.DataObject, fails: bool, told: bool) -> None:
        try:
            with transaction.atomic(), muted() if told else transaction.atomic():
                for _ in range(data.draw(st.integers(1, 3))):
                    key, score = data.draw(keys), data.draw(scores)
                    self._attempt(key, score, 5, True).save()
                    self.update(key, data.draw(keys), 7)
                if fails:
                    raise Rollback
        except Rollback:
            pass

    @rule(data=st.data(), keep=st.lists(st.booleans(), min_size=1, max_size=3))
    def in_savepoints(self, data: st.DataObject, keep: list[bool]) -> None:
        with transaction.atomic():
            for kept in keep:
                point = transaction.savepoint()
                self._attempt(data.draw(keys), data.draw(scores), 3, True).save()
                self.re_parent(data.draw(keys), data.draw(keys))
                if kept:
                    transaction.savepoint_commit(point)
                else:
                    transaction.savepoint_rollback(point)

    @rule(score=st.integers(0, 100), key=keys)
    def by_hand(self, score: int, key: int) -> None:
        quiz = self._quiz(key)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO host_attempt (quiz_id, completed, score, note) VALUES (%s, %s, %s, '')",
                [quiz.pk, True, score],
            )
            cursor.execute(
                "UPDATE host_attempt SET completed = NOT completed WHERE score = %s", [key]
            )
            cursor.execute("DELETE FROM host_attempt WHERE score > 103")

    @rule(number=st.integers(0, 50))
    def repair(self, number: int) -> None:
        measures = declared_measures()
        assert audit.repair(measures[number % len(measures)], now=self.now) == 0

    @rule()
    def prune(self) -> None:
        retention.prune("default", self.now)

    @rule()
    def fold(self) -> None:
        folding.fold("default")

    @rule()
    def number(self) -> None:
        feed.number()

    # Elsewhere it would commit what each example is to be rolled back with.
    @precondition(lambda self: connection.features.can_rollback_ddl)
    @rule(table=st.sampled_from(["host_attempt", "host_sale"]), key=keys)
    def lose_the_triggers(self, table: str, key: int) -> None:
        capture.detach("default", [table])
        self.flip(key, True)
        assert_audited(self.now)
        installation.sync("default")

    # The audit of every measure costs more than all the rest.
    audited_every = 5

    @invariant()
    def kept_is_counted(self) -> None:
        self.steps += 1
        if self.steps % self.audited_every == 0:
            assert_audited(self.now)
        else:
            assert_exact(self.now)

    @invariant()
    def every_row_is_told_at_most_once(self) -> None:
        told = ActivityEvent.objects.filter(kind="host.quiz_completed", seq__gt=0)
        numbers = list(told.values_list("seq", flat=True))
        assert len(numbers) == len(set(numbers))


def _run(examples: int, steps: int, audited_every: int = 5) -> None:
    every = audited_every

    class Rolled(Host):
        """Each example in a transaction of its own that is rolled back."""

        audited_every = every

        def __init__(self) -> None:
            self.atomic = transaction.atomic()
            self.atomic.__enter__()
            super().__init__()

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    run_state_machine_as_test(
        Rolled,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_kept_is_counted() -> None:
    _run(examples=6, steps=20)


@pytest.mark.soak
@pytest.mark.django_db
def test_kept_is_counted_for_long() -> None:
    _run(examples=1000, steps=100, audited_every=20)
