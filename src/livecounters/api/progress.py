"""``GET live/progress/``, ``PATCH live/progress/goals/``, ``live/progress/preferences/``: the caller's
own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from livecounters.api.base import OwnView
from livecounters.attainment import Progress, progress
from livecounters.feed import database
from livecounters.goals import set_goal
from livecounters.people import key_of
from livecounters.preferences import preferences, set_preference
from livecounters.registry import CounterEntry, registry
from livecounters.rules import personal_counters

__all__ = ["GoalsView", "PreferencesView", "ProgressView"]

Errors = dict[str, Any]


class ProgressView(OwnView):
    """What the caller has attained."""

    def get(self, request: Request) -> Response:
        return Response(progress(request.user).as_json())


class GoalsView(OwnView):
    """The caller's own goals: ``{"sessions": {"day": 5}}``, from today on in their own zone."""

    def patch(self, request: Request) -> Response:
        """Set all that is given, or nothing; answers the progress."""
        given = _mapping(request.data, "Give goals by counter.")
        found, errors = progress(request.user), {}
        with transaction.atomic(using=database()):
            for name, goals in given.items():
                wrong = _set(request.user, name, goals, found)
                if wrong:
                    errors[name] = wrong
            if errors:
                raise ValidationError(errors)
        return Response(progress(request.user).as_json())


def _mapping(data: Any, wanted: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping) or not data:
        raise ValidationError({"non_field_errors": [wanted]})
    return data


def _set(user: Any, name: str, goals: Any, found: Progress) -> Errors | list[str]:
    """Set the goals of one counter; answers what is wrong with them."""
    entry = _personal(name)
    if entry is None:
        return ["No such counter of yours."]
    if not isinstance(goals, Mapping):
        return ['Give numbers by period, such as {"day": 5}.']
    person = key_of(user)
    errors: Errors = {}
    for period, target in goals.items():
        try:
            set_goal(person, entry, period, target, found[entry.full_name].today_is)
        except ValueError as error:
            errors[period] = [str(error)]
    return errors


def _personal(name: str) -> CounterEntry | None:
    try:
        entry = registry.counters.get(name)
    except LookupError:
        return None
    return entry if entry in personal_counters() else None


class PreferencesView(OwnView):
    """What the caller wants: ``{"leaderboard": false}`` takes them off the leaderboards."""

    def get(self, request: Request) -> Response:
        return Response(preferences(_person(request)))

    def patch(self, request: Request) -> Response:
        given = _mapping(request.data, "Give true or false by name.")
        errors = {}
        known = preferences(_person(request))
        for what, wanted in given.items():
            if what not in known:
                errors[what] = [f"Choose among {', '.join(known)}."]
            elif not isinstance(wanted, bool):
                errors[what] = ["Give true or false."]
        if errors:
            raise ValidationError(errors)
        for what, wanted in given.items():
            set_preference(_person(request), what, wanted)
        return Response(preferences(_person(request)))


def _person(request: Request) -> str:
    return key_of(request.user)
