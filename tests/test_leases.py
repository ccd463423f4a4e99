"""Leases: one at a time, and the next one when the first is gone."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from livecounters.leases import held, hold, release
from livecounters.models import Lease

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def later(seconds: float) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


def take(holder: str, seconds: float = 0, name: str = "pump", length: float = 15) -> bool:
    return hold(name, holder, later(seconds), length, "default")


def test_one_at_a_time() -> None:
    assert take("a")
    assert not take("b")
    assert not take("b", 14.9)
    assert Lease.objects.get().holder == "a"


def test_the_holder_renews() -> None:
    assert take("a")
    assert take("a", 10)

    assert not take("b", 20)
    assert Lease.objects.get().expires_at == later(25)


def test_another_takes_over_when_it_is_gone() -> None:
    assert take("a")

    assert take("b", 15)
    assert not take("a", 15)
    assert Lease.objects.get().holder == "b"


def test_a_lease_is_given_back() -> None:
    take("a")

    release("pump", "b", "default")
    assert not take("b")
    release("pump", "a", "default")
    assert take("b")


def test_names_do_not_know_of_each_other() -> None:
    assert take("a", name="pump")
    assert take("b", name="repair")
    assert Lease.objects.count() == 2


def test_whether_anybody_holds_one() -> None:
    assert not held("viewers:", NOW, "default")
    take("x", name="viewers:x")
    take("y", name="pump")

    assert held("viewers:", NOW, "default")
    assert held("viewers:", later(14.9), "default")
    assert not held("viewers:", later(15), "default")


def test_asking_and_holding_are_few_queries(django_assert_num_queries: Any) -> None:
    take("a")
    with django_assert_num_queries(1):
        take("a", 1)
    with django_assert_num_queries(2):
        take("b", 1)
    with django_assert_num_queries(1):
        held("viewers:", NOW, "default")


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_has_it() -> None:
    answers: list[bool] = []
    start = threading.Barrier(6)

    def work(holder: str) -> None:
        try:
            start.wait()
            answers.append(hold("pump", holder, NOW, 15, "default"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(f"h{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [False] * 5 + [True]
    assert Lease.objects.count() == 1
    assert connection.is_usable()
