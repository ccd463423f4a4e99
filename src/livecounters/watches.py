"""What the declarations ask to be watched, table by table."""

from __future__ import annotations

from typing import Any

from django.db import models

from livecounters.dialects import Watch
from livecounters.exceptions import Unmeasurable
from livecounters.measures import Measure, measure_of
from livecounters.models import ActivityEvent
from livecounters.registry import Registry, registry
from livecounters.tellings import Telling, telling_of

__all__ = ["names_of", "watches"]


def watches(using: str, declared: Registry = registry) -> list[Watch]:
    """Everything to be watched in one database, the table of events last.

    Raises ``Unmeasurable`` for a declaration that cannot be kept.
    """
    measures: dict[type[models.Model], dict[str, Measure]] = {}
    tellings: dict[type[models.Model], list[Telling]] = {}
    for activity in declared.activities:
        if activity.recorded:
            continue
        telling = _named(activity, telling_of)
        if telling.using == using:
            tellings.setdefault(_concrete(telling.model), []).append(telling)
    for counter in declared.counters:
        measure = _named(counter, measure_of)
        if measure.using == using:
            for model in measure.models:
                measures.setdefault(model, {})[measure.key] = measure
    found = [
        Watch(model, tuple(measures.get(model, {}).values()), tuple(tellings.get(model, ())))
        for model in dict.fromkeys([*tellings, *measures])
    ]
    return sorted(found, key=lambda watch: watch.model is ActivityEvent)


def _concrete(model: type[models.Model]) -> type[models.Model]:
    concrete = model._meta.concrete_model
    return concrete if concrete is not None else model


def _named(entry: Any, derive: Any) -> Any:
    try:
        return derive(entry)
    except Unmeasurable as error:
        raise Unmeasurable(error.check_id, f"{entry}: {error}", error.hint) from error


def names_of(key: str, declared: Registry = registry) -> list[str]:
    """The counters that read a measure."""
    return [entry.full_name for entry in declared.counters if measure_of(entry).key == key]
