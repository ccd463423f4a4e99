from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from learning.models import Attempt
from learning.simulation import USER_AGENT

from tests.example.taking import answer, start, take

pytestmark = pytest.mark.django_db


def test_each_question_is_asked_and_the_score_is_counted(member, user, quiz):
    attempt = start(member, quiz)
    first, second = quiz.questions.all()
    assert (
        "Question 0" in member.get(reverse("learning:question", args=[attempt.pk])).content.decode()
    )
    response = answer(member, attempt, first, "right")
    assert "Question 1" in member.get(response.url).content.decode()
    response = answer(member, attempt, second, "wrong")

    assert response.url == reverse("learning:results", args=[attempt.pk])
    attempt.refresh_from_db()
    assert (attempt.user, attempt.completed, attempt.score) == (user, True, 50)
    page = member.get(response.url)
    assert page.context["score"] == 50
    assert "You said: wrong" in page.content.decode()


def test_without_a_choice_the_question_is_asked_again(member, quiz):
    attempt = start(member, quiz)
    data = {"question": quiz.questions.first().pk}
    page = member.post(reverse("learning:question", args=[attempt.pk]), data)
    assert "Choose an answer first." in page.content.decode()


def test_a_choice_of_another_question_is_refused(member, quiz):
    first, second = quiz.questions.all()
    attempt = start(member, quiz)
    data = {"question": first.pk, "choice": second.choices.first().pk}
    page = member.post(reverse("learning:question", args=[attempt.pk]), data)
    assert "Choose one of the answers below." in page.content.decode()
    attempt.refresh_from_db()
    assert attempt.answers == {}


def test_an_answer_sent_twice_counts_once(member, quiz):
    first, second = quiz.questions.all()
    attempt = start(member, quiz)
    answer(member, attempt, first, "wrong")
    answer(member, attempt, first, "right")
    attempt.refresh_from_db()
    assert attempt.answers == {str(first.pk): first.choices.get(text="wrong").pk}
    answer(member, attempt, second, "right")
    ended = Attempt.objects.get().completed_at
    answer(member, attempt, second, "right")
    assert Attempt.objects.get().completed_at == ended


def test_a_guest_keeps_the_attempt_in_the_session(client, quiz):
    response = take(client, quiz, "right", "right")
    attempt = Attempt.objects.get()
    assert (attempt.user, attempt.score) == (None, 100)
    assert client.get(response.url).status_code == 200


def test_nobody_sees_an_attempt_of_somebody_else(client, member, quiz, django_user_model):
    response = take(member, quiz, "right", "right")
    client.force_login(django_user_model.objects.create_user("other"))
    assert client.get(response.url).status_code == 404
    client.logout()
    assert client.get(response.url).status_code == 404


def test_looking_at_the_results_saves_the_attempt_again_and_moves_its_end(member, quiz):
    response = take(member, quiz, "right", "wrong")
    ended = Attempt.objects.get().completed_at
    member.get(response.url)
    once = Attempt.objects.get().completed_at
    member.get(response.url)
    assert ended < once < Attempt.objects.get().completed_at


def test_a_corrected_question_reaches_old_results(member, quiz):
    response = take(member, quiz, "right", "wrong")
    quiz.questions.last().choices.filter(text="wrong").update(correct=True)
    assert member.get(response.url).context["score"] == 100
    assert Attempt.objects.get().score == 100


def test_practice_leaves_no_row_but_shows_the_answers(member, quiz):
    response = take(member, quiz, "right", "wrong", mode="practice")
    assert not Attempt.objects.exists()
    page = member.get(response.url)
    assert page.context["score"] == 50
    assert "This was practice" in page.content.decode()


def test_practice_results_without_practice_lead_home(client):
    assert client.get(reverse("learning:practice")).url == reverse("learning:home")


def test_leaving_deletes_the_attempt(member, quiz):
    attempt = start(member, quiz)
    response = member.post(reverse("learning:leave_quiz", args=[attempt.pk]))
    assert response.url == quiz.get_absolute_url()
    assert not Attempt.objects.exists()


def test_a_completed_attempt_cannot_be_left(member, quiz):
    take(member, quiz, "right", "right")
    member.post(reverse("learning:leave_quiz", args=[Attempt.objects.get().pk]))
    assert Attempt.objects.exists()


def test_starting_replaces_what_the_person_left_unfinished(member, quiz):
    start(member, quiz)
    again = start(member, quiz)
    assert Attempt.objects.get() == again


def test_starting_sweeps_what_guests_have_forgotten(client, quiz):
    forgotten = start(client, quiz)
    Attempt.objects.update(started_at=timezone.now() - timedelta(hours=1))
    recent = start(client, quiz)
    assert not Attempt.objects.filter(pk=forgotten.pk).exists()
    start(client, quiz)
    assert Attempt.objects.filter(pk=recent.pk).exists()


def test_an_unfinished_quiz_can_be_continued(member, quiz):
    attempt = start(member, quiz)
    page = member.get(quiz.get_absolute_url())
    assert page.context["unfinished"] == attempt
    assert member.get(reverse("learning:results", args=[attempt.pk])).url == reverse(
        "learning:question", args=[attempt.pk]
    )


def test_a_quiz_without_questions_cannot_be_started(member, quiz):
    quiz.questions.all().delete()
    assert member.post(reverse("learning:start", args=[quiz.pk])).status_code == 404


@pytest.mark.parametrize(("agent", "simulated"), [(USER_AGENT, True), ("Mozilla/5.0", False)])
def test_simulated_learners_are_marked(client, quiz, agent, simulated):
    client.post(reverse("learning:start", args=[quiz.pk]), headers={"user-agent": agent})
    assert Attempt.objects.get().simulated is simulated
