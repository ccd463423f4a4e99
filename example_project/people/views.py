from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView as DjangoLoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

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
def profile(request: HttpRequest) -> HttpResponse:
    mine = Profile.objects.get_or_create(user=request.user)[0]
    form = ProfileForm(request.POST or None, instance=mine)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your profile is saved.")
        return redirect("people:profile")
    attempts = (
        request.user.attempts.filter(completed=True)
        .select_related("quiz__course")
        .order_by("-completed_at")
    )
    enrolments = request.user.enrolments.select_related("course").order_by("course__title")
    return render(
        request,
        "people/profile.html",
        {"form": form, "attempts": attempts[:10], "enrolments": enrolments},
    )
