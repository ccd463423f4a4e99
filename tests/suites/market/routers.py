from __future__ import annotations

from typing import Any


class Router:
    """Visits live in a database of their own."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "other" if model._meta.model_name == "visit" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, model_name: str = "", **hints: Any) -> Any:
        if app_label == "livecounters":
            return True
        return (model_name == "visit") == (db == "other")
