"""Who is here: one store for all processes, chosen by ``LIVECOUNTERS["PRESENCE"]["BACKEND"]``."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from livecounters.conf import options
from livecounters.presence.base import Attendee, Changes, Counts, Device, Kind, Store, Who

__all__ = ["Attendee", "Changes", "Counts", "Device", "Kind", "Store", "Who", "store"]


@cache
def store() -> Store:
    """The site's store. Imported only when somebody asks: Redis is an extra."""
    found: Store = import_string(options().presence("BACKEND"))()
    return found


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "LIVECOUNTERS":
        store.cache_clear()


setting_changed.connect(_forget, dispatch_uid="livecounters.presence")
