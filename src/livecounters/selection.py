"""Selections: which of all events a feed tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.apps import apps
from django.db.models import Model, Q

from livecounters.keys import text_of
from livecounters.models import ActivityEvent

__all__ = ["EVERYTHING", "Party", "Selection", "parties_of", "party_of"]


class Party(NamedTuple):
    """Whom an event is about: an object, as events name it."""

    model: str
    key: str


def party_of(model: str | Model | Party, key: str = "") -> Party:
    """An object, or a model's label and the text of a key of it. Raises ``LookupError``,
    ``ValueError`` or ``ValidationError`` where there can be none."""
    if isinstance(model, Party):
        return model
    if isinstance(model, Model):
        return Party(model._meta.label_lower, text_of(model._meta.pk, model))
    found = apps.get_model(model)
    return Party(found._meta.label_lower, text_of(found._meta.pk, key))


def parties_of(one: Model | Party) -> list[Party]:
    """An object by all the names that events may have for it: as what it is, and as what each of
    its model's parents with a table makes of it."""
    if isinstance(one, Party):
        return [one]
    models = (type(one), *one._meta.all_parents)
    return [Party(each._meta.label_lower, text_of(each._meta.pk, one)) for each in models]


@dataclass(frozen=True)
class Selection:
    """Events of one of these ``kinds`` (full names; None: of all), done to one of these
    ``targets`` and by one of these ``actors``, where any are named."""

    kinds: tuple[str, ...] | None = None
    targets: tuple[Party, ...] = ()
    actors: tuple[Party, ...] = ()

    @property
    def where(self) -> Q:
        """The events, for a query of them."""
        found = Q() if self.kinds is None else Q(kind__in=self.kinds)
        return found & _named("target", self.targets) & _named("actor", self.actors)

    def has(self, row: ActivityEvent) -> bool:
        """Whether it is one of them."""
        return (
            (self.kinds is None or row.kind in self.kinds)
            and (not self.targets or (row.target_model, row.target) in self.targets)
            and (not self.actors or (row.actor_model, row.actor) in self.actors)
        )

    def beyond(self, columns: Sequence[str]) -> Selection:
        """What it still asks of events that have their kind and these columns in common."""
        return Selection(
            targets=() if "target" in columns else self.targets,
            actors=() if "actor" in columns else self.actors,
        )


EVERYTHING = Selection()


def _named(column: str, parties: Sequence[Party]) -> Q:
    found = Q()
    for model in dict.fromkeys(party.model for party in parties):
        keys = [party.key for party in parties if party.model == model]
        # One key alone is found by an index that is in the order of the feed.
        key: dict[str, Any] = {column: keys[0]} if len(keys) == 1 else {f"{column}__in": keys}
        found |= Q(**key, **{f"{column}_model": model})
    return found
