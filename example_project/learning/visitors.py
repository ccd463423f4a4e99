"""Who is asking: a person, or a guest whose session remembers what is theirs."""

from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from .models import Attempt
from .simulation import USER_AGENT

SESSION_KEY = "attempts"


def is_simulated(request: HttpRequest) -> bool:
    """Simulated learners say who they are, so that nobody takes their activity for real."""
    return request.headers.get("User-Agent") == USER_AGENT


def attempts_of(request: HttpRequest) -> QuerySet[Attempt]:
    if request.user.is_authenticated:
        return Attempt.objects.filter(user=request.user)
    return Attempt.objects.filter(user=None, pk__in=request.session.get(SESSION_KEY, []))


def get_attempt_or_404(request: HttpRequest, pk: int, *, lock: bool = False) -> Attempt:
    attempts = attempts_of(request)
    if lock:
        attempts = attempts.select_for_update()
    try:
        return attempts.get(pk=pk)
    except Attempt.DoesNotExist:
        raise Http404("No such attempt of yours") from None


def remember(request: HttpRequest, attempt: Attempt) -> None:
    if attempt.user_id is None:
        request.session[SESSION_KEY] = [*request.session.get(SESSION_KEY, [])[-20:], attempt.pk]
