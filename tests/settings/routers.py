"""Where models are kept: of the zoo one in the other database, with its numbers beside it."""

from __future__ import annotations

from typing import Any

OTHER = "other"


class Router:
    def db_for_read(self, model: type[Any], **hints: Any) -> str | None:
        return OTHER if model._meta.label_lower == "zoo.elsewhere" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        # The other database is made for nearly nothing.
        return None if db != OTHER else app_label in ("livecounters", "zoo")
