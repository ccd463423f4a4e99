"""The courses, read from the TOML files beside this module."""

import random
import tomllib
from pathlib import Path
from typing import Any

from ..models import Choice, Course, Question, Quiz

FOLDER = Path(__file__).parent / "content"


def read() -> list[dict[str, Any]]:
    return [
        tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))
    ]


def right_answers() -> dict[str, str]:
    """What a learner who knows everything would choose: question -> answer."""
    quizzes = [quiz for course in read() for quiz in course["quizzes"]]
    return {
        question["text"]: question["right"] for quiz in quizzes for question in quiz["questions"]
    }


def load() -> None:
    """Bring the courses into the database, or up to date where they are there already."""
    for data in read():
        fields = {name: data[name] for name in ("title", "category", "cover", "summary")}
        course, _ = Course.objects.update_or_create(slug=data["slug"], defaults=fields)
        for position, quiz_data in enumerate(data["quizzes"]):
            title = {"title": quiz_data["title"]}
            quiz, _ = Quiz.objects.update_or_create(
                course=course, position=position, defaults=title
            )
            for number, question in enumerate(quiz_data["questions"]):
                _load_question(quiz, number, question)


def _load_question(quiz: Quiz, position: int, data: dict[str, Any]) -> None:
    fields = {"text": data["text"], "explanation": data["why"]}
    question, _ = Question.objects.update_or_create(quiz=quiz, position=position, defaults=fields)
    choices = [data["right"], *data["wrong"]]
    random.Random(data["text"]).shuffle(choices)
    for place, text in enumerate(choices):
        correct = {"text": text, "correct": text == data["right"]}
        Choice.objects.update_or_create(question=question, position=place, defaults=correct)
