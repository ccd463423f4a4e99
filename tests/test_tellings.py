"""Tellings: which rows are told, what is told of them, and what no trigger could tell."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Concat, Now
from django.utils import timezone

import livecounters as live
from livecounters.exceptions import Unmeasurable
from livecounters.models import ActivityEvent
from livecounters.registry import Registry, registry
from livecounters.rows import source_columns, used_tables
from livecounters.tellings import Telling, party, telling_of
from tests.host.models import Attempt, Course, Quiz, Sale


def telling(activity: Any = None, model: Any = Attempt, **declared: Any) -> Telling:
    names = Registry()
    told = activity or live.Activity("x")
    names.add(model, type("Declared", (live.LiveModel,), {"told": told, **declared}))
    return telling_of(names.activities.get("told"))


def test_a_sentence_alone_has_a_source_only() -> None:
    found = telling()

    assert found.columns == {"source"}
    assert (found.kind, found.model, found.using) == ("host.told", Attempt, "default")
    assert (found.actor_model, found.target_model) == ("", "")
    assert found.field("actor") is None


def test_all_that_is_told() -> None:
    found = telling_of(registry.activities.get("quiz_completed"))

    assert found.columns == {"source", "actor", "target", "label", "data", "at"}
    assert (found.actor_model, found.target_model) == ("auth.user", "host.quiz")
    assert isinstance(found.field("source"), models.BigAutoField)
    assert used_tables(found.rows) == {"host_attempt", "host_quiz"}
    assert source_columns(found.rows) == [
        "id",
        "quiz_id",
        "user_id",
        "completed",
        "completed_at",
        "score",
    ]


def test_labels_and_targets_over_foreign_keys() -> None:
    found = telling(
        live.Activity(
            "x",
            target="quiz__course",
            target_label=Concat("quiz__course__title", "quiz__title"),
            data={"course": "quiz__course__title"},
            filter=Q(quiz__published=True),
        )
    )

    assert found.target_model == "host.course"
    assert used_tables(found.rows) == {"host_attempt", "host_quiz", "host_course"}


def test_an_actor_need_not_be_a_person() -> None:
    found = telling(model=Sale, actor="currency")

    assert found.actor_model == ""
    assert isinstance(found.field("actor"), models.CharField)
    assert telling(actor="quiz").actor_model == "host.quiz"


def test_its_own_time_precedes_the_class_s() -> None:
    own = telling(live.Activity("x", at=F("completed_at")), at="nothing", model=Attempt)

    assert source_columns(own.rows) == ["id", "completed_at"]


@pytest.mark.parametrize(
    ("activity", "declared", "check_id", "reason"),
    [
        (live.Activity("x", target="score"), {}, "E009", "target='score' is no foreign key."),
        (live.Activity("x", target="note"), {}, "E007", "'target' is a TextField"),
        (live.Activity("x", target="quiz__tags"), {}, "E004", "over a relation to many rows"),
        (live.Activity("x", target_label="quiz__tags__slug"), {}, "E004", "to many rows of"),
        (live.Activity("x", data={"n": "quiz__attempt__score"}), {}, "E004", "to many rows of"),
        (live.Activity("x", filter=Q(quiz__tags="a")), {}, "E004", "to many rows of"),
        (live.Activity("x", filter=~Q(quiz__tags="a")), {}, "E005", "a subquery cannot be kept"),
        (live.Activity("x", filter=Q(completed_at__lt=Now())), {}, "E005", "Now() gives"),
        (live.Activity("x", at="score"), {}, "E008", "its time is no date and no datetime."),
        (live.Activity("x"), {"at": "note"}, "E008", "its time is no date and no datetime."),
        (live.Activity("x"), {"actor": "note"}, "E007", "'actor' is a TextField"),
        (live.Activity("x"), {"actor": "nobody"}, "E002", "Cannot resolve keyword 'nobody'"),
        (live.Activity("x", target_label="nothing"), {}, "E002", "Cannot resolve keyword"),
        (live.Activity("x", data={"n": "nothing"}), {}, "E002", "Cannot resolve keyword"),
        (live.Activity("x", data={"n": int}), {}, "E022", "'n' in its data is <class 'int'>"),
    ],
)
def test_why_it_cannot_be_told(
    activity: Any, declared: dict[str, Any], check_id: str, reason: str
) -> None:
    with pytest.raises(Unmeasurable) as caught:
        telling(activity, **declared)
    assert caught.value.check_id == check_id
    assert reason in str(caught.value)
    assert caught.value.hint


def test_looks_do_not_matter_to_the_triggers() -> None:
    one = telling(live.Activity("{actor} was here", target="quiz"))
    other = telling(live.Activity("here was {actor}", target="quiz", icon="star", public=True))

    assert one.digest == other.digest


@pytest.mark.parametrize(
    ("activity", "declared"),
    [
        (live.Activity("x", target="quiz"), {}),
        (live.Activity("x", target_label="code"), {}),
        (live.Activity("x", data={"a": "score"}), {}),
        (live.Activity("x", data={"b": "score"}), {}),
        (live.Activity("x", at="completed_at"), {}),
        (live.Activity("x", filter=Q(completed=True)), {}),
        (live.Activity("x", anonymous="show"), {}),
        (live.Activity("x", anonymous="skip"), {}),
        (live.Activity("x"), {"actor": "user"}),
        (live.Activity("x"), {"at": "completed_at"}),
        (live.Activity("x"), {"filter": Q(score=1)}),
    ],
)
def test_whatever_is_told_matters(activity: Any, declared: dict[str, Any]) -> None:
    assert telling(activity, **declared).digest != telling().digest


@pytest.mark.django_db
def test_what_is_told_is_what_it_was() -> None:
    course = Course.objects.create(title="Maths")
    quiz = Quiz.objects.create(title="<b>Frac'tions</b> {0} %s", course=course)
    ada = User.objects.create(username="ada")
    Attempt.objects.create(
        quiz=quiz, user=ada, completed=True, completed_at=timezone.now(), score=None
    )

    event = ActivityEvent.objects.get(kind="host.quiz_completed")
    Quiz.objects.update(title="Renamed")
    event.refresh_from_db()
    assert event.target_label == "<b>Frac'tions</b> {0} %s"
    assert event.data == {"score": None}


@pytest.mark.django_db
def test_a_join_drops_no_row() -> None:
    # The quiz has no course: labels over it are empty, the rest is told.
    quiz = Quiz.objects.create(title="Alone")
    attempt = Attempt.objects.create(quiz=quiz, completed=True)
    found = telling(live.Activity("x", target="quiz", target_label="quiz__course__title"))

    assert list(found.rows) == [(attempt.pk, quiz.pk, None)]


def test_whose_actors_and_targets() -> None:
    names = Registry()
    site = {
        "done": live.Activity("x", target=Quiz),
        "plain": live.Activity("x"),
    }
    names.add_site(type("Site", (live.LiveSite,), site))

    told, done = registry.activities.get("quiz_completed"), names.activities.get("done")
    for activity in (told, done):
        assert party(activity, "actor") == "auth.user"
        assert party(activity, "target") == "host.quiz"
    assert party(names.activities.get("plain"), "target") == ""
