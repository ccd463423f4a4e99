"""Answers as CSV: ``?format=csv``, or ``Accept: text/csv``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from livecounters.sheets import csv_of

__all__ = ["SheetRenderer"]

# The list in an answer, and what of each of its objects is a column.
TABLES = {
    "points": ("start", "value", "running"),
    "parts": ("of", "value"),
    "places": ("rank", "of", "name", "value"),
}


class SheetRenderer(BaseRenderer):
    """The one list of an answer, a line for each; of an error what is wrong."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        for name, columns in TABLES.items():
            if name in data:
                columns += ("relative_error",) if "sample" in data else ()
                lines = ([one.get(column) for column in columns] for one in data[name])
                return csv_of(columns, lines).encode()
        return csv_of(("about", "error"), data.items()).encode()
