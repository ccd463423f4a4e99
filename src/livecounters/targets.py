"""Targets: the objects that things were done to, where they can still be found, and their
addresses."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

from livecounters.exceptions import Unmeasurable
from livecounters.keys import Field, text_of
from livecounters.models import ActivityEvent
from livecounters.registry import ActivityEntry, registry
from livecounters.tellings import telling_of

__all__ = ["Targets", "address", "found"]

logger = logging.getLogger("livecounters")

SCHEMES = ("", "http", "https")
MAX_ADDRESS = 2_000

# What browsers leave out of an address, or read as another sign.
STRANGE = re.compile(r"[\x00-\x20\x7f\\]")

Targets = Mapping[int, models.Model]
"""id of an event -> its target, of those that are there."""


def found(rows: Iterable[ActivityEvent]) -> Targets:
    """The targets of these events that their models' own managers show, in one query for each
    model and field that they are named by."""
    wanted: dict[tuple[type[models.Model], Field], dict[str, list[int]]] = defaultdict(dict)
    for row in rows:
        if row.target is not None and (named := _named_by(row)) is not None:
            wanted[named].setdefault(row.target, []).append(row.pk)
    return {
        event: target
        for (model, field), events in wanted.items()
        for key, target in _objects(model, field, events).items()
        for event in events.get(key, ())
    }


def _named_by(row: ActivityEvent) -> tuple[type[models.Model], Field] | None:
    """The model of an event's target, and the field whose values name it."""
    try:
        model = apps.get_model(row.target_model)
    except (LookupError, ValueError):
        return None
    entry: ActivityEntry | None = None
    with suppress(LookupError):
        entry = registry.activities.get(row.kind)
    if entry is not None and not entry.recorded:
        with suppress(Unmeasurable):
            stored = telling_of(entry).field("target")
            if stored is not None and issubclass(model, stored.model):
                return model, stored
    return model, model._meta.pk


def _objects(
    model: type[models.Model], stored: Field, keys: Iterable[str]
) -> dict[str, models.Model]:
    values = []
    for key in keys:
        with suppress(ValidationError, ValueError, TypeError):
            values.append(stored.to_python(key))
    there = model._default_manager.filter(**{f"{stored.name}__in": values})
    return {text_of(stored, getattr(each, stored.attname)): each for each in there}


def address(target: models.Model) -> str | None:
    """Where a target is to be visited: a relative address, or one of http or https. None if its
    ``get_absolute_url()`` gives none."""
    ask = getattr(target, "get_absolute_url", None)
    if ask is None:
        return None
    try:
        url = str(ask() or "")
        good = not STRANGE.search(url) and urlsplit(url).scheme.lower() in SCHEMES
    except Exception as error:
        # One target without an address must not cost the page its feed.
        logger.warning("livecounters: %s has no address: %r", target._meta.label, error)
        return None
    return url if url and good and len(url) <= MAX_ADDRESS else None
