"""Watches: what the declarations ask for, and that any condition means the same in a trigger."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Length, Lower
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import livecounters as live
from livecounters import capture, installation
from livecounters.exceptions import Unmeasurable
from livecounters.models import ActivityEvent
from livecounters.registry import Registry, registry
from livecounters.watches import names_of, watches
from tests.host.models import Attempt, GiftSale, Sale
from tests.oracle import assert_declared_exact
from tests.zoo.models import Truth


def declared(*models: tuple[Any, dict[str, Any]]) -> Registry:
    names = Registry()
    for model, body in models:
        names.add(model, type("Declared", (live.LiveModel,), body))
    return names


def test_one_watch_for_each_table_and_events_last() -> None:
    told = live.Activity("x")
    names = declared(
        (Attempt, {"told": told, "a": live.Count(), "b": live.Count(events=told)}),
        (GiftSale, {"c": live.Count()}),
        (Sale, {"d": live.Sum("price"), "e": live.Avg("price")}),
    )

    found = watches("default", names)

    assert [watch.model for watch in found] == [Attempt, Sale, ActivityEvent]
    assert [len(watch.measures) for watch in found] == [1, 2, 1]
    assert names_of(found[1].measures[1].key, names) == ["host.d", "host.e"]
    assert watches("elsewhere", names) == []


def test_what_cannot_be_kept_names_its_declaration() -> None:
    with pytest.raises(Unmeasurable, match=r"Declared\.n: .*cannot be added up") as caught:
        watches("default", declared((Attempt, {"n": live.Sum("note")})))
    assert caught.value.check_id == "E006"


# The truth table: whatever a condition says, it says the same of NEW and OLD as of the table.

TEXTS = [None, "", "a", "A", "ab%", "ä"]
NUMBERS = [None, -1, 0, 7]
PRICES = [None, Decimal("-0.50"), Decimal("7.00"), Decimal("10.25")]

texts, numbers, prices = (st.sampled_from(some[1:]) for some in (TEXTS, NUMBERS, PRICES))
conditions = st.one_of(
    *(
        st.builds(lambda v, n=name: Q(**{n: v}), numbers)  # type: ignore[misc]
        for name in ("a", "a__gt", "a__lte", "b__lt", "b__gte")
    ),
    *(
        st.builds(lambda v, n=name: Q(**{n: v}), texts)  # type: ignore[misc]
        for name in (
            "text",
            "text__iexact",
            "text__contains",
            "text__icontains",
            "text__startswith",
            "text__istartswith",
            "text__endswith",
            "text__gt",
            "text__lte",
        )
    ),
    *(
        st.builds(lambda v, n=name: Q(**{n: v}), prices)  # type: ignore[misc]
        for name in ("price", "price__gt", "price__lt")
    ),
    st.builds(lambda v: Q(a__in=v), st.lists(numbers, min_size=1, max_size=3)),
    st.builds(lambda v: Q(text__in=v), st.lists(texts, min_size=1, max_size=3)),
    st.builds(lambda v: Q(price__in=v), st.lists(prices, min_size=1, max_size=3)),
    st.builds(lambda v, w: Q(price__range=sorted((v, w))), prices, prices),
    st.builds(lambda v: Q(yes=v), st.booleans()),
    st.builds(
        lambda v, n: Q(**{f"{n}__isnull": v}),
        st.booleans(),
        st.sampled_from(("a", "text", "yes", "price")),
    ),
    st.sampled_from(
        [
            Q(a=F("b")),
            Q(a__gt=F("b")),
            Q(price__gt=F("a")),
            Q(price__lte=F("b") + 1),
            Q(text__iexact=F("text")),
            Q(a__lt=Coalesce("b", 3)),
            Q(text=Lower("text")),
            Q(a__gte=Length("text")),
        ]
    ),
)
filters = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.builds(lambda q: ~q, inner),
        st.builds(lambda q, r: q & r, inner, inner),
        st.builds(lambda q, r: q | r, inner, inner),
        st.builds(lambda q, r: q ^ r, inner, inner),
    ),
    max_leaves=5,
)


def rows() -> Iterator[Truth]:
    table = itertools.product(TEXTS, NUMBERS, PRICES)
    for n, (text, number, price) in enumerate(table):
        yield Truth(
            text=text, a=number, b=NUMBERS[n // 3 % 4], price=price, yes=[None, True, False][n % 3]
        )


@pytest.mark.django_db
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=st.lists(filters, min_size=6, max_size=6))
def test_a_condition_says_the_same_in_a_trigger(some: list[Q]) -> None:
    made = live.register(Truth)(
        type(
            "Declared",
            (live.LiveModel,),
            {f"n{n}": live.Count(filter=where) for n, where in enumerate(some)}
            | {
                "price": live.Sum("price", filter=some[0]),
                "each": live.Count(per="a", filter=some[1]),
            },
        )
    )
    try:
        installation.sync("default")
        assert dict(capture.states("default"))["zoo_truth"] == "installed"
        Truth.objects.bulk_create(rows())
        assert_declared_exact(made)
        Truth.objects.filter(a=7).update(a=F("b"), text="ab%", yes=None)
        Truth.objects.filter(a=0).update(price=F("price") + 7, text=None)
        Truth.objects.filter(yes=True).delete()
        assert_declared_exact(made)
    finally:
        registry.remove(made)
        Truth.objects.all().delete()
        if not connection.features.can_rollback_ddl:
            installation.sync("default")


def test_what_is_recorded_needs_no_trigger_but_to_be_counted() -> None:
    done = live.Activity("x")
    names = Registry()
    names.add_site(type("Site", (live.LiveSite,), {"done": done}))
    assert watches("default", names) == []

    names.add_site(type("Site", (live.LiveSite,), {"n": live.Count(events=done)}))
    (watch,) = watches("default", names)
    assert (watch.model, len(watch.measures), watch.tellings) == (ActivityEvent, 1, ())
