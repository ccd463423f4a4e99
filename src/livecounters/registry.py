"""Name -> declaration: what the hosts' ``livecounters.py`` modules have declared."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from django.apps import apps
from django.db.models import Model, Q
from django.db.models.expressions import Combinable

from livecounters.activities import Activity
from livecounters.badges import Badge
from livecounters.declarations import Aggregate
from livecounters.exceptions import AlreadyDeclared, AmbiguousName, UnknownName, Unmeasurable
from livecounters.gauges import Gauged, Online

__all__ = [
    "ActivityEntry",
    "BadgeEntry",
    "CounterEntry",
    "Entry",
    "GaugeEntry",
    "LiveModel",
    "LiveSite",
    "Names",
    "Registry",
    "register",
    "registry",
]

T = TypeVar("T", bound=type["LiveModel"])
S = TypeVar("S", bound=type["LiveSite"])


class Live:
    """What declarations have in common."""

    filter: Q | None = None
    at: str | Combinable | None = None
    actor: str | None = None


class LiveModel(Live):
    """The base of a host's declaration about one model.

    ``filter``: the rows that count (default: all). ``at``: when they count, a field or an
    expression; needed for windows and history. ``actor``: who did it, a field.
    """


class LiveSite(Live):
    """The base of a host's declaration of what belongs to no model: who is online, gauges,
    activities that code or a browser records, counters of these, and badges."""


class Named:
    """What is declared under a name."""

    name: str
    model: type[Model] | None
    live: type[Live]

    @property
    def app_label(self) -> str:
        """The app of its model; without one, the app it is declared in."""
        if self.model is not None:
            return self.model._meta.app_label
        config = apps.get_containing_app_config(self.live.__module__)
        return config.label if config is not None else "site"

    @property
    def full_name(self) -> str:
        """``app_label.name``: unambiguous on every site."""
        return f"{self.app_label}.{self.name}"

    def __str__(self) -> str:
        return f"{self.live.__module__}.{self.live.__qualname__}.{self.name}"


@dataclass(frozen=True)
class Entry(Named):
    """A counter or an activity together with where it was declared: about the rows of
    ``model``, or in a :class:`LiveSite`."""

    name: str
    model: type[Model] | None
    live: type[Live]

    __str__ = Named.__str__

    @property
    def rows_of(self) -> type[Model]:
        """The model that it is about the rows of."""
        assert self.model is not None, f"{self} is about no rows"
        return self.model

    def narrowed(self, own: Q | None) -> Q:
        """The class's filter and a declaration's own: both must hold."""
        given = self.live.filter
        if given is not None and not isinstance(given, Q):
            raise Unmeasurable(
                "E002",
                f"{self.live.__name__} has filter={given!r}, which is no Q object.",
                "Write the condition as filter = Q(...).",
            )
        return (given or Q()) & (own or Q())


@dataclass(frozen=True)
class ActivityEntry(Entry):
    """A declared activity; its full name is the ``kind`` of its events."""

    declared: Activity

    @property
    def recorded(self) -> bool:
        """Whether code or a browser records it; else rows tell it."""
        return self.model is None

    @property
    def where(self) -> Q:
        """The rows that are told once they come to match."""
        return self.narrowed(self.declared.filter)


@dataclass(frozen=True)
class CounterEntry(Entry):
    """A declared counter; ``activity`` is what it counts the events of, if anything."""

    declared: Aggregate
    activity: ActivityEntry | None = None

    @property
    def where(self) -> Q:
        """The rows (or, over an activity, the events) that count."""
        if self.activity is not None:
            return self.declared.filter or Q()
        return self.narrowed(self.declared.filter)


@dataclass(frozen=True)
class GaugeEntry(Named):
    """A declared gauge; ``model`` is what each of its numbers is about an object of, if any."""

    name: str
    model: type[Model] | None
    live: type[Live]
    declared: Gauged

    __str__ = Named.__str__


@dataclass(frozen=True)
class BadgeEntry(Named):
    """A declared badge."""

    name: str
    live: type[Live]
    declared: Badge
    model: None = None

    __str__ = Named.__str__


E = TypeVar("E", bound=Named)


class Names(Generic[E]):
    """Entries by full name, and by short name while only one app has it."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._entries: dict[str, E] = {}
        self._full_names: dict[str, list[str]] = {}

    def __iter__(self) -> Iterator[E]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: E) -> None:
        if entry.full_name in self._entries:
            raise AlreadyDeclared(
                f"{entry}: {entry.full_name!r} is already declared by "
                f"{self._entries[entry.full_name]}. Give one of them another name."
            )
        self._entries[entry.full_name] = entry
        self._full_names.setdefault(entry.name, []).append(entry.full_name)

    def remove(self, entry: E) -> None:
        del self._entries[entry.full_name]
        self._full_names[entry.name].remove(entry.full_name)
        if not self._full_names[entry.name]:
            del self._full_names[entry.name]

    def get(self, name: str) -> E:
        """The entry of a full name or an unambiguous short name."""
        if name in self._entries:
            return self._entries[name]
        candidates = self._full_names.get(name, [])
        if len(candidates) == 1:
            return self._entries[candidates[0]]
        if candidates:
            raise AmbiguousName(
                f"{self._what} {name!r} is declared by several apps; "
                f"use one of the full names {', '.join(sorted(candidates))}."
            )
        known = [*self._entries, *self._full_names]
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else f" Known are: {sorted(self._entries)}."
        raise UnknownName(f"No {self._what} {name!r} is declared.{hint}")

    def shortest(self, entry: E) -> str:
        """The name it is shown by: the short one while that is unambiguous."""
        return entry.name if len(self._full_names[entry.name]) == 1 else entry.full_name

    def ambiguous(self) -> dict[str, list[str]]:
        """Short name -> the full names it could mean, where there are several."""
        return {name: full for name, full in self._full_names.items() if len(full) > 1}


