from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView as DjangoLoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from livecounters import awards, notices
from livecounters.forms import GoalsForm, PreferencesForm
from livecounters.preferences import NOTICES

from .forms import ProfileForm, SignUpForm
from .models import Profile


class LoginView(DjangoLoginView):
    template_name = "people/login.html"
    redirect_authenticated_user = True

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "label_suffix": ""}


def sign_up(request: HttpRequest) -> HttpResponse:
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.save())
        return redirect("learning:home")
    return render(request, "people/sign_up.html", {"form": form})


@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """How far a learner has come, what they want to reach, and who else is at it."""
    given = request.POST if request.method == "POST" else None
    which = request.POST.get("form")
    goals = GoalsForm(
        given if which == "goals" else None, user=request.user, counter="sessions", label_suffix=""
    )
    listed = PreferencesForm(
        given if which == "listed" else None,
        user=request.user,
        only=("leaderboard",),
        label_suffix="",
    )
    for form in (goals, listed):
        if form.is_bound and form.is_valid():
            form.save()
            messages.success(request, _("It is saved."))
            return redirect("people:dashboard")
    return render(request, "people/dashboard.html", {"goals": goals, "listed": listed})


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    mine = Profile.objects.get_or_create(user=request.user)[0]
    given = request.POST if request.method == "POST" else None
    shown = PreferencesForm(
        given if "shown" in request.POST else None,
        user=request.user,
        only=(NOTICES,),
        label_suffix="",
    )
    form = ProfileForm(None if "shown" in request.POST else given, instance=mine)
    for each in (form, shown):
        if each.is_bound and each.is_valid():
            each.save()
            messages.success(request, _("Your profile is saved."))
            return redirect("people:profile")
    attempts = (
        request.user.attempts.filter(completed=True)
        .select_related("quiz__course")
        .order_by("-completed_at")
    )
    person = str(request.user.pk)
    reached = [notices.as_json(one) | {"at": one.at} for one in awards.achievements(person)[:10]]
    awards.mark_read(person)
    enrolments = request.user.enrolments.select_related("course").order_by("course__title")
    return render(
        request,
        "people/profile.html",
        {
            "form": form,
            "shown": shown,
            "attempts": attempts[:10],
            "enrolments": enrolments,
            "reached": reached,
        },
    )
