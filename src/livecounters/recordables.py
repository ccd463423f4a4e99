"""What may be recorded: of an activity that no row tells, what its events may hold.

An activity of a ``LiveSite`` declares a model for its targets and for each key of its data what
the value may be; what is given is checked by that before it is written.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import Any, get_type_hints

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldError, ValidationError
from django.db import models
from django.utils import translation

from livecounters.activities import placeholders
from livecounters.exceptions import Unmeasurable, Unrecordable
from livecounters.keys import Field, text_of, textual
from livecounters.registry import ActivityEntry
from livecounters.rows import expression

__all__ = ["MOST", "Recordable", "recordable_of"]

MOST = 2**53 - 1
"""The greatest integer that every reader of JSON reads exactly."""

# A NUL, as JSON writes it; PostgreSQL has no such text.
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, eq=False)
class Recordable:
    """What the events of an activity may hold. :func:`recordable_of` makes it."""

    entry: ActivityEntry
    target: type[models.Model] | None

    @property
    def actor_model(self) -> str:
        return get_user_model()._meta.label_lower

    @property
    def target_model(self) -> str:
        return self.target._meta.label_lower if self.target is not None else ""

    @cached_property
    def names_actor(self) -> bool:
        """Whether the sentence says who did it."""
        with translation.override(None):
            return "actor" in placeholders(str(self.entry.declared.text))

    def field(self, key: str) -> Field | None:
        """The field that the values under a key of the data are numbers of, if they are."""
        kind = _kind(self.entry.declared.data[key])
        if isinstance(kind, models.Field):
            return kind
        return NUMBERS[kind]() if kind in NUMBERS else None

    def cleaned(self, data: Mapping[str, Any] | None) -> dict[str, Any]:
        """The data as it is kept. Raises ``Unrecordable`` for a key that is not declared and a
        value that will not do."""
        declared = self.entry.declared.data
        given = {} if data is None else data
        if not isinstance(given, Mapping):
            raise Unrecordable("data", f"{given!r} is no mapping of keys to values.")
        unknown = [key for key in given if key not in declared]
        if unknown:
            known = f"known are {', '.join(map(repr, declared))}" if declared else "there are none"
            raise Unrecordable(
                "data", f"{self.entry.name} has no {unknown[0]!r} in its data=; {known}."
            )
        return {key: _cleaned(key, declared[key], value) for key, value in given.items()}

    def find(self, key: Any) -> models.Model:
        """The target with a primary key, of those that the model's own manager shows. Raises
        ``Unrecordable`` if there is none."""
        if self.target is None:
            raise Unrecordable(
                "target",
                f"{self.entry.name} does not say of which model its targets are; give an object.",
            )
        found = None
        with suppress(ValueError, TypeError, OverflowError, ValidationError):
            text_of(self.target._meta.pk, key)
            found = self.target._default_manager.filter(pk=key).first()
        if found is None:
            raise self.missing(key)
        return found

    def missing(self, key: Any) -> Unrecordable:
        """What is said where there is no such target."""
        name = self.target.__name__ if self.target is not None else "target"
        return Unrecordable("target", f"There is no {name} {key!r}.")

    def label(self, target: models.Model) -> str:
        """How a target is called."""
        if self.entry.declared.target_label is None or self.target is None:
            return str(target)
        labels = self.labels(self.target).using(target._state.db).filter(pk=target.pk)
        label = labels.first()
        return "" if label is None else str(label)

    def labels(self, target: type[models.Model]) -> models.QuerySet[Any, Any]:
        """The labels of all objects of the model."""
        label = expression(self.entry.declared.target_label or "pk")
        found = target._base_manager.annotate(livecounters_label=label).order_by()
        return found.values_list("livecounters_label", flat=True)


# Data


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MOST:
        raise ValueError(f"give a whole number of at most {MOST}")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("give a number")
    if not math.isfinite(float(value)):
        raise ValueError("give a finite number")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("give a text")
    return str(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("give true or false")
    return value


# Nothing is converted: what is given as another kind was meant as something else.
TYPES: dict[Any, Callable[[Any], Any]] = {int: _whole, float: _number, str: _text, bool: _truth}
NUMBERS: dict[Any, Any] = {int: models.BigIntegerField, float: models.FloatField}


def _kind(declared: Any) -> Any:
    """What the values are: a field or a type; of a function what it says that it answers."""
    if isinstance(declared, (models.Field, type)):
        return declared
    hints: dict[str, Any] = {}
    with suppress(TypeError, NameError, AttributeError):
        hints = get_type_hints(declared)
    return hints.get("return")


def _cleaned(key: str, declared: Any, value: Any) -> Any:
    try:
        if isinstance(declared, models.Field):
            value = declared.clean(value, None)
        elif declared not in TYPES:
            value = declared(value)
        kind = _kind(declared)
        if kind in TYPES:
            value = TYPES[kind](value)
        return _storable(str(value) if isinstance(value, Decimal) else value)
    except ValidationError as error:
        reason = " ".join(error.messages)
    except (ValueError, TypeError, ArithmeticError) as error:
        reason = str(error) or type(error).__name__
    raise Unrecordable("data", f"{key}: {reason}")


def _storable(value: Any) -> Any:
    """A value, if every database can keep it as JSON."""
    text = json.dumps(value, allow_nan=False)
    if NUL.search(text):
        raise ValueError("a text holds no NUL")
    json.dumps(value, ensure_ascii=False).encode()
    return value


# Declarations


@cache
def recordable_of(entry: ActivityEntry) -> Recordable:
    """What may be recorded of an activity that no row tells. Raises ``Unmeasurable`` for a
    declaration that says what it cannot mean."""
    declared = entry.declared
    for word in ("at", "filter"):
        if getattr(declared, word) is not None:
            raise Unmeasurable(
                "E022",
                f"it has {word}=, and no rows.",
                f"Leave {word} away, or declare the activity in a class with "
                "@live.register(Model), whose rows then tell it.",
            )
    for key, kind in declared.data.items():
        if not callable(kind) and not isinstance(kind, models.Field):
            raise Unmeasurable(
                "E022",
                f"{key!r} in its data is {kind!r}; there is no row that has it.",
                "Say what the value may be: int, float, str, bool, a model field, or a function "
                "that answers the value to keep.",
            )
    found = Recordable(entry, _model(declared.target))
    if found.target is not None:
        textual(found.target._meta.pk, "target")
        _try_out(found, found.target)
    elif declared.target_label is not None:
        raise Unmeasurable(
            "E022",
            f"target_label={declared.target_label!r}, and it is not said of which model.",
            "Give it a target=Model.",
        )
    return found


def _model(target: Any) -> type[models.Model] | None:
    if target is None or (isinstance(target, type) and issubclass(target, models.Model)):
        return target
    with suppress(LookupError, ValueError, TypeError, AttributeError):
        return apps.get_model(target)
    raise Unmeasurable(
        "E022",
        f"target={target!r} is no model.",
        'Give the model of its targets, Quiz or "app.Quiz".',
    )


def _try_out(found: Recordable, target: type[models.Model]) -> None:
    try:
        found.labels(target)
    except (FieldError, ValueError, TypeError) as error:
        raise Unmeasurable(
            "E022", str(error), "Give target_label= a field or expression of the target's model."
        ) from error