class Registry:
    """All that is declared on a site, in order of declaration."""

    def __init__(self) -> None:
        self.counters: Names[CounterEntry] = Names("counter")
        self.gauges: Names[GaugeEntry] = Names("gauge")
        self.numbers: Names[CounterEntry | GaugeEntry] = Names("counter")
        """Counters and gauges together."""
        self.activities: Names[ActivityEntry] = Names("activity")
        self.badges: Names[BadgeEntry] = Names("badge")
        self._by_activity: dict[int, dict[type[Live], ActivityEntry]] = {}

    def add(self, model: type[Model], live: type[LiveModel]) -> None:
        """Take in every counter, activity and gauge that the class declares."""
        self._add(model, live)

    def add_site(self, live: type[LiveSite]) -> None:
        """Take in every gauge, activity and badge that the class declares, and every counter over
        the events of an activity."""
        for word in vars(Live):
            if not word.startswith("_") and getattr(live, word) is not None:
                raise TypeError(
                    f"{live.__name__}.{word}: a live.LiveSite is about no rows; give {word} in a "
                    "class with @live.register(Model)."
                )
        for name, value in _declared(live).items():
            if isinstance(value, Aggregate) and value.events is None:
                raise TypeError(
                    f"{live.__name__}.{name}: a counter counts the rows of a model; declare it "
                    "in a class with @live.register(Model). Here it can count what happened: "
                    "give events= an activity."
                )
        self._add(None, live)

    def _add(self, model: type[Model] | None, live: type[Live]) -> None:
        declared = _declared(live)
        for name, value in declared.items():
            if isinstance(value, Activity):
                told = ActivityEntry(name, model, live, value)
                if value.achievements and not told.recorded:
                    raise TypeError(f"{told}: achievements are told by a live.LiveSite.")
                self.activities.add(told)
                self._by_activity.setdefault(id(value), {})[live] = told
        for name, value in declared.items():
            if isinstance(value, Aggregate):
                told_of = self._told(name, value, live)
                counter = CounterEntry(name, model, live, value, told_of)
                self.numbers.add(counter)
                self.counters.add(counter)
            elif isinstance(value, Gauged):
                self._add_gauge(GaugeEntry(name, model, live, value))
            elif isinstance(value, Badge):
                self._add_badge(BadgeEntry(name, live, value), model)

    def _add_badge(self, badge: BadgeEntry, model: type[Model] | None) -> None:
        if model is not None:
            raise TypeError(f"{badge}: a badge is about a person; declare it in a live.LiveSite.")
        self.badges.add(badge)

    def _add_gauge(self, gauge: GaugeEntry) -> None:
        if gauge.model is not None and not isinstance(gauge.declared, Online):
            raise TypeError(
                f"{gauge}: only live.Online can be about the objects of a model; declare it in a "
                "live.LiveSite."
            )
        self.numbers.add(gauge)
        self.gauges.add(gauge)

    def _told(self, name: str, counter: Aggregate, live: type[Live]) -> ActivityEntry | None:
        if counter.events is None:
            return None
        # Classes may share a base: each counts the events of its own.
        told = self._by_activity.get(id(counter.events), {})
        try:
            return told.get(live) or next(iter(told.values()))
        except StopIteration:
            raise UnknownName(
                f"Counter {name!r}: the activity of its events= is not declared in any "
                "registered class. Declare it as an attribute of a class first."
            ) from None

    def remove(self, live: type) -> None:
        """Take a class's declarations out again; for tests."""
        for number in [entry for entry in self.numbers if entry.live is live]:
            self.numbers.remove(number)
            names: Names[Any] = self.counters if isinstance(number, CounterEntry) else self.gauges
            names.remove(number)
        for activity in [entry for entry in self.activities if entry.live is live]:
            self.activities.remove(activity)
            del self._by_activity[id(activity.declared)][live]
        for badge in [entry for entry in self.badges if entry.live is live]:
            self.badges.remove(badge)


def _declared(live: type) -> dict[str, object]:
    """What a class and its bases declare, bases first; a name that is set anew counts anew."""
    found: dict[str, object] = {}
    for cls in reversed(live.__mro__):
        found.update(vars(cls))
    return found


registry = Registry()


@overload
def register(model: S) -> S: ...
@overload
def register(model: type[Model]) -> Callable[[T], T]: ...
def register(model: Any) -> Any:
    """Class decorator: what the class declares is about the rows of ``model``, or, without one,
    about the site.

        @live.register(Attempt)
        class AttemptLive(live.LiveModel): ...

        @live.register
        class SiteLive(live.LiveSite): ...

    Raises ``TypeError`` for anything but a model with rows of its own and a :class:`LiveModel`,
    or a :class:`LiveSite`.
    """
    if isinstance(model, type) and issubclass(model, LiveSite):
        registry.add_site(model)
        return model
    if not (isinstance(model, type) and issubclass(model, Model)):
        raise TypeError(f"live.register({model!r}): give the model class, live.register(Attempt).")
    if model._meta.abstract:
        raise TypeError(
            f"live.register({model.__name__}): it is abstract and has no rows; "
            "register each model that is made from it."
        )
    if model._meta.swapped:
        raise TypeError(
            f"live.register({model.__name__}): the site uses {model._meta.swapped} in its place; "
            "register that, for example get_user_model()."
        )

    def decorate(live: T) -> T:
        if not (isinstance(live, type) and issubclass(live, LiveModel)):
            raise TypeError(f"live.register({model.__name__}): {live!r} is no live.LiveModel.")
        registry.add(model, live)
        return live

    return decorate
