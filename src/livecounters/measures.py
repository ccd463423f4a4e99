"""What is kept for a counter: its defining query, and the key under which numbers are stored.

Counters that differ only in window or looks share one measure; ``Sum`` and ``Avg`` of the same
expression do too. A measure's key is made from the declaration, so that another declaration has
other numbers and never shows those of this one.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.db import connections, models, router
from django.db.migrations.writer import MigrationWriter
from django.db.models import Q, QuerySet, Value
from django.db.models.expressions import Combinable, CombinedExpression
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, NullIf
from django.dispatch import receiver
from django.utils import translation

from livecounters.conf import site_zone
from livecounters.declarations import Aggregate, Count, Max, Min, Per
from livecounters.exceptions import Unmeasurable
from livecounters.keys import Field, may_be_joined, textual
from livecounters.models import ActivityEvent
from livecounters.recordables import recordable_of
from livecounters.registry import ActivityEntry, CounterEntry, Registry, registry
from livecounters.rows import output_field, related_model, resolved, rows, used_models
from livecounters.windows import Clock

__all__ = ["Measure", "canonical", "counted_databases", "declared_measures", "measure_of"]

# Part of every key: a new number makes every measure a new one.
VERSION = 1

# Floats are summed as millionths: integers add up to the same in any order, floats do not.
FLOAT_PLACES = 6

NUMBERS = (models.IntegerField, models.DecimalField, models.FloatField)


@dataclass(frozen=True, eq=False)
class Measure:
    """A defining query over the rows of one table, and of those it goes over.

    ``columns`` of the query: ``one`` always, ``scope``, ``member``, ``at``, ``value`` where it
    has them; of several keys ``scope1``, ``scope2`` and so on as well. ``places`` are the decimal places by which values are scaled to integers. Of a
    measure of ``extremes`` the members are numbers, kept in their order. Of its members only one
    in ``sample`` is counted at all.
    """

    model: type[models.Model]
    where: Q
    scope: Per = None
    member: str | Combinable | None = None
    at: str | Combinable | None = None
    value: str | Combinable | None = None
    places: int = 0
    append_only: bool = False
    extremes: bool = False
    sample: int = 1

    @cached_property
    def rows(self) -> QuerySet[Any, Any]:
        columns = {
            "one": Value(1, output_field=models.IntegerField()),
            **self.scope_paths,
            "member": self.member,
            "at": self.at,
            "value": self.value,
        }
        given = {name: value for name, value in columns.items() if value is not None}
        return rows(self.model, self.where, given, needed=(*self.scope_paths, "member", "value"))

    @property
    def scope_paths(self) -> dict[str, str]:
        """The columns that say whose number it is, and what they are."""
        paths = (self.scope,) if isinstance(self.scope, str) else self.scope or ()
        return {f"scope{n or ''}": path for n, path in enumerate(paths)}

    @cached_property
    def models(self) -> list[type[models.Model]]:
        """The models whose rows decide about it, its own first."""
        return used_models(self.rows)

    @property
    def joined(self) -> bool:
        """Whether other tables decide about it, too."""
        return len(self.models) > 1

    @cached_property
    def scope_fields(self) -> dict[str, Field]:
        """The stored field of each of these columns."""
        fields = {name: self._textual(name, path) for name, path in self.scope_paths.items()}
        if len(fields) > 1:
            may_be_joined(list(fields.values()), repr(self.scope))
        return fields

    @cached_property
    def member_field(self) -> Field | None:
        """The stored field of what is counted distinctly."""
        if self.extremes or self.member is None:
            return None
        return self._textual("member", self.member)

    def _textual(self, column: str, path: str | Combinable) -> Field:
        return textual(output_field(self.rows, column), repr(path))

    @cached_property
    def at_field(self) -> Field | None:
        if self.at is None:
            return None
        field = output_field(self.rows, "at")
        if not isinstance(field, models.DateField):
            raise Unmeasurable(
                "E008",
                f"at={self.at!r} is a {type(field).__name__}.",
                "Give a DateTimeField or a DateField, or an expression with such an output_field.",
            )
        return field

    @cached_property
    def value_field(self) -> Field:
        """The field that values are shown as."""
        return output_field(self.rows, "member" if self.extremes else "value")

    @property
    def exact(self) -> bool:
        """Whether values are kept as they are; floats are kept to millionths."""
        numbers = self.value is not None or self.extremes
        return not (numbers and isinstance(self.value_field, models.FloatField))

    @cached_property
    def personal(self) -> bool:
        """Whether it is counted per user."""
        if self.append_only:
            return self.scope == "actor"
        return settings.AUTH_USER_MODEL.lower() in self.scope_models

    @cached_property
    def scope_models(self) -> list[str]:
        """The label of the model that each key is of; "" if of none."""
        return [related_model(self.rows, name) for name in self.scope_paths]

    @cached_property
    def clock(self) -> Clock:
        dates = self.at is not None and not isinstance(self.at_field, models.DateTimeField)
        # Without USE_TZ some databases still store instants (PostgreSQL), others wall clocks.
        instants = settings.USE_TZ or connections[self.using].features.supports_timezones
        wall = dates or (self.at is not None and not instants)
        return Clock(site_zone(), wall=wall, dates=dates)

    @cached_property
    def using(self) -> str:
        """The database that holds the rows, and so the numbers."""
        return router.db_for_write(self.model)

    @cached_property
    def key(self) -> str:
        parts = [
            VERSION,
            self.model._meta.label_lower,
            *map(canonical, (self.where, self.scope, self.member, self.at, self.value)),
            self.places,
            str(self.clock.zone),
            self.clock.wall,
            self.extremes,
            *([self.sample] if self.sample > 1 else []),
        ]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def canonical(value: Any) -> str:
    """The same text for the same declaration, in any process and with any Django."""
    if value is None or isinstance(value, str):
        return repr(value)
    try:
        with translation.override(None):
            return MigrationWriter.serialize(value)[0]
    except ValueError:
        return repr(value)


@cache
def measure_of(entry: CounterEntry) -> Measure:
    """The measure that a counter reads. Raises ``Unmeasurable`` if there can be none."""
    counter = entry.declared
    measure = _over_events(entry, entry.activity) if entry.activity else _over_rows(entry)
    if counter.timed and measure.at is None:
        raise Unmeasurable(
            "E003",
            f"window={counter.window!r} needs to know when a row counts.",
            f'Give {entry.live.__name__} an at = "...", or the counter an at=.',
        )
    # Resolve what is lazy, so that a wrong declaration is found here and not when it is read.
    _ = (measure.rows, measure.scope_fields, measure.member_field, measure.at_field)
    return measure


def declared_measures(declared: Registry = registry) -> list[Measure]:
    """The measures of all counters; those that cannot be kept are left to the checks."""
    found = {}
    for entry in declared.counters:
        with suppress(Unmeasurable):
            measure = measure_of(entry)
            found[measure.key] = measure
    return list(found.values())


def counted_databases() -> list[str]:
    """The databases whose tables are counted."""
    return list(dict.fromkeys(measure.using for measure in declared_measures()))


def _over_rows(entry: CounterEntry) -> Measure:
    counter = entry.declared
    extremes = isinstance(counter, (Min, Max))
    where, member, value, places = entry.where, None, None, 0
    if isinstance(counter, Count):
        where, member = _counted(counter, where)
    else:
        value = counter.expression
        found = resolved(rows(entry.rows_of, Q(), {"value": value}, needed=["value"]), "value")
        if extremes and not isinstance(found.output_field, NUMBERS):
            raise Unmeasurable(
                "E006",
                f"{value!r} is a {type(found.output_field).__name__}; Min and Max are of numbers.",
                "For a date or a text give the field an index and ask the model itself: "
                'order_by("field").first().',
            )
        places = _places(found)
    return Measure(
        model=entry.rows_of,
        where=where,
        scope=counter.per,
        member=value if extremes else member,
        at=counter.at or entry.live.at,
        value=None if extremes else value,
        places=places,
        extremes=extremes,
        sample=getattr(counter, "sample", 1),
    )


def _counted(counter: Count, where: Q) -> tuple[Q, str | None]:
    """The filter of a count, and what it counts distinctly."""
    if counter.distinct:
        return where, _name(counter)
    if counter.expression is not None:
        where &= _not_null(counter.expression)
    return where, None


def _over_events(entry: CounterEntry, activity: ActivityEntry) -> Measure:
    counter = entry.declared
    for name, path in (("per", counter.per), ("at", counter.at)):
        allowed = ("actor", "target") if name == "per" else ()
        if path is not None and path not in allowed:
            raise Unmeasurable(
                "E009",
                f"{name}={path!r}: a counter over events knows "
                'per="actor" and per="target", and the time of the event.',
                "Count rows (without events=) for anything else.",
            )
    if counter.per == "target" and activity.recorded and not recordable_of(activity).target_model:
        raise Unmeasurable(
            "E009",
            f"per='target': {activity.full_name!r} does not say of which model its targets are.",
            "Give the activity a target=Model.",
        )
    where = Q(kind=activity.full_name) & entry.where
    member, value, places = None, None, 0
    if isinstance(counter, Count):
        where, member = _counted(counter, where)
    else:
        value, places = _event_value(counter, activity)
    extremes = isinstance(counter, (Min, Max))
    return Measure(
        model=ActivityEvent,
        where=where,
        scope=counter.per,
        member=value if extremes else member,
        at="at",
        value=None if extremes else value,
        places=places,
        append_only=True,
        extremes=extremes,
        sample=getattr(counter, "sample", 1),
    )


def _name(counter: Aggregate) -> str:
    if not isinstance(counter.expression, str):
        raise Unmeasurable(
            "E007",
            f"distinct values of {counter.expression!r} cannot be kept.",
            "Count the distinct values of a field: its name as text.",
        )
    return counter.expression


def _not_null(value: str | Combinable) -> Q:
    if not isinstance(value, str):
        raise Unmeasurable(
            "E002",
            f"Count({value!r}) is not understood.",
            "Count a field, or put the condition into filter=.",
        )
    return Q(**{f"{value}__isnull": False})


def _event_value(counter: Aggregate, activity: ActivityEntry) -> tuple[Combinable, int]:
    name = counter.expression
    key = name.removeprefix("data__") if isinstance(name, str) else ""
    if key == name or key not in activity.declared.data:
        known = ", ".join(repr(f"data__{key}") for key in activity.declared.data) or "nothing"
        raise Unmeasurable(
            "E009",
            f"{name!r} is not in the data of {activity.full_name!r}; it holds {known}.",
            'Put it into the activity\'s data={...} and sum it as "data__<key>".',
        )
    told = _told(activity, key)
    places = _places(told)
    # Without a value MariaDB says the text "null".
    text = NullIf(KeyTextTransform(key, "data"), Value("null"))
    return Cast(text, _bare(told.output_field)), places


def _told(activity: ActivityEntry, key: str) -> Any:
    """What an activity's data has under a key, as a resolved expression."""
    if not activity.recorded:
        data = {"value": activity.declared.data[key]}
        return resolved(rows(activity.rows_of, Q(), data, joins=True), "value")
    field = recordable_of(activity).field(key)
    if field is None:
        raise Unmeasurable(
            "E009",
            f"it is not said whether {key!r} of {activity.full_name!r} is a number.",
            f"Declare data={{{key!r}: int}}, float or a DecimalField(...), or write -> int behind "
            "the function that checks it.",
        )
    return Value(None, output_field=field)


