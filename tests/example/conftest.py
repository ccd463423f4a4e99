import pytest
from django.contrib.auth import get_user_model
from learning.models import Choice, Course, Question, Quiz


@pytest.fixture(autouse=True)
def _urls(settings):
    settings.ROOT_URLCONF = "lantern.urls"
    settings.LOGIN_URL = "people:login"
    settings.LOGIN_REDIRECT_URL = "learning:home"
    settings.LOGOUT_REDIRECT_URL = "learning:home"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def course(db):
    return Course.objects.create(title="Knots", slug="knots", category="Outdoors")


@pytest.fixture
def quiz(course):
    quiz = Quiz.objects.create(course=course, title="Hitches", position=0)
    for position in range(2):
        question = Question.objects.create(
            quiz=quiz, text=f"Question {position}", position=position
        )
        for place, text in enumerate(("right", "wrong")):
            Choice.objects.create(
                question=question, text=text, correct=text == "right", position=place
            )
    return quiz


@pytest.fixture
def user(db):
    return get_user_model().objects.create_user("ines", password="secret", first_name="Ines")


@pytest.fixture
def member(client, user):
    """A client that is signed in."""
    client.force_login(user)
    return client
