"""The life of an attempt: begin, answer, finish, look at the results.

Some of this is not how one would draw it on a board. It is what real sites do, and what live
numbers must get right all the same; such places say so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from people.tiers import promote

from .models import Attempt, Choice, Question, Quiz

FORGOTTEN_AFTER = timedelta(minutes=30)


@dataclass(frozen=True)
class Reviewed:
    question: Question
    chosen: Choice | None
    correct: Choice | None

    @property
    def right(self) -> bool:
        return self.chosen is not None and self.chosen.correct


def begin(
    quiz: Quiz, *, user, practice: bool, simulated: bool, now: datetime | None = None
) -> Attempt:
    """Start an attempt. A person takes one quiz at a time: what they left unfinished goes.

    Nothing else clears up after people who just close the tab, so each start also sweeps what
    everybody has forgotten. Both are `QuerySet.delete()`, which calls no model's `delete()`.
    """
    now = now or timezone.now()
    unfinished = Attempt.objects.filter(completed=False)
    unfinished.filter(started_at__lt=now - FORGOTTEN_AFTER).delete()
    if user is not None:
        unfinished.filter(user=user).delete()
    return Attempt.objects.create(
        user=user, quiz=quiz, started_at=now, practice=practice, simulated=simulated
    )


def next_question(attempt: Attempt) -> Question | None:
    return attempt.quiz.questions.exclude(pk__in=attempt.answers).first()


def answer(attempt: Attempt, question: Question, choice: Choice) -> None:
    attempt.answers[str(question.pk)] = choice.pk
    attempt.save()


def review(quiz: Quiz, answers: dict[str, int]) -> list[Reviewed]:
    reviewed = []
    for question in quiz.questions.prefetch_related("choices"):
        choices = {choice.pk: choice for choice in question.choices.all()}
        correct = next((choice for choice in choices.values() if choice.correct), None)
        reviewed.append(Reviewed(question, choices.get(answers.get(str(question.pk))), correct))
    return reviewed


def score_of(reviewed: list[Reviewed]) -> int:
    return round(100 * sum(each.right for each in reviewed) / len(reviewed)) if reviewed else 0


@transaction.atomic
def finish(attempt: Attempt) -> None:
    """Complete an attempt. Practice is completed and deleted in the same breath."""
    attempt.score = score_of(review(attempt.quiz, attempt.answers))
    attempt.completed = True
    attempt.completed_at = timezone.now()
    attempt.save()
    if attempt.practice:
        attempt.delete()
    elif attempt.user_id is not None:
        promote([attempt.user_id])


def mark_again(attempt: Attempt) -> list[Reviewed]:
    """Mark a completed attempt afresh, so that a corrected question reaches old results too.

    It saves the whole row and moves its end, though the quiz was completed only once.
    """
    reviewed = review(attempt.quiz, attempt.answers)
    attempt.score = score_of(reviewed)
    attempt.completed_at = timezone.now()
    attempt.save()
    return reviewed
