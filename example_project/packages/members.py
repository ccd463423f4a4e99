"""What only members do, and where they go afterwards: back to where they were."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from learning.models import Quiz


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def quiz_action(
    view: Callable[[HttpRequest, Quiz], HttpResponse],
) -> Callable[[HttpRequest, int], HttpResponse]:
    """A POST about a quiz, by a person.

    Guests log in first and come back to the page they were on, as do those who come by GET.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, pk: int) -> HttpResponse:
        quiz = get_object_or_404(Quiz, pk=pk)
        if request.method != "POST":
            return redirect(quiz)
        if request.user.is_authenticated:
            return view(request, quiz)
        if wants_json(request):
            told = {"error": "Log in first.", "login": reverse("people:login")}
            return JsonResponse(told, status=401)
        return redirect_to_login(came_from(request, quiz))

    return wrapped


def came_from(request: HttpRequest, quiz: Quiz) -> str:
    """The page of this site that the form was on, as the form says; else that of the quiz."""
    page = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        page, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return page if ours else resolve_url(quiz)
