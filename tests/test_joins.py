"""Counters over relations: every change of every table that decides."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone

import livecounters as live
from livecounters import audit, folding, installation
from livecounters.measures import declared_measures
from livecounters.models import Measured
from livecounters.readers import Counter
from livecounters.registry import Registry
from tests.host.models import Attempt, Course, Quiz, Tag

pytestmark = pytest.mark.django_db


def declared() -> Registry:
    found = Registry()
    given: dict[str, Any] = {
        "filter": Q(completed=True),
        "at": "completed_at",
        "per_tag": live.Count(per="quiz__tags"),
        "score_per_tag": live.Avg("score", per="quiz__tags"),
        "score_per_course": live.Sum("score", per="quiz__course"),
        "published": live.Count(filter=Q(quiz__published=True)),
        "learners_per_course": live.Count("user", distinct=True, per="quiz__course"),
        "published_per_tag": live.Count(filter=Q(quiz__published=True), per="quiz__tags"),
        "titled": live.Count(filter=Q(quiz__course__title="c1"), per="user"),
        "best_per_tag": live.Max("score", per="quiz__tags"),
        "per_tag_and_user": live.Count(per=("quiz__tags", "user")),
        "score_per_title": live.Sum("score", per=("quiz__title", "quiz__course")),
    }
    found.add(Attempt, type("Joined", (live.LiveModel,), given))
    found.add(
        Tag,
        type(
            "Tags",
            (live.LiveModel,),
            {
                "tagged_attempts": live.Count(
                    per="quiz__course", filter=Q(quiz__attempt__completed=True)
                )
            },
        ),
    )
    return found


def scope(keys: Sequence[Any]) -> str:
    """As the papers say it, not as the sources do."""
    texts = [key.hex if hasattr(key, "hex") else str(key) for key in keys]
    if len(texts) > 1:
        texts = [text.replace("~", "~0").replace("/", "~1") for text in texts]
    return "/".join(texts)


def truth() -> dict[str, Any]:
    rows = Attempt.objects.filter(completed=True)

    def per(path: str | tuple[str, ...], what: Any, rows: Any = rows) -> dict[str, Any]:
        paths = path if isinstance(path, tuple) else (path,)
        rows = rows.filter(**{f"{one}__isnull": False for one in paths})
        found = rows.values_list(*paths).annotate(n=what)
        return {scope(keys): value for *keys, value in found if value}

    published = rows.filter(quiz__published=True)
    return {
        "per_tag": per("quiz__tags", Count("*")),
        "score_per_course": per("quiz__course", Sum("score")),
        "published": published.count(),
        "learners_per_course": per("quiz__course", Count("user", distinct=True)),
        "published_per_tag": per("quiz__tags", Count("*"), published),
        "titled": per("user", Count("*"), rows.filter(quiz__course__title="c1")),
        # The same quiz that has the attempt: an attempt counts once for each tag.
        "tagged_attempts": per("quiz__course", Count("quiz__tags")),
        "per_tag_and_user": per(("quiz__tags", "user"), Count("*")),
        "score_per_title": per(("quiz__title", "quiz__course"), Sum("score")),
    }


def kept(names: Registry) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in truth():
        counter = Counter(names.counters.get(name))
        if counter.entry.declared.per is None:
            found[name] = counter.value()
        else:
            found[name] = {key: value for key, value in counter.breakdown().items() if value}
    return found


def assert_right(names: Registry) -> None:
    assert kept(names) == truth()
    for measure in declared_measures(names):
        assert Measured.objects.get(measure=measure.key).ready
        found = audit.verify(measure)
        assert not found.wrong, (measure.scope, measure.where, found.some[:3])


@pytest.fixture
def names() -> Registry:
    found = declared()
    report = installation.sync("default", found)
    assert not report.failed
    assert not report.unfinished
    return found


def people() -> None:
    for n in range(3):
        Course.objects.create(title=f"c{n}")
        Tag.objects.create(slug=f"t{n}")
        User.objects.create(username=f"u{n}")


def some(chance: random.Random, model: Any) -> Any:
    rows = list(model.objects.order_by("pk"))
    return chance.choice(rows) if rows else None


def attempt(chance: random.Random) -> None:
    if quiz := some(chance, Quiz):
        Attempt.objects.create(
            quiz=quiz,
            user=some(chance, User),
            completed=chance.random() < 0.8,
            completed_at=timezone.now(),
            score=chance.choice([None, 1, 50, 100]),
        )


def attempts(chance: random.Random) -> None:
    if quiz := some(chance, Quiz):
        Attempt.objects.bulk_create(
            Attempt(quiz=quiz, completed=True, completed_at=timezone.now(), score=n)
            for n in range(3)
        )


def quiz(chance: random.Random) -> None:
    made = Quiz.objects.create(
        title=chance.choice(["q", "Q", "a/b", "~0/", ""]),
        course=some(chance, Course),
        published=chance.random() < 0.5,
    )
    made.tags.set(Tag.objects.order_by("?")[:2])


def toggle(chance: random.Random) -> None:
    if found := some(chance, Quiz):
        Quiz.objects.filter(pk=found.pk).update(published=not found.published)


def move(chance: random.Random) -> None:
    if found := some(chance, Quiz):
        found.course = some(chance, Course)
        found.save()


def reparent(chance: random.Random) -> None:
    if (found := some(chance, Attempt)) and (to := some(chance, Quiz)):
        Attempt.objects.filter(pk=found.pk).update(quiz=to, score=F("score"))


def rename(chance: random.Random) -> None:
    Course.objects.filter(pk=some(chance, Course).pk).update(title=chance.choice(["c1", "c2"]))


def tag(chance: random.Random) -> None:
    if found := some(chance, Quiz):
        how = chance.choice(["add", "remove", "set", "clear"])
        if how == "clear":
            found.tags.clear()
        elif how == "set":
            found.tags.set([some(chance, Tag)])
        else:
            getattr(found.tags, how)(some(chance, Tag))


def drop(chance: random.Random) -> None:
    if found := some(chance, chance.choice([Attempt, Quiz])):
        found.delete()


def roll_back(chance: random.Random) -> None:
    with transaction.atomic():
        chance.choice(OPERATIONS)(chance)
        transaction.set_rollback(True)


OPERATIONS: list[Callable[[random.Random], None]] = [
    attempt,
    attempt,
    attempts,
    quiz,
    toggle,
    move,
    reparent,
    rename,
    tag,
    tag,
    drop,
    roll_back,
]


@pytest.mark.parametrize("seed", range(3))
def test_every_change_of_every_table(names: Registry, seed: int) -> None:
    chance = random.Random(seed)
    people()
    for step in range(60):
        chance.choice(OPERATIONS)(chance)
        if step % 5 == 0:
            assert kept(names) == truth(), step
        if step % 20 == 19:
            folding.fold("default", declared=names)
    assert_right(names)


def test_what_was_there_before() -> None:
    chance = random.Random(9)
    people()
    for _ in range(60):
        chance.choice(OPERATIONS)(chance)
    found = declared()
    installation.sync("default", found)
    assert_right(found)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="constraints can be changed")
@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_a_cascade_of_the_database(names: Registry, action: str) -> None:
    """A course takes its quizzes along, those their tags and attempts, all in one statement."""
    fields = [Quiz._meta.get_field("course"), Attempt._meta.get_field("quiz")]
    through = Quiz.tags.through
    with connection.cursor() as cursor, connection.schema_editor() as editor:
        for field in [*fields, through._meta.get_field("quiz"), through._meta.get_field("tag")]:
            table = field.model._meta.db_table
            (found,) = editor._constraint_names(field.model, [field.column], foreign_key=True)
            to = field.related_model._meta
            how = action if field.null else "CASCADE"
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{found}"')
            cursor.execute(
                f"ALTER TABLE {table} ADD FOREIGN KEY ({field.column}) REFERENCES {to.db_table} "
                f"({to.pk.column}) ON DELETE {how} DEFERRABLE INITIALLY DEFERRED"
            )
    chance = random.Random(3)
    people()
    for _ in range(3):
        for operation in (quiz, quiz, attempt, attempts, attempt, tag):
            operation(chance)
    assert_right(names)
    for table in ("host_quiz_tags", "host_tag", "host_quiz", "host_course"):
        with connection.cursor() as cursor:
            key = "slug" if table == "host_tag" else "id"
            cursor.execute(
                f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} LIMIT 2)"
            )
        assert_right(names)
        folding.fold("default", declared=names)
        attempts(chance)
    assert_right(names)
