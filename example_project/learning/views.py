from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

import livecounters as live

from . import taking
from .forms import AnswerForm
from .models import Attempt, Course, Enrolment, Quiz
from .visitors import attempts_of, get_attempt_or_404, is_simulated, remember

PRACTICE_KEY = "practice"


def member_action(
    view: Callable[[HttpRequest, str], HttpResponse],
) -> Callable[[HttpRequest, str], HttpResponse]:
    """A POST by a person. Who comes back from the login page, by GET, lands on the course."""

    @login_required
    @wraps(view)
    def wrapped(request: HttpRequest, slug: str) -> HttpResponse:
        return (
            view(request, slug) if request.method == "POST" else redirect("learning:course", slug)
        )

    return wrapped


def home(request: HttpRequest) -> HttpResponse:
    return render(
        request, "learning/home.html", {"courses": Course.objects.annotate(size=Count("quizzes"))}
    )


def status(request: HttpRequest) -> HttpResponse:
    return render(request, "learning/status.html")


def share(request: HttpRequest) -> HttpResponse:
    """Our numbers on the pages of others."""
    names = ["quizzes_total", "average_score"]
    embeds = [
        {
            "name": name,
            "label": live.counters[name].label,
            "card": _embed(request, "livecounters:embed", name),
            "badge": _embed(request, "livecounters:embed-badge", name),
        }
        for name in names
    ]
    return render(request, "learning/share.html", {"embeds": embeds})


def _embed(request: HttpRequest, view: str, name: str) -> str:
    """In the language of this page: who copies it shows it to people who read that."""
    address = request.build_absolute_uri(reverse(view, args=[name]))
    return f"{address}?lang={get_language()}"


def course(request: HttpRequest, slug: str) -> HttpResponse:
    course = get_object_or_404(Course, slug=slug)
    enrolment = (
        course.enrolments.filter(user=request.user).first()
        if request.user.is_authenticated
        else None
    )
    quizzes = course.quizzes.annotate(size=Count("questions"))
    return render(
        request,
        "learning/course.html",
        {"course": course, "enrolment": enrolment, "quizzes": quizzes},
    )


@member_action
def enrol(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for a place. It counts only once it is confirmed."""
    course = get_object_or_404(Course, slug=slug)
    Enrolment.objects.get_or_create(
        user=request.user, course=course, defaults={"simulated": is_simulated(request)}
    )
    return redirect(course)


@member_action
def confirm(request: HttpRequest, slug: str) -> HttpResponse:
    """Stands in for the link in a confirmation mail."""
    enrolment = get_object_or_404(Enrolment, user=request.user, course__slug=slug)
    if enrolment.status == Enrolment.Status.PENDING:
        enrolment.status = Enrolment.Status.ACTIVE
        enrolment.activated_at = timezone.now()
        enrolment.save()
        messages.success(request, _("Welcome to %(course)s!") % {"course": enrolment.course})
    return redirect(enrolment.course)


@member_action
def leave_course(request: HttpRequest, slug: str) -> HttpResponse:
    Enrolment.objects.filter(user=request.user, course__slug=slug).delete()
    return redirect("learning:course", slug)


def quiz(request: HttpRequest, pk: int) -> HttpResponse:
    quiz = get_object_or_404(
        Quiz.objects.select_related("course").annotate(size=Count("questions")), pk=pk
    )
    unfinished = attempts_of(request).filter(quiz=quiz, completed=False).last()
    return render(request, "learning/quiz.html", {"quiz": quiz, "unfinished": unfinished})


@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    quiz = get_object_or_404(Quiz.objects.filter(questions__isnull=False).distinct(), pk=pk)
    attempt = taking.begin(
        quiz,
        user=request.user if request.user.is_authenticated else None,
        practice=request.POST.get("mode") == "practice",
        simulated=is_simulated(request),
    )
    remember(request, attempt)
    return redirect("learning:question", attempt.pk)


def question(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the first question that has no answer yet; the last answer finishes the quiz."""
    if request.method == "POST":
        return _answer(request, pk)
    attempt = get_attempt_or_404(request, pk)
    current = None if attempt.completed else taking.next_question(attempt)
    if current is None:
        return redirect("learning:results", pk)
    return _ask(request, attempt, AnswerForm(current))


@transaction.atomic
def _answer(request: HttpRequest, pk: int) -> HttpResponse:
    attempt = get_attempt_or_404(request, pk, lock=True)  # a double click must not finish twice
    current = None if attempt.completed else taking.next_question(attempt)
    if current is None:
        return redirect("learning:results", pk)
    form = AnswerForm(current, request.POST)
    if not form.is_for_current():  # an old page sent again: ask what is open
        return redirect("learning:question", pk)
    if not form.is_valid():
        return _ask(request, attempt, form)
    taking.answer(attempt, current, form.cleaned_data["choice"])
    if taking.next_question(attempt):
        return redirect("learning:question", pk)
    taking.finish(attempt)
    if attempt.practice:  # the row is gone, so the session keeps what the next page shows
        request.session[PRACTICE_KEY] = {"quiz": attempt.quiz_id, "answers": attempt.answers}
        return redirect("learning:practice")
    return redirect("learning:results", pk)


def _ask(request: HttpRequest, attempt: Attempt, form: AnswerForm) -> HttpResponse:
    total = attempt.quiz.questions.count()
    context = {
        "attempt": attempt,
        "quiz": attempt.quiz,
        "form": form,
        "done": len(attempt.answers),
        "total": total,
    }
    return render(request, "learning/question.html", context)


def results(request: HttpRequest, pk: int) -> HttpResponse:
    attempt = get_attempt_or_404(request, pk)
    if not attempt.completed:
        return redirect("learning:question", pk)
    reviewed = taking.mark_again(attempt)
    return _show_results(request, attempt.quiz, reviewed)


def practice(request: HttpRequest) -> HttpResponse:
    """The results of the last practice, of which no row is left."""
    kept = request.session.get(PRACTICE_KEY)
    if kept is None:
        return redirect("learning:home")
    quiz = get_object_or_404(Quiz, pk=kept["quiz"])
    return _show_results(request, quiz, taking.review(quiz, kept["answers"]), practice=True)


def _show_results(
    request: HttpRequest, quiz: Quiz, reviewed: list[taking.Reviewed], practice: bool = False
):
    context = {
        "quiz": quiz,
        "reviewed": reviewed,
        "score": taking.score_of(reviewed),
        "right": sum(each.right for each in reviewed),
        "practice": practice,
        "next_quiz": quiz.course.quizzes.filter(position__gt=quiz.position).first(),
    }
    return render(request, "learning/results.html", context)


@require_POST
def leave_quiz(request: HttpRequest, pk: int) -> HttpResponse:
    attempt = get_attempt_or_404(request, pk)
    if not attempt.completed:
        attempt.delete()
    return redirect(attempt.quiz)
