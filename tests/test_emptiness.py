"""An empty database begins with nothing: quickly, and not where there is something."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from livecounters import capture, emptiness, installation, testing
from livecounters.dialects import dialect_of
from livecounters.measures import declared_measures
from livecounters.models import Bucket, Delta, Measured
from livecounters.watches import watches
from tests.host.models import Attempt, Quiz, Sale
from tests.oracle import assert_exact

pytestmark = pytest.mark.django_db


def forget() -> None:
    """As a flush leaves it that tells nobody: some deltas are about its own deletions."""
    key = declared_measures()[0].key
    Measured.objects.all().delete()
    Delta.objects.all().delete()
    Delta.objects.create(measure=key, scope="", member="", count=-3, total=0)
    Bucket.objects.create(measure=key, scope="", grain=0, start=0, count=8)


def begin() -> None:
    emptiness.begin(dialect_of("default"), watches("default"))


def ready() -> set[str]:
    ready = Measured.objects.filter(ready=True).values_list("tables", flat=True)
    return {table for tables in ready for table in tables}


def test_empty_tables_are_in_force_at_once() -> None:
    forget()

    begin()

    assert ready() >= {"host_attempt", "host_quiz_tags", "livecounters_activityevent"}
    assert ready() == {watch.table for watch in watches("default")}
    assert not Delta.objects.exists()
    assert not Bucket.objects.exists()
    assert_exact()
    Sale.objects.create(price=3)
    assert_exact()
    testing.verify()


def test_a_table_with_rows_is_left_to_the_backfill() -> None:
    quiz = Quiz.objects.create(title="Fractions")
    Attempt.objects.create(quiz=quiz, completed=True, completed_at=timezone.now(), score=3)
    forget()

    begin()

    assert "host_sale" in ready()
    assert "host_attempt" not in ready()
    assert_exact()
    installation.sync("default")
    assert "host_attempt" in ready()
    assert_exact()


def test_a_table_without_triggers_is_not_in_force() -> None:
    capture.detach("default", ["host_sale"])
    forget()

    begin()

    assert "host_sale" not in ready()
    Sale.objects.create(price=3)
    assert_exact()


def test_where_something_is_measured_nothing_is_touched() -> None:
    Sale.objects.create(price=3)
    before = list(Delta.objects.values_list("id", flat=True))

    begin()

    assert list(Delta.objects.values_list("id", flat=True)) == before


@pytest.mark.django_db(transaction=True)
def test_a_flush_costs_few_queries() -> None:
    """However many counters there are: hosts flush before every test that commits."""
    Sale.objects.create(price=3)
    flush: dict[str, Any] = {"reset_sequences": False, "inhibit_post_migrate": True}
    call_command("flush", interactive=False, verbosity=0, **flush)

    with CaptureQueriesContext(connection) as queries:
        installation.sync("default")

    assert len(queries) < 40, [query["sql"] for query in queries]
    testing.verify()
    with CaptureQueriesContext(connection) as queries:
        installation.sync("default")
    assert len(queries) < 10, [query["sql"] for query in queries]
