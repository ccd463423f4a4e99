"""What a host declares to be told: a sentence about one row, told once, or about what code or a
browser records."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from django.db.models import Model, Q
from django.db.models.expressions import Combinable
from django.utils.functional import Promise

__all__ = ["ANONYMOUS", "Activity"]

ANONYMOUS = ("skip", "count", "show")

# What an event of an achievement holds.
ACHIEVEMENT = {"achievement": str, "counter": str, "step": int}


@dataclass(frozen=True, eq=False)
class Activity:
    """Something that happens to a row: its transition into the filter, told once per row. In a
    :class:`LiveSite`: something that ``live.emit()`` or a browser records.

    ``text``
        The sentence, translatable, with the placeholders ``{actor}``, ``{target}`` and the keys
        of ``data``.
    ``target``, ``target_label``
        A foreign key to what it was done to, and an expression for its name. The name is kept
        as it was, so it outlives its object. Of what is recorded: a model, and a field or
        expression of it (default: the object as text).
    ``data``
        Key -> field or expression of the row (or of a row that its foreign keys name). Of what
        is recorded: key -> what it may be, a type (``int``, ``float``, ``str``, ``bool``), a model
        field, or a function that answers the value to keep or raises ``ValueError``.
    ``at``
        When it happened; else the class's ``at`` if that is not NULL, else the moment.
    ``filter``
        Narrows the class's ``filter``.
    ``anonymous``
        What to do where the class has an ``actor`` and it is NULL: ``"skip"`` it, ``"count"`` it
        for the counters but do not tell it (the default), or ``"show"`` it as "Someone".
    ``public``
        Whether everybody may read it through the API and unsigned topics.
    ``client``
        Of what is recorded: whether a browser may, for who is signed in there; or a function
        ``(user, target) -> bool`` that decides.
    ``achievements``
        In a :class:`LiveSite`: it tells the great things that people reach. The sentence has
        ``{actor}``, ``{achievement}`` (in the site's language), ``{counter}`` and ``{step}``.
    """

    text: str | Promise
    _: KW_ONLY
    target: str | type[Model] | None = None
    target_label: str | Combinable | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    at: str | Combinable | None = None
    filter: Q | None = None
    icon: str = ""
    anonymous: str = "count"
    public: bool = False
    client: bool | Callable[[Any, Any], bool] = False
    achievements: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.text, (str, Promise)) or not str(self.text):
            raise TypeError(
                f"live.Activity({self.text!r}): give the sentence, such as "
                '"{actor} completed {target}".'
            )
        if self.anonymous not in ANONYMOUS:
            raise ValueError(
                f"live.Activity(anonymous={self.anonymous!r}): choose one of "
                f"{', '.join(map(repr, ANONYMOUS))}."
            )
        if not isinstance(self.client, bool) and not callable(self.client):
            raise TypeError(
                f"live.Activity(client={self.client!r}): give True, or a function of "
                "(user, target) that says whether a browser may record it."
            )
        if self.achievements:
            if self.data or self.client or self.target is not None:
                raise TypeError(
                    "live.Activity(achievements=True) has its own data and no target, and no "
                    "browser may record it; leave these away."
                )
            object.__setattr__(self, "data", ACHIEVEMENT)
        known = {"actor", "target", *self.data}
        unknown = sorted(placeholders(str(self.text)) - known)
        if unknown:
            raise ValueError(
                f"live.Activity({str(self.text)!r}): the placeholder {{{unknown[0]}}} is neither "
                "actor nor target nor a key of data=."
            )


def placeholders(text: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
