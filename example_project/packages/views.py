from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from learning.models import Quiz
from learning.visitors import is_simulated

import livecounters as live

from .forms import PurchaseForm, RatingForm
from .members import came_from, quiz_action, wants_json
from .models import Like, Package, Purchase, Rating
from .numbers import with_package_numbers, with_quiz_numbers
from .sorting import Sorting


def packages(request: HttpRequest) -> HttpResponse:
    sorting = Sorting(request.GET.get("sort", ""))
    found = with_package_numbers(Package.objects.filter(published=True))
    return render(
        request,
        "packages/packages.html",
        {"packages": found.order_by(*sorting.ordering), "sorting": sorting},
    )


def package(request: HttpRequest, slug: str) -> HttpResponse:
    return _show(request, slug, PurchaseForm())


def _show(request: HttpRequest, slug: str, form: PurchaseForm, status: int = 200) -> HttpResponse:
    found = with_package_numbers(Package.objects.filter(published=True))
    package = get_object_or_404(found, slug=slug)
    quizzes = with_quiz_numbers(package.quizzes.select_related("course"), request.user)
    purchase = package.purchases.filter(user=request.user.pk).first()
    context = {
        "package": package,
        "quizzes": quizzes,
        # What is told on its page: who bought it, and who completed a quiz of it.
        "told": [package, *quizzes],
        "earnings": _earnings(package),
        "purchase": purchase,
        "form": form,
    }
    return render(request, "packages/package.html", context, status=status)


def _earnings(package: Package) -> list[dict[str, object]]:
    scopes = [(package, currency) for currency in Purchase.Currency]
    values = live.counters["package_earnings"].values(of=scopes)
    return [{"of": scope, "currency": scope[1].label, "value": values[scope]} for scope in scopes]


def buy(request: HttpRequest, slug: str) -> HttpResponse:
    """Nobody buys twice: whoever has the package already keeps it as it was bought."""
    package = get_object_or_404(Package, slug=slug, published=True)
    if request.method != "POST":
        return redirect(package)
    if not request.user.is_authenticated:
        return redirect_to_login(package.get_absolute_url())
    form = PurchaseForm(request.POST)
    if not form.is_valid():
        return _show(request, slug, form, status=400)
    __, bought = Purchase.objects.get_or_create(
        user=request.user,
        package=package,
        defaults={
            "price": package.price,
            "currency": form.cleaned_data["currency"],
            "simulated": is_simulated(request),
        },
    )
    if bought:
        messages.success(request, _("%(package)s is yours. Enjoy!") % {"package": package})
    return redirect(package)


@quiz_action
def like(request: HttpRequest, quiz: Quiz) -> HttpResponse:
    Like.objects.get_or_create(
        user=request.user, quiz=quiz, defaults={"simulated": is_simulated(request)}
    )
    return _tell_likes(request, quiz, liked=True)


@quiz_action
def unlike(request: HttpRequest, quiz: Quiz) -> HttpResponse:
    Like.objects.filter(user=request.user, quiz=quiz).delete()
    return _tell_likes(request, quiz, liked=False)


def _tell_likes(request: HttpRequest, quiz: Quiz, liked: bool) -> HttpResponse:
    if wants_json(request):
        likes = live.counters["quiz_likes"].value(of=quiz)
        return JsonResponse({"likes": likes, "liked": liked})
    return redirect(came_from(request, quiz))


@quiz_action
def rate(request: HttpRequest, quiz: Quiz) -> HttpResponse:
    form = RatingForm(request.POST)
    if not form.is_valid():
        return _refuse(request, quiz, form.errors["stars"][0])
    given = {"stars": form.cleaned_data["stars"], "updated_at": timezone.now()}
    Rating.objects.update_or_create(
        user=request.user,
        quiz=quiz,
        defaults=given,
        create_defaults={
            **given,
            "created_at": given["updated_at"],
            "simulated": is_simulated(request),
        },
    )
    if wants_json(request):
        average = live.counters["quiz_rating"].value(of=quiz)
        return JsonResponse({"average": average, "stars": given["stars"]})
    return redirect(came_from(request, quiz))


def _refuse(request: HttpRequest, quiz: Quiz, error: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"error": error}, status=400)
    context = {"quiz": quiz, "error": error, "back": came_from(request, quiz)}
    return render(request, "packages/refused.html", context, status=400)
