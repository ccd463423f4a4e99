"""What a host declares to be told: a sentence about one row, told once, or about what code or a
browser records."""

from __future__ import annotations

import datetime as dt
import string
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from django.db.models import Model, Q
from django.db.models.expressions import Combinable
from django.utils.functional import Promise

__all__ = ["ANONYMOUS", "AUDIENCES", "Activity", "Group"]

ANONYMOUS = ("skip", "count", "show")

AUDIENCES = ("public", "authenticated", "staff")

GROUPED_BY = ("actor", "target")

# What an event of an achievement holds.
ACHIEVEMENT = {"achievement": str, "counter": str, "step": int}


@dataclass(frozen=True, eq=False)
class Group:
    """Events of one activity that are told as one: "Ada and 3 others completed Fractions". It is
    applied whenever they are told and never stored, so another rule changes old pages too.

    ``text``
        The sentence for several, with the placeholders of the activity's own and ``{others}``
        (how many other actors) and ``{count}`` (how many events). For plural forms:
        ``ngettext_lazy(singular, plural, "others")``. One that says ``{others}`` is used once
        there are any; until then, and for a single event, the activity's own is.
    ``by``
        What events of a group have in common: ``"target"`` (the default), ``"actor"``, both as a
        tuple, or ``()``: only that they are of this activity.
    ``within``
        And that they are of the same stretch of this length, counted from Monday midnight in the
        site's zone.
    """

    text: str | Promise
    _: KW_ONLY
    by: str | tuple[str, ...] = "target"
    within: dt.timedelta = dt.timedelta(hours=1)

    def __post_init__(self) -> None:
        columns = (self.by,) if isinstance(self.by, str) else tuple(self.by)
        unknown = [column for column in columns if column not in GROUPED_BY]
        if unknown:
            raise ValueError(
                f"live.Group(by={self.by!r}): name {' or '.join(map(repr, GROUPED_BY))}, a tuple "
                "of both, or ()."
            )
        if not dt.timedelta(seconds=1) <= self.within <= dt.timedelta(days=7):
            raise ValueError(
                f"live.Group(within={self.within!r}): give a timedelta from a second to 7 days."
            )
        object.__setattr__(self, "by", columns)
        if not isinstance(self.text, (str, Promise)) or not self.pattern(2, 1):
            raise TypeError(
                f"live.Group({self.text!r}): give the sentence for several, such as "
                '"{actor} and {others} others completed {target}".'
            )

    def pattern(self, count: int, others: int) -> str:
        """The sentence for so many, in the active language. One with plural forms is Django's
        own: a percent sign in it is written twice."""
        plain = str(self.text)
        return plain or str(self.text % {"count": count, "others": others})

    def needs_others(self) -> bool:
        """Whether the sentence is about several actors."""
        return "others" in placeholders(self.pattern(2, 1))


@dataclass(frozen=True, eq=False)
class Activity:
    """Something that happens to a row: its transition into the filter, told once per row. In a
    :class:`LiveSite`: something that ``live.emit()`` or a browser records.

    ``text``
        The sentence, translatable, with the placeholders ``{actor}``, ``{target}`` and the keys
        of ``data``.
    ``target``, ``target_label``
        A foreign key to what it was done to (``"pk"``: the row itself), and an expression for its
        name. The name is kept as it was, so it outlives its object. Of what is recorded: a
        model, and a field or expression of it (default: the object as text).
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
    ``audience``
        Who may see it at all, wherever it is shown: ``"public"`` (as ``public=True``),
        ``"authenticated"``, ``"staff"``, or a function ``(user, target) -> bool``, asked with the
        target itself, None where that is gone. Without it (the default) it is seen where a
        template shows it, and by staff through the API.
    ``group``
        How several are told as one, a :class:`Group`.
    ``link``
        Whether what is told leads to the target, by its ``get_absolute_url()``, while it is
        there. Costs a query for each model that targets are of.
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
    audience: str | Callable[[Any, Any], bool] | None = None
    group: Group | None = None
    link: bool = False
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
        self._check_audience()
        known = {"actor", "target", *self.data}
        unknown = sorted(placeholders(str(self.text)) - known)
        if unknown:
            raise ValueError(
                f"live.Activity({str(self.text)!r}): the placeholder {{{unknown[0]}}} is neither "
                "actor nor target nor a key of data=."
            )
        if self.group is not None:
            self._check_group(self.group, {*known, "others", "count"})

    def _check_audience(self) -> None:
        if self.audience is None:
            return
        if not callable(self.audience) and self.audience not in AUDIENCES:
            raise ValueError(
                f"live.Activity(audience={self.audience!r}): give one of "
                f"{', '.join(map(repr, AUDIENCES))}, or a function of (user, target)."
            )
        if self.public and self.audience != "public":
            raise TypeError(
                f"live.Activity(public=True, audience={self.audience!r}): everybody may see it, or "
                "this audience. Leave one of them away."
            )
        if self.audience == "public":
            object.__setattr__(self, "public", True)
            object.__setattr__(self, "audience", None)

    def _check_group(self, group: Group, known: set[str]) -> None:
        if not isinstance(group, Group):
            raise TypeError(f"live.Activity(group={group!r}): give a live.Group.")
        said = group.pattern(2, 1)
        unknown = sorted(placeholders(said) - known)
        if unknown:
            raise ValueError(
                f"live.Group({said!r}): the placeholder {{{unknown[0]}}} is none of actor, "
                "others, target, count and the keys of data=."
            )
        if callable(self.audience) and "target" not in group.by:
            raise TypeError(
                "live.Activity(audience=..., group=...): what a function decides for each target "
                'is grouped by the target; give live.Group(by="target") or ("actor", "target").'
            )


def placeholders(text: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
