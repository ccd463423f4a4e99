from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import Count, Q
from django.utils import timezone
from learning.demo import courses, history
from learning.models import Attempt, Choice, Course, Enrolment, Question, Quiz

pytestmark = pytest.mark.django_db


def ids(model):
    return set(model.objects.values_list("pk", flat=True))


def test_every_question_has_four_answers_of_which_one_is_right():
    courses.load()
    assert (Course.objects.count(), Quiz.objects.count(), Question.objects.count()) == (6, 24, 120)
    right = Count("choices", filter=Q(choices__correct=True))
    assert set(
        Question.objects.annotate(all=Count("choices"), right=right).values_list("all", "right")
    ) == {(4, 1)}
    assert len(courses.right_answers()) == 120


def test_loading_the_demo_twice_changes_nothing():
    call_command("load_demo", verbosity=0)
    models = (Course, Quiz, Question, Choice, User, Attempt, Enrolment)
    before = {model: ids(model) for model in models}
    assert len(before[Attempt]) == history.ATTEMPTS
    assert len(before[Enrolment]) == history.ENROLMENTS
    call_command("load_demo", verbosity=0)
    assert {model: ids(model) for model in models} == before
    call_command("load_demo", fresh=True, verbosity=0)
    assert len(ids(Attempt)) == history.ATTEMPTS
    assert not ids(Attempt) & before[Attempt]


def test_history_is_simulated_past_and_the_same_every_time():
    courses.load()
    users = history.load_people()
    now = timezone.now()

    def tell():
        history.load(users, now)
        told = list(
            Attempt.objects.order_by("pk").values_list("user", "quiz", "completed_at", "score")
        )
        Attempt.objects.all().delete()
        Enrolment.objects.all().delete()
        return told

    first = tell()
    assert first == tell()
    moments = [completed_at for _, _, completed_at, _ in first]
    assert moments == sorted(moments)
    assert now - moments[-1] > timedelta(0)


def test_real_activity_survives_a_fresh_load(quiz, user):
    attempt = Attempt.objects.create(quiz=quiz, user=user)
    call_command("load_demo", verbosity=0)
    call_command("load_demo", fresh=True, verbosity=0)
    assert Attempt.objects.filter(pk=attempt.pk).exists()
    assert not Attempt.objects.exclude(pk=attempt.pk).filter(simulated=False).exists()
