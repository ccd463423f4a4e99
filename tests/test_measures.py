"""Measures: one key for what is the same, another as soon as anything that matters differs."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection, models
from django.db.models import DecimalField, ExpressionWrapper, F, FloatField, Q, Value
from django.db.models.functions import Cast, Coalesce, TruncDay
from django.utils import translation
from django.utils.functional import SimpleLazyObject

import livecounters as live
from livecounters.exceptions import Unmeasurable
from livecounters.measures import Measure, canonical, declared_measures, measure_of
from livecounters.models import ActivityEvent
from livecounters.registry import Registry
from tests.host.models import Attempt, GiftSale, Sale

TOLD: dict[str, Any] = {"data": {"score": "score", "note": "note", "title": "quiz__title"}}


def measures(model: Any = Attempt, **declared: Any) -> dict[str, Measure]:
    """The measures of counters, by name."""
    names = Registry()
    declared.setdefault("at", "completed_at" if model is Attempt else "day")
    names.add(model, type("Declared", (live.LiveModel,), declared))
    return {entry.name: measure_of(entry) for entry in names.counters}


def key(counter: Any, model: Any = Attempt, **declared: Any) -> str:
    return measures(model, counter=counter, **declared)["counter"].key


# Keys


def test_looks_and_windows_share_one_measure() -> None:
    found = measures(
        a=live.Count(filter=Q(score=1, completed=True)),
        b=live.Count(filter=Q(completed=True, score=1), window=live.today),
        c=live.Count(
            filter=Q(score=1, completed=True),
            window=live.last(days=3),
            label="C",
            icon="x",
            group="g",
            public=True,
            levels={"busy": 3},
            audience=bool,
        ),
    )

    assert len({measure.key for measure in found.values()}) == 1
    assert {len(measure.key) for measure in found.values()} == {32}


def test_sums_and_means_share_one_measure() -> None:
    found = measures(
        Sale,
        total=live.Sum(F("price") * F("quantity"), per="currency"),
        mean=live.Avg(F("price") * F("quantity"), per="currency", window=live.this_month),
    )

    assert found["total"].key == found["mean"].key


DIFFERENT: dict[str, str] = {
    "count": key(live.Count()),
    "of another field": key(live.Count("score")),
    "distinct": key(live.Count("user", distinct=True)),
    "a sample": key(live.Count("user", distinct=True, sample=2)),
    "a smaller sample": key(live.Count("user", distinct=True, sample=4)),
    "distinct of another field": key(live.Count("quiz", distinct=True)),
    "filter": key(live.Count(filter=Q(score=1))),
    "filter of the class": key(live.Count(), filter=Q(score=2)),
    "negated": key(live.Count(filter=~Q(score=1))),
    "either": key(live.Count(filter=Q(score=1) | Q(completed=True))),
    "both": key(live.Count(filter=Q(score=1) & Q(completed=True))),
    "a text for a number": key(live.Count(filter=Q(score="1"))),
    "per": key(live.Count(per="quiz")),
    "per another": key(live.Count(per="user")),
    "at": key(live.Count(at=F("completed_at"))),
    "no at": key(live.Count(), at=None),
    "sum": key(live.Sum("score")),
    "sum of another": key(live.Sum("quiz_id")),
    "sum per": key(live.Sum("score", per="quiz")),
    "another model": key(live.Count(), Sale),
    "a proxy": key(live.Count(), GiftSale),
    "events": key(live.Count(events=(told := live.Activity("x", **TOLD))), told=told),
    "other events": key(live.Count(events=(other := live.Activity("x", **TOLD))), other=other),
    "events per": key(live.Count(events=(by := live.Activity("x")), per="actor"), told=by),
    "events of": key(live.Sum("data__score", events=(of := live.Activity("x", **TOLD))), told=of),
    "money": key(live.Sum("price"), Sale),
    "a float": key(live.Sum("weight"), Sale),
    "two places": key(live.Sum(Cast("weight", DecimalField(max_digits=9, decimal_places=2))), Sale),
    "3 places": key(live.Sum(Cast("weight", DecimalField(max_digits=9, decimal_places=3))), Sale),
}


def test_whatever_matters_makes_another_measure() -> None:
    assert len(set(DIFFERENT.values())) == len(DIFFERENT)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "UTC"])
def test_another_calendar_is_another_measure(settings: Any, zone: str) -> None:
    before = key(live.Count())

    settings.TIME_ZONE = zone

    assert key(live.Count()) != before


def test_wall_clocks_are_other_times(settings: Any) -> None:
    before = key(live.Count())

    settings.USE_TZ = False

    # PostgreSQL stores instants even so.
    assert (key(live.Count()) == before) is connection.features.supports_timezones


def test_a_site_s_counters_follow_its_zone(settings: Any) -> None:
    counter = live.counters["attempts"]
    before = counter.measure.key

    settings.TIME_ZONE = "Asia/Kolkata"
    assert counter.measure.key != before
    assert str(counter.measure.clock.zone) == "Asia/Kolkata"

    settings.TIME_ZONE = "Europe/Paris"
    assert counter.measure.key == before


PROGRAM = """
import django; django.setup()
import livecounters as live
from django.db.models import F, Q
from livecounters.measures import declared_measures, measure_of
from livecounters.registry import Registry
from livecounters.tellings import telling_of
from livecounters.registry import registry
from tests.host.models import Sale

