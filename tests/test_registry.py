"""Names: what is declared is found by them, and only what is meant."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Q
from django.test import override_settings

import livecounters as live
from livecounters.exceptions import AlreadyDeclared, AmbiguousName, UnknownName
from livecounters.registry import LiveModel, Registry, registry
from tests.host.models import Attempt, Sale
from tests.zoo.models import Dated


def declared(**given: Any) -> type[LiveModel]:
    return type("Declared", (live.LiveModel,), given)


@pytest.fixture
def names() -> Registry:
    return Registry()


def test_full_and_short_names(names: Registry) -> None:
    names.add(Attempt, declared(attempts=live.Count(), told=live.Activity("x")))

    counter = names.counters.get("attempts")
    assert names.counters.get("host.attempts") is counter
    assert (counter.name, counter.full_name) == ("attempts", "host.attempts")
    assert names.counters.shortest(counter) == "attempts"
    assert names.activities.get("told") is names.activities.get("host.told")
    assert (len(names.counters), len(names.activities)) == (1, 1)


def test_the_order_is_that_of_declaration(names: Registry) -> None:
    names.add(Attempt, declared(zebra=live.Count(), ant=live.Sum("score"), bee=live.Avg("score")))
    names.add(User, declared(ape=live.Count()))

    assert [entry.name for entry in names.counters] == ["zebra", "ant", "bee", "ape"]


def test_an_ambiguous_short_name(names: Registry) -> None:
    names.add(Attempt, declared(total=live.Count()))
    names.add(User, declared(total=live.Count()))

    with pytest.raises(AmbiguousName) as caught:
        names.counters.get("total")
    assert str(caught.value) == (
        "counter 'total' is declared by several apps; "
        "use one of the full names auth.total, host.total."
    )
    assert names.counters.ambiguous() == {"total": ["host.total", "auth.total"]}
    assert names.counters.get("auth.total").model is User
    assert names.counters.shortest(names.counters.get("auth.total")) == "auth.total"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("atempts", "No counter 'atempts' is declared. Did you mean 'attempts'?"),
        ("host.atempts", "No counter 'host.atempts' is declared. Did you mean 'host.attempts'?"),
        ("zzz", "No counter 'zzz' is declared. Known are: ['host.attempts', 'host.scores']."),
        ("", "No counter '' is declared. Known are: ['host.attempts', 'host.scores']."),
    ],
)
def test_an_unknown_name(names: Registry, name: str, text: str) -> None:
    names.add(Attempt, declared(scores=live.Sum("score"), attempts=live.Count()))

    with pytest.raises(UnknownName) as caught:
        names.counters.get(name)
    assert str(caught.value) == text


def test_two_classes_for_one_model(names: Registry) -> None:
    names.add(Attempt, declared(one=live.Count(), filter=Q(completed=True)))
    names.add(Attempt, declared(two=live.Count()))

    assert [entry.full_name for entry in names.counters] == ["host.one", "host.two"]
    assert names.counters.get("one").where == Q(completed=True)
    assert names.counters.get("two").where == Q()


def test_one_name_twice_in_an_app(names: Registry) -> None:
    first = declared(total=live.Count())
    names.add(Attempt, first)

    with pytest.raises(AlreadyDeclared) as caught:
        names.add(Sale, declared(total=live.Count()))
    assert str(caught.value) == (
        f"{__name__}.Declared.total: 'host.total' is already declared by "
        f"{__name__}.Declared.total. Give one of them another name."
    )
    assert names.counters.get("total").live is first


def test_a_counter_and_an_activity_may_share_a_name(names: Registry) -> None:
    names.add(Attempt, declared(done=live.Count()))
    names.add(Sale, declared(done=live.Activity("x")))

    assert names.counters.get("done").model is Attempt
    assert names.activities.get("done").model is Sale


def test_both_filters_must_hold(names: Registry) -> None:
    told = live.Activity("x", filter=Q(score=100))
    narrow = declared(
        filter=Q(completed=True),
        told=told,
        plain=live.Count(),
        good=live.Count(filter=Q(score__gte=50)),
        perfect=live.Count(events=told),
        late=live.Count(events=told, filter=Q(at__isnull=False)),
    )
    names.add(Attempt, narrow)

    where = {entry.name: entry.where for entry in names.counters}
    assert where == {
        "plain": Q(completed=True),
        "good": Q(completed=True) & Q(score__gte=50),
        # The rows that are told were chosen when they were told.
        "perfect": Q(),
        "late": Q(at__isnull=False),
    }
    assert names.activities.get("told").where == Q(completed=True) & Q(score=100)


def test_the_events_of_another_class(names: Registry) -> None:
    told = live.Activity("x")
    names.add(Attempt, declared(told=told))
    names.add(Sale, declared(count=live.Count(events=told)))

    assert names.counters.get("count").activity is names.activities.get("told")


def test_events_declared_below_their_counter(names: Registry) -> None:
    told = live.Activity("x")
    names.add(Attempt, declared(count=live.Count(events=told), told=told))

    assert names.counters.get("count").activity is names.activities.get("told")


def test_events_that_nobody_declares(names: Registry) -> None:
    with pytest.raises(UnknownName) as caught:
        names.add(Attempt, declared(count=live.Count(events=live.Activity("x"))))
    assert str(caught.value) == (
        "Counter 'count': the activity of its events= is not declared in any "
        "registered class. Declare it as an attribute of a class first."
    )


def test_taken_out_again(names: Registry) -> None:
    told = live.Activity("x")
    gone, stays = declared(total=live.Count(events=told), told=told), declared(other=live.Count())
    names.add(Attempt, gone)
    names.add(Attempt, stays)

    names.remove(gone)

    assert [entry.name for entry in names.counters] == ["other"]
    assert len(names.activities) == 0
    names.add(User, declared(total=live.Count()))
    assert names.counters.get("total").full_name == "auth.total"


def test_a_name_that_was_taken_out_is_no_guess(names: Registry) -> None:
    gone = declared(total=live.Count())
    names.add(Attempt, gone)
    names.remove(gone)

    with pytest.raises(UnknownName, match=r"No counter 'total' is declared\. Known are: \[\]"):
        names.counters.get("total")


# The decorator


@pytest.mark.parametrize("given", ["host.Attempt", None, live.LiveModel, Attempt()])
def test_only_a_model_can_be_registered(given: Any) -> None:
    with pytest.raises(TypeError) as caught:
        live.register(given)
    assert str(caught.value) == (
        f"live.register({given!r}): give the model class, live.register(Attempt)."
    )


def test_a_model_without_rows_of_its_own() -> None:
    with pytest.raises(TypeError, match="it is abstract and has no rows; register each model"):
        live.register(Dated)
    swapped = override_settings(AUTH_USER_MODEL="shop.Customer")
    with swapped, pytest.raises(TypeError, match=r"the site uses shop\.Customer in its place"):
        live.register(User)


@pytest.mark.parametrize("given", [object, live.LiveModel()])
def test_only_a_live_model_can_be_declared(given: Any) -> None:
    with pytest.raises(TypeError) as caught:
        live.register(Attempt)(given)
    assert str(caught.value) == f"live.register(Attempt): {given!r} is no live.LiveModel."


def test_the_decorator_answers_its_class() -> None:
    plain = declared(from_decorator=live.Count())
    try:
        assert live.register(Attempt)(plain) is plain
        assert registry.counters.get("from_decorator").live is plain
        assert str(registry.counters.get("host.from_decorator")) == (
            f"{__name__}.Declared.from_decorator"
        )
    finally:
        registry.remove(plain)
    assert "from_decorator" not in live.counters


# What belongs to no model


def site(**given: Any) -> type[live.LiveSite]:
    return type("Site", (live.LiveSite,), given)


def test_a_site_s_activities_and_their_counters(names: Registry) -> None:
    done = live.Activity("x", client=True)
    names.add_site(site(done=done, n=live.Count(events=done, per="actor"), on=live.Online()))

    (activity,), (counter,) = names.activities, names.counters
    # An app that is not installed has no label.
    assert (activity.full_name, counter.full_name) == ("site.done", "site.n")
    assert (activity.model, activity.recorded) == (None, True)
    assert counter.activity is activity
    assert counter.where == Q()
    assert [entry.name for entry in names.numbers] == ["n", "on"]


def test_what_rows_tell_is_not_recorded(names: Registry) -> None:
    told = live.Activity("x")
    names.add(Attempt, declared(told=told))
    names.add_site(site(n=live.Count(events=told)))

    assert not names.activities.get("told").recorded
    assert names.activities.get("told").rows_of is Attempt
    assert names.counters.get("n").activity is names.activities.get("told")


def test_a_site_has_the_label_of_its_app(names: Registry) -> None:
    names.add_site(site(done=live.Activity("x"), __module__="tests.host.livecounters"))

    assert names.activities.get("host.done").name == "done"


def test_a_site_is_taken_out_again(names: Registry) -> None:
    done = live.Activity("x")
    one = site(done=done, n=live.Count(events=done))
    names.add_site(one)
    names.remove(one)

    assert (len(names.activities), len(names.counters), len(names.numbers)) == (0, 0, 0)
    names.add_site(one)
    assert len(names.counters) == 1


@pytest.mark.parametrize("word", ["filter", "at", "actor"])
def test_a_site_is_about_no_rows(names: Registry, word: str) -> None:
    with pytest.raises(TypeError, match=f"Site.{word}: a live.LiveSite is about no rows"):
        names.add_site(site(**{word: "completed"}))