def _bare(field: Any) -> Field:
    """The type of a number, without what else its field says (such as a translated name)."""
    if isinstance(field, models.DecimalField):
        return models.DecimalField(max_digits=field.max_digits, decimal_places=field.decimal_places)
    return models.FloatField() if isinstance(field, models.FloatField) else models.BigIntegerField()


def _places(value: Any) -> int:
    """The decimal places that hold a resolved expression exactly."""
    field: Any = value.output_field
    if isinstance(field, models.IntegerField):
        return 0
    if isinstance(field, models.FloatField):
        return FLOAT_PLACES
    if isinstance(field, models.DecimalField):
        places = getattr(field, "decimal_places", None)
        if places is not None:
            return int(places)
        if isinstance(value, Value):
            return max(0, -int(Decimal(value.value).as_tuple().exponent))
        if isinstance(value, CombinedExpression) and value.connector in "+-*":
            parts = [_places(part) for part in value.get_source_expressions()]
            return sum(parts) if value.connector == "*" else max(parts)
    raise Unmeasurable(
        "E006",
        f"{value!r} is a {type(field).__name__} that cannot be added up exactly.",
        "Add up integers or decimals; give an expression "
        "output_field=DecimalField(max_digits=..., decimal_places=...).",
    )


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in ("TIME_ZONE", "USE_TZ"):
        measure_of.cache_clear()