class Declared(live.LiveModel):
    a = live.Count(filter=Q(currency__in={"EUR", "USD", "GBP", "CHF"}))
    b = live.Count(filter=Q(currency__in=frozenset({"EUR", "USD", "GBP", "CHF"})))
    c = live.Count(filter=Q(extra={"x": 1, "a": 2}))

names = Registry()
names.add(Sale, Declared)
print([m.key for m in (*declared_measures(), *map(measure_of, names.counters))])
print([telling_of(entry).digest for entry in registry.activities])
"""


def test_keys_are_the_same_in_every_process() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(said) == 1
    assert all(measure.key in said.copy().pop() for measure in declared_measures())


@pytest.mark.parametrize("language", ["de", "fr", None])
def test_keys_are_the_same_in_every_language(language: str | None) -> None:
    told = live.Activity("x", data={"flag": "action_flag"})
    given: dict[str, Any] = {"told": told, "at": "action_time"}
    counter = live.Sum("data__flag", events=told)
    before = key(counter, LogEntry, **given)

    with translation.override(language):
        assert key(counter, LogEntry, **given) == before


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        ("quiz", "'quiz'"),
        (Q(a=1), "models.Q(('a', 1))"),
        (F("a"), "models.F('a')"),
        (Decimal("1.0"), "Decimal('1.0')"),
    ],
)
def test_a_declaration_as_text(value: Any, text: str) -> None:
    assert canonical(value) == text


def test_what_cannot_be_written_is_described() -> None:
    lazy = SimpleLazyObject(object)

    assert canonical(Q(a=lambda: 1)).startswith("<Q: ")
    assert canonical(lazy)


# What is derived


def test_how_values_are_scaled() -> None:
    two: Any = DecimalField(max_digits=9, decimal_places=2)
    found = measures(
        Sale,
        money=live.Sum("price"),
        product=live.Sum(F("price") * F("quantity")),
        square=live.Sum(F("price") * F("price")),
        sum=live.Sum(F("price") + Value(Decimal("0.125"))),
        whole=live.Avg("quantity"),
        rough=live.Sum("weight"),
        given=live.Sum(ExpressionWrapper(F("price") / 3, output_field=two)),
        count=live.Count(),
    )

    assert {name: measure.places for name, measure in found.items()} == {
        "money": 2,
        "product": 2,
        "square": 4,
        "sum": 3,
        "whole": 0,
        "rough": 6,
        "given": 2,
        "count": 0,
    }


@pytest.mark.parametrize(
    ("model", "given", "wall", "dates"),
    [
        (Attempt, {}, False, False),
        (Attempt, {"at": None}, False, False),
        (Attempt, {"at": TruncDay("completed_at")}, False, False),
        (Sale, {}, True, True),
    ],
)
def test_clocks(model: Any, given: dict[str, Any], wall: bool, dates: bool) -> None:
    clock = measures(model, n=live.Count(), **given)["n"].clock

    assert (clock.wall, clock.dates) == (wall, dates)


def test_a_counter_over_events_reads_the_table_of_events() -> None:
    told = live.Activity("x", **TOLD)
    found = measures(
        told=told,
        n=live.Count(events=told, per="target", window=live.today),
        total=live.Sum("data__score", events=told),
    )

    assert {measure.model for measure in found.values()} == {ActivityEvent}
    assert all(measure.append_only and measure.at == "at" for measure in found.values())
    assert found["n"].where == Q(kind="host.told") & Q()
    assert isinstance(found["total"].value_field, models.IntegerField)


def test_the_measures_of_a_site_are_few_and_leave_out_what_is_wrong() -> None:
    names = Registry()
    wrong = {"wrong": live.Count(filter=Q(nothing=1)), "a": live.Count(), "b": live.Count()}
    names.add(Attempt, type("Declared", (live.LiveModel,), wrong))

    assert len(declared_measures(names)) == 1
    assert len(declared_measures()) < len(live.counters)


# What cannot be kept

EVENTS = live.Activity("x", **TOLD)


@pytest.mark.parametrize(
    ("counter", "given", "check_id", "reason"),
    [
        (live.Count(filter=Q(x=1)), {}, "E002", "Cannot resolve keyword 'x' into field."),
        (live.Count(per="x"), {}, "E002", "Cannot resolve keyword 'x' into field."),
        (live.Sum("x"), {}, "E002", "Cannot resolve keyword 'x' into field."),
        (live.Count(F("score")), {}, "E002", "Count(F(score)) is not understood."),
        (
            live.Sum(F("score") + F("note")),
            {},
            "E002",
            "Cannot infer type of '+' expression involving these types: IntegerField, TextField.",
        ),
        (
            live.Count(window=live.today),
            {"at": None},
            "E003",
            "window=Calendar(unit='day') needs to know when a row counts.",
        ),
        (live.Count(filter=Q(quiz__tags=None)), {}, "E004", "it counts rows without a row of"),
        (live.Sum("quiz__attempt__score"), {}, "E004", "through the table 'host_attempt' twice"),
        (live.Count(filter=~Q(quiz__tags="a")), {}, "E005", "a subquery cannot be kept"),
        (live.Sum("note"), {}, "E006", "is a TextField that cannot be added up exactly."),
        (live.Avg("completed_at"), {}, "E006", "is a DateTimeField that cannot be added up"),
        (live.Sum(F("score") / Value(Decimal(3))), {}, "E006", "is a DecimalField that cannot"),
        (live.Count(per="note"), {}, "E007", "'note' is a TextField; its values cannot"),
        (live.Count("note", distinct=True), {}, "E007", "'note' is a TextField; its values"),
        (
            live.Count(Coalesce("user", "quiz"), distinct=True),
            {},
            "E007",
            "distinct values of Coalesce(F(user), F(quiz)) cannot be kept.",
        ),
        (live.Count(at="score"), {}, "E008", "at='score' is a IntegerField."),
        (live.Count(events=EVENTS, per="quiz"), {}, "E009", "per='quiz': a counter over events"),
        (live.Count(events=EVENTS, at="at"), {}, "E009", "at='at': a counter over events knows"),
        (
            live.Sum("score", events=EVENTS),
            {},
            "E009",
            "'score' is not in the data of 'host.told'; "
            "it holds 'data__score', 'data__note', 'data__title'.",
        ),
        (live.Sum(F("data__score"), events=EVENTS), {}, "E009", "F(data__score) is not in the"),
        (live.Sum("data__note", events=EVENTS), {}, "E006", "is a TextField that cannot be"),
        (live.Count(), {"filter": "completed"}, "E002", "filter='completed'"),
    ],
)
def test_why_a_counter_cannot_be_kept(
    counter: Any, given: dict[str, Any], check_id: str, reason: str
) -> None:
    with pytest.raises(Unmeasurable) as caught:
        measures(told=EVENTS, counter=counter, **given)
    assert caught.value.check_id == check_id
    assert reason in str(caught.value)
    assert caught.value.hint


def test_floats_are_kept_to_six_places() -> None:
    assert measures(Sale, n=live.Sum(F("weight") * 2))["n"].places == 6
    assert isinstance(measures(Sale, n=live.Avg("weight"))["n"].value_field, FloatField)


def recorded(counter: Any) -> Measure:
    data = {
        "n": int,
        "x": float,
        "text": str,
        "price": DecimalField(max_digits=6, decimal_places=2),
    }
    done = live.Activity("x", data=data)
    names = Registry()
    names.add_site(type("Site", (live.LiveSite,), {"done": done, "n": counter(done)}))
    return measure_of(names.counters.get("n"))


@pytest.mark.parametrize(("key", "places"), [("n", 0), ("x", 6), ("price", 2)])
def test_what_is_recorded_is_added_up_as_declared(key: str, places: int) -> None:
    found = recorded(lambda done: live.Sum(f"data__{key}", events=done, per="actor"))

    assert found.places == places
    assert found.personal
    assert found.append_only


@pytest.mark.parametrize(
    ("counter", "reason"),
    [
        (lambda done: live.Sum("data__text", events=done), "it is not said whether 'text' of"),
        (lambda done: live.Sum("data__nothing", events=done), "is not in the data of"),
        (lambda done: live.Count(per="target", events=done), "does not say of which model its"),
    ],
)
def test_why_what_is_recorded_cannot_be_counted(counter: Any, reason: str) -> None:
    with pytest.raises(Unmeasurable, match=reason) as caught:
        recorded(counter)
    assert caught.value.check_id == "E009"
