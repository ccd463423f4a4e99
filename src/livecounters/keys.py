"""Keys: values that name a group of rows, each as one short text.

The triggers write the same text as Python does. Several keys together are one text, too, like
a JSON Pointer (RFC 6901): joined by ``/``, with ``~`` and ``/`` in a key written ``~0``, ``~1``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models

from livecounters.exceptions import Unmeasurable
from livecounters.models.numbers import TEXT_LENGTH

__all__ = [
    "ESCAPES",
    "SEPARATOR",
    "Field",
    "is_key",
    "join",
    "length",
    "may_be_joined",
    "split",
    "target_of",
    "text_of",
    "textual",
]

if TYPE_CHECKING:
    Field = models.Field[Any, Any]
else:
    Field = models.Field

SEPARATOR = "/"
ESCAPES = (("~", "~0"), ("/", "~1"))
"""What is written in a key for which sign, in this order."""


def join(keys: Iterable[str]) -> str:
    """Several keys as one text."""
    return SEPARATOR.join(map(_escaped, keys))


def split(text: str) -> list[str]:
    """The keys that :func:`join` joined."""
    return [_plain(part) for part in text.split(SEPARATOR)]


def _escaped(key: str) -> str:
    for sign, written in ESCAPES:
        key = key.replace(sign, written)
    return key


def _plain(part: str) -> str:
    for sign, written in reversed(ESCAPES):
        part = part.replace(written, sign)
    return part


def target_of(field: Field) -> Field:
    """The field whose values are stored: for a foreign key the key it points to."""
    while field.is_relation:
        target = getattr(field, "target_field", None)
        if target is None:
            break
        field = target
    return field


TEXTUAL = (models.CharField, models.UUIDField, models.IntegerField, models.BooleanField)


def textual(field: Field, what: str) -> Field:
    """The stored field behind ``field`` if each value has one short text; else a refusal."""
    stored = target_of(field)
    if isinstance(stored, models.CompositePrimaryKey):
        raise Unmeasurable(
            "E007",
            f"{what} is a key of several columns, by which a row cannot be named.",
            "Counters need no key. For an activity give the model a key of one column.",
        )
    if not isinstance(stored, TEXTUAL):
        raise Unmeasurable(
            "E007",
            f"{what} is a {type(stored).__name__}; its values cannot name a group.",
            "Use a foreign key, an integer, a UUID, a boolean or a CharField.",
        )
    if isinstance(stored, models.CharField) and (
        stored.max_length is None or stored.max_length > TEXT_LENGTH
    ):
        raise Unmeasurable(
            "E007",
            f"{what} may be longer than {TEXT_LENGTH} characters.",
            f"Use a field with max_length={TEXT_LENGTH} at the most.",
        )
    return stored


def may_be_joined(fields: Sequence[Field], what: str) -> None:
    """Refuse keys that together may be too long."""
    longest = len(fields) - 1 + sum(map(_longest, fields))
    if longest > TEXT_LENGTH:
        raise Unmeasurable(
            "E007",
            f"{what} may be {longest} characters long in all, each sign counted as two.",
            f"Use foreign keys, or texts with a shorter max_length: {TEXT_LENGTH} is the most.",
        )


def _longest(field: Field) -> int:
    # Each sign may be written as two.
    return length(field) * (2 if isinstance(field, models.CharField) else 1)


def length(field: Field) -> int:
    """How many signs a value of it has at the most."""
    if isinstance(field, models.CharField):
        return field.max_length or TEXT_LENGTH
    return 32 if isinstance(field, models.UUIDField) else 20


def text_of(field: Field, value: Any) -> str:
    """A value of ``field`` as the triggers write it.

    A model instance stands for the key that a foreign key to it would hold; one of another
    model is a ``TypeError``.
    """
    stored = target_of(field)
    if isinstance(value, models.Model):
        if not isinstance(value, stored.model):
            raise TypeError(f"{value!r} is no {stored.model._meta.object_name}.")
        value = getattr(value, stored.attname)
    value = stored.to_python(value)
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, bool):
        return str(int(value))
    text = str(value)
    if "\0" in text:
        raise ValueError("a key holds no NUL; PostgreSQL has no such text")
    return text


def is_key(field: Field, text: str) -> bool:
    """Whether it can be a key of this field at all."""
    try:
        field.to_python(text)
    except (ValidationError, ValueError, TypeError):
        return False
    return True
