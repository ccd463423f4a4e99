"""What people have reached: to be read, and to be revoked. Their own goals may be set for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from livecounters import awards
from livecounters.goals import check_goal, declared_goals
from livecounters.models import Achievement, PersonalGoal
from livecounters.people import key_of, users
from livecounters.registry import registry

__all__ = ["AchievementAdmin", "PersonalGoalAdmin"]


if TYPE_CHECKING:
    PersonalAdmin = admin.ModelAdmin[Any]
    GoalModelForm = forms.ModelForm[PersonalGoal]
else:
    PersonalAdmin = admin.ModelAdmin
    GoalModelForm = forms.ModelForm


class _People(ChangeList):
    """A list whose people have names, found by one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        names = _names({row.person for row in self.result_list})
        for row in self.result_list:
            row.named = names.get(row.person, row.person)


class _OfPeople(PersonalAdmin):
    search_fields = ("person",)
    search_help_text = _("By user name, or by the key of a user who is gone.")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _People

    @admin.display(description=_("person"), ordering="person")
    def who(self, row: Any) -> str:
        return str(row.named)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        model: Any = get_user_model()
        found = model._default_manager.filter(**{f"{model.USERNAME_FIELD}__icontains": term})
        keys = [key_of(user) for user in found[:100]]
        return queryset.filter(person__in=[term, *keys]), False


def _names(keys: set[str]) -> dict[str, str]:
    return {key_of(user): str(user) for user in users(keys)}


@admin.register(Achievement)
class AchievementAdmin(_OfPeople):
    list_display = ("at", "who", "counter", "kind", "step", "period", "seen_at", "revoked_at")
    list_filter = ("kind", "counter")
    ordering = ("-id",)
    actions = ("revoke",)

    @admin.action(description=_("Revoke: it is not awarded again"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        """Take them back, one by one, so that nothing that was revoked before changes."""
        for achievement in queryset:
            awards.revoke(achievement)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in Achievement._meta.fields]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class GoalForm(GoalModelForm):
    """Somebody's own goal; within the bounds that are declared."""

    person: Any = forms.ModelChoiceField(
        get_user_model()._default_manager.all(),
        widget=forms.NumberInput,
        label=_("person"),
        help_text=_("The key of a user."),
    )
    counter: Any = forms.ChoiceField(label=_("counter"))
    period: Any = forms.ChoiceField(label=_("period"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        goals = {entry: declared_goals(entry) for entry in registry.counters}
        periods = dict.fromkeys(period for found in goals.values() for period in found)
        fields: dict[str, Any] = self.fields
        fields["counter"].choices = [(e.full_name, e.full_name) for e in goals if goals[e]]
        fields["period"].choices = [(period, period) for period in periods]

    def clean_person(self) -> str:
        return key_of(self.cleaned_data["person"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.keys() >= {"counter", "period", "target"}:
            entry = registry.counters.get(cleaned["counter"])
            try:
                check_goal(entry, cleaned["period"], cleaned["target"])
            except ValueError as error:
                raise ValidationError({"target": str(error)}) from error
        return cleaned

    class Meta:
        model = PersonalGoal
        fields = ("person", "counter", "period", "since", "target")


@admin.register(PersonalGoal)
class PersonalGoalAdmin(_OfPeople):
    form = GoalForm
    list_display = ("who", "counter", "period", "since", "target")
    list_filter = ("counter", "period")
    ordering = ("-since", "person")
