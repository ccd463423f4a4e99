"""The suite of a host: every kind of test case, each of which must find a clean house.

Run by tests/test_testing.py in processes of its own, by Django's runner and by pytest-django.
"""

from __future__ import annotations

import threading
import urllib.request
from decimal import Decimal
from io import StringIO
from typing import Any

from django.contrib.auth.models import User
from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.test import LiveServerTestCase, TestCase, TransactionTestCase
from django.utils import timezone

import livecounters as live
from livecounters import capture, testing
from livecounters.models import ActivityEvent, Bucket, Delta, EventSource, Measured, Member
from market.models import Category, Order, Visit

APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "livecounters",
    "market",
]


class Clean:
    """What every test of this host finds when it begins, and does."""

    databases = {"default"}

    def setUp(self) -> None:
        super().setUp()  # type: ignore[misc]
        assert_nothing_is_left()
        assert_right()

    def test_one(self) -> None:
        trade(3)
        assert_right()
        testing.verify()

    def test_two(self) -> None:
        trade(2)
        testing.fold()
        trade(1)
        assert_right()
        testing.verify()

    def test_three(self) -> None:
        trade(1)
        Order.objects.all().delete()
        assert_right()
        assert live.counters["orders_told"].value() == 3
        testing.verify()


def trade(times: int) -> None:
    """Rows with keys of their own: what an earlier test left about them would be found."""
    ada = User.objects.get_or_create(pk=7, username="ada")[0]
    lamps = Category.objects.get_or_create(name="Lamps")[0]
    begin = Order.objects.count()
    orders = [
        Order(pk=100 + begin + n, category=lamps, customer=ada, total=n + 1) for n in range(times)
    ]
    Order.objects.bulk_create(orders)
    Order.objects.create(pk=200 + begin, category=lamps)
    Order.objects.create(pk=300 + begin, category=lamps, paid_at=None)
    Order.objects.filter(pk=300 + begin).update(paid_at=timezone.now(), total=Decimal("99.5"))


def assert_nothing_is_left() -> None:
    ours = [live.counters["categories"].measure.key]
    kept: list[Any] = [Bucket, Member]
    if Measured.objects.filter(ready=True).exists():
        # Without, deltas that a flush has written about its own deletions are never read.
        kept.append(Delta)
    for model in kept:
        left = list(model.objects.exclude(measure__in=ours))
        assert not left, left
    assert not ActivityEvent.objects.exists()
    assert not EventSource.objects.exists()
    assert not Order.objects.exists()
    for using in ("default",):
        states = capture.states(using)
        assert states, "nothing is watched"
        assert {state.state for state in states} == {"installed"}, states


def assert_right() -> None:
    paid = Order.objects.filter(paid_at__isnull=False)
    counters = live.counters
    assert counters["categories"].value() == Category.objects.count()
    assert counters["orders"].value() == paid.count()
    assert counters["orders_today"].value() == paid.count()
    assert counters["revenue"].value() == sum((order.total for order in paid), Decimal())
    assert counters["customers"].value() == len(
        {order.customer_id for order in paid if order.customer_id is not None}
    )
    assert counters["dearest"].value() == max((order.total for order in paid), default=None)
    for category in Category.objects.all():
        number = paid.filter(category=category).count()
        assert counters["per_category"].value(of=category) == number
    for user in User.objects.all():
        assert counters["per_customer"].value(of=user) == paid.filter(customer=user).count()


class InATransaction(Clean, TestCase):
    """The other database is not declared: it must not be touched."""


class WithData(Clean, TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.chairs = Category.objects.create(name="Chairs")

    def test_class_data(self) -> None:
        testing.assert_counter("categories", Category.objects.count())


class Committed(Clean, TransactionTestCase):
    pass


class CommittedAgain(Clean, TransactionTestCase):
    reset_sequences = connection.features.supports_sequence_reset


class Serialized(Clean, TransactionTestCase):
    serialized_rollback = True

    def test_rows_of_migrations(self) -> None:
        # None without migrations, or where a kept database was flushed by an earlier run.
        number = Category.objects.count()
        assert number in (0, 2)
        testing.assert_counter("categories", number)


class SomeApps(Clean, TransactionTestCase):
    available_apps = APPS


class BothDatabases(Clean, TransactionTestCase):
    databases = {"default", "other"}

    def setUp(self) -> None:
        super().setUp()
        testing.assert_counter("visits", 0)

    def test_visits(self) -> None:
        Visit.objects.create(path="/")
        testing.assert_counter("visits", 1)
        testing.fold()
        testing.assert_counter("visits", 1)
        testing.verify()


class BothInATransaction(TestCase):
    databases = {"default", "other"}

    def test_visits(self) -> None:
        testing.assert_counter("visits", 0)
        Visit.objects.create(path="/")
        testing.fold()
        testing.assert_counter("visits", 1)


class Served(Clean, LiveServerTestCase):
    def test_a_purchase(self) -> None:
        with testing.captured_frames("counter:orders", "feed:order_paid") as page:
            urllib.request.urlopen(f"{self.live_server_url}/buy/").close()
        assert page.values == {"counter:orders": 1}
        assert [event["kind"] for event in page.events("feed:order_paid")] == ["order_paid"]
        assert_right()


class Threads(Clean, TransactionTestCase):
    def test_a_thread(self) -> None:
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            self.skipTest("other threads see nothing of it")

        def work() -> None:
            trade(2)
            connection.close()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        testing.assert_counter("orders", 4)


class Fixtures(Clean, TransactionTestCase):
    def test_dump_and_load(self) -> None:
        """All that there is, ours included, out and in again."""
        trade(3)
        testing.fold()
        trade(0)
        numbers = {name: live.counters[name].value() for name in ("orders", "revenue")}
        for model in (Bucket, Member, Delta, Measured, EventSource):
            rows = model.objects.all()
            again = list(serializers.deserialize("json", serializers.serialize("json", rows)))
            assert {one.object.pk for one in again} == {row.pk for row in rows}
        said = StringIO()
        call_command("dumpdata", stdout=said, exclude=["contenttypes", "auth.permission"])
        call_command("flush", interactive=False, verbosity=0)
        for one in serializers.deserialize("json", said.getvalue()):
            one.save()
        assert_right()
        assert {name: live.counters[name].value() for name in numbers} == numbers
        testing.install()
        assert_right()
        testing.verify()
