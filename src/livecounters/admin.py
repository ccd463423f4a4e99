"""The admin: events and achievements are what happened, to be read and not changed; an achievement may
be revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from livecounters import awards
from livecounters.models import Achievement, ActivityEvent

__all__ = ["AchievementAdmin", "ActivityEventAdmin"]


if TYPE_CHECKING:
    EventAdmin = admin.ModelAdmin[ActivityEvent]
    ReachedAdmin = admin.ModelAdmin[Achievement]
else:
    EventAdmin = ReachedAdmin = admin.ModelAdmin


@admin.register(ActivityEvent)
class ActivityEventAdmin(EventAdmin):
    list_display = ("at", "kind", "actor", "target_label", "seq")
    list_filter = ("kind",)
    search_fields = ("actor", "target_label")
    date_hierarchy = "at"
    ordering = ("-id",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Achievement)
class AchievementAdmin(ReachedAdmin):
    list_display = ("at", "person", "counter", "kind", "step", "period", "seen_at", "revoked_at")
    list_filter = ("kind", "counter")
    search_fields = ("person",)
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
