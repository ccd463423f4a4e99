from typing import Any

from django import template
from django.template import Context
from learning.models import Quiz

from ..forms import STARS
from ..models import Package
from ..numbers import with_quiz_numbers

register = template.Library()


@register.inclusion_tag("packages/_opinion.html", takes_context=True)
def opinion(context: Context, quiz: Quiz) -> dict[str, Any]:
    """What people think of a quiz, and what this one does. A quiz of a list brings its numbers."""
    request = context["request"]
    if not hasattr(quiz, "is_liked"):
        quiz = with_quiz_numbers(Quiz.objects.filter(pk=quiz.pk), request.user).get()
    return {"quiz": quiz, "stars": STARS, "page": request.get_full_path()}


@register.inclusion_tag("packages/_packages_of.html")
def packages_of(quiz: Quiz) -> dict[str, Any]:
    """Links to the packages that a quiz is in."""
    return {"packages": Package.objects.filter(published=True, quizzes=quiz)}


@register.filter
def halves(stars: float | None) -> str:
    """Stars as they are drawn, to the nearest half: `3.5`."""
    return f"{int((stars or 0) * 2 + 0.5) / 2:g}"
