from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import Count, Q
from django.utils import timezone
from learning.demo import courses, history
from learning.models import Attempt, Choice, Course, Enrolment, Question, Quiz
from packages.demo import catalogue
from packages.demo import history as packages_history
from packages.models import Like, Package, Purchase, Rating

pytestmark = pytest.mark.django_db


ACTIVITY = (Attempt, Enrolment, Like, Rating, Purchase)


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
    models = (Course, Quiz, Question, Choice, User, Package, *ACTIVITY)
    before = {model: ids(model) for model in models}
    assert len(before[Attempt]) == history.ATTEMPTS
    assert len(before[Enrolment]) == history.ENROLMENTS
    assert len(before[Like]) == packages_history.LIKES
    assert len(before[Rating]) == packages_history.RATINGS
    assert len(before[Purchase]) == packages_history.PURCHASES
    call_command("load_demo", verbosity=0)
    assert {model: ids(model) for model in models} == before
    call_command("load_demo", fresh=True, verbosity=0)
    for model in ACTIVITY:
        assert len(ids(model)) == len(before[model])
        assert not ids(model) & before[model]


def test_history_is_simulated_past_and_the_same_every_time():
    courses.load()
    catalogue.load()
    users = history.load_people()
    now = timezone.now()
    said = {
        Attempt: ("user", "quiz", "completed_at", "score"),
        Enrolment: ("user", "course", "activated_at"),
        Like: ("user", "quiz", "created_at"),
        Rating: ("user", "quiz", "created_at", "updated_at", "stars"),
        Purchase: ("user", "package", "created_at", "price", "currency"),
    }

    def tell():
        history.load(users, now)
        told = {
            model: list(model.objects.order_by("pk").values_list(*names))
            for model, names in said.items()
        }
        for model in ACTIVITY:
            model.objects.all().delete()
        return told

    first = tell()
    assert first == tell()
    for model, place in ((Attempt, 2), (Purchase, 2)):
        moments = [told[place] for told in first[model]]
        assert moments == sorted(moments)
        assert now - moments[-1] > timedelta(0)


def test_packages_share_quizzes_and_all_quizzes_of_them_are_there():
    courses.load()
    catalogue.load()
    for data in catalogue.read():
        package = Package.objects.get(slug=data["slug"])
        assert set(package.quizzes.values_list("title", flat=True)) == set(data["quizzes"])
    assert Quiz.objects.annotate(number=Count("packages")).filter(number__gt=1).count() > 3


def test_real_activity_survives_a_fresh_load(quiz, user):
    attempt = Attempt.objects.create(quiz=quiz, user=user)
    call_command("load_demo", verbosity=0)
    call_command("load_demo", fresh=True, verbosity=0)
    assert Attempt.objects.filter(pk=attempt.pk).exists()
    assert not Attempt.objects.exclude(pk=attempt.pk).filter(simulated=False).exists()
