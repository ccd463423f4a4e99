"""Tables that are written by the package alone: to be read and not changed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from livecounters.conf import site_zone
from livecounters.models import ActivityEvent, Delta
from livecounters.watches import names_of

__all__ = ["ActivityEventAdmin", "DeltaAdmin", "ReadOnly"]

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class ReadOnly(ModelAdmin):
    """Nobody adds, changes or deletes."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def page(self, request: HttpRequest, name: str, title: str, **given: Any) -> TemplateResponse:
        """A page of our own: ``livecounters/admin/<name>.html``."""
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(request, f"livecounters/admin/{name}.html", context | given)


@admin.register(ActivityEvent)
class ActivityEventAdmin(ReadOnly):
    list_display = ("at", "kind", "actor", "target_label", "seq")
    list_filter = ("kind",)
    search_fields = ("actor", "target_label")
    date_hierarchy = "at"
    ordering = ("-id",)


@admin.register(Delta)
class DeltaAdmin(ReadOnly):
    """What is not folded yet: the oldest first, which should not be there for long."""

    list_display = ("id", "counters", "scope", "member", "count", "total", "when")
    search_fields = ("scope",)
    ordering = ("id",)

    @admin.display(description=_("counters"), ordering="measure")
    def counters(self, row: Delta) -> str:
        return " ".join(names_of(row.measure)) or row.measure

    @admin.display(description=_("moment"), ordering="at")
    def when(self, row: Delta) -> dt.datetime | None:
        """To the minute, or to the quarter hour."""
        return None if row.at is None else dt.datetime.fromtimestamp(row.at, site_zone())
