"""Events in the admin: to be read, not changed; they are what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from livecounters.models import ActivityEvent

__all__ = ["ActivityEventAdmin"]


if TYPE_CHECKING:
    EventAdmin = admin.ModelAdmin[ActivityEvent]
else:
    EventAdmin = admin.ModelAdmin


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
