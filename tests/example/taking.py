"""How a test takes a quiz through the pages."""

from django.urls import reverse
from learning.models import Attempt, Question


def start(client, quiz, **data) -> Attempt:
    client.post(reverse("learning:start", args=[quiz.pk]), data)
    return Attempt.objects.latest("pk")


def answer(client, attempt: Attempt, question: Question, text: str):
    choice = question.choices.get(text=text)
    url = reverse("learning:question", args=[attempt.pk])
    return client.post(url, {"question": question.pk, "choice": choice.pk})


def take(client, quiz, *answers: str, **data):
    """Answer the questions in their order; the last response."""
    attempt = start(client, quiz, **data)
    for question, text in zip(quiz.questions.all(), answers, strict=True):
        response = answer(client, attempt, question, text)
    return response
