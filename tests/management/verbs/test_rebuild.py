"""``livecounters rebuild``"""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import OutputWrapper
from django.db.models import F
from django.utils import timezone

import livecounters as live
from livecounters import capture, folding, leases
from livecounters.ladders import Span
from livecounters.management.verbs.base import Bar
from livecounters.measures import declared_measures
from livecounters.models import Bucket, Ladder, Measured, Score
from tests.commands import refused, run
from tests.host.models import Attempt
from tests.oracle import assert_exact

pytestmark = pytest.mark.django_db


@pytest.fixture
def drift(filled: None) -> None:
    folding.fold("default")
    for name in ("per_quiz", "attempts"):
        buckets = Bucket.objects.filter(measure=live.counters[name].measure.key, grain__lt=2)
        buckets.update(count=F("count") + 2)


@pytest.mark.usefixtures("drift")
def test_all() -> None:
    said = run("rebuild").splitlines()

    assert "host.per_quiz: 2 buckets corrected" in said
    assert said[-1] == "4 buckets corrected"
    assert_exact()
    assert run("rebuild") == "0 buckets corrected\n"
    assert run("rebuild", verbosity=0) == ""


@pytest.mark.usefixtures("drift")
def test_one_counter_and_one_object() -> None:
    quiz = Attempt.objects.all()[0].quiz_id

    assert run("rebuild", "per_quiz", "--of", str(quiz + 1)) == "0 buckets corrected\n"
    assert run("rebuild", "per_quiz", "--of", str(quiz)).endswith("2 buckets corrected\n")
    assert run("rebuild", "attempts").endswith("2 buckets corrected\n")
    assert_exact()


@pytest.mark.usefixtures("filled")
def test_the_order_is_made_anew() -> None:
    user = User.objects.create(username="ranked")
    Attempt.objects.update(user=user)
    folding.fold("default")
    measure = live.counters["per_user"].measure
    Score.objects.filter(measure=measure.key).update(number=99)

    assert run("rebuild", "per_user") == "0 buckets corrected\n"

    kept = Score.objects.filter(measure=measure.key, span=Span.EVER)
    assert [score.number for score in kept] == [live.counters["per_user"].value(of=user)]
    assert Ladder.objects.get(measure=measure.key).upto is None


@pytest.mark.usefixtures("filled")
def test_what_is_not_ready_is_brought_in_force() -> None:
    folding.fold("default")
    Bucket.objects.all().delete()
    keys = [one.key for one in declared_measures()]
    Measured.objects.filter(measure__in=keys).update(ready=False)

    assert refused("rebuild", "per_quiz", "--of", "1")[1].startswith("host.per_quiz: not ready")
    said = run("rebuild").splitlines()

    assert "host.per_quiz: is counted anew and in force" in said
    assert "measures counted anew" in said[-1]
    assert not Measured.objects.filter(measure__in=keys, ready=False).exists()
    assert_exact()


@pytest.mark.usefixtures("filled")
def test_without_triggers_there_is_nothing_to_repair() -> None:
    capture.detach("default", ["host_sale"])

    _, why = refused("rebuild")

    assert "host.sales host.sales_today: no triggers capture it from host_sale" in why
    assert "run manage.py livecounters sync" in why


@pytest.mark.usefixtures("drift")
def test_while_another_repairs() -> None:
    key = live.counters["attempts"].measure.key
    leases.hold(f"repair:{key}", "another", timezone.now(), 60, "default")

    said, why = refused("rebuild")

    # The others are done nonetheless.
    assert "host.per_quiz: 2 buckets corrected" in said
    assert why.startswith("another process is repairing host.attempts")


def test_progress_is_for_terminals() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    shown, hidden = Terminal(), Terminal()
    for out, visible in ((shown, True), (hidden, False)):
        bar = Bar(OutputWrapper(out), "host.attempts", visible)
        bar(1, 2)
        bar(2, 2)

    assert shown.getvalue() == "\rhost.attempts: 1 of 2 buckets\rhost.attempts: 2 of 2 buckets\n"
    assert hidden.getvalue() == ""


@pytest.mark.usefixtures("drift")
def test_progress_of_a_rebuild() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    call_command("livecounters", "rebuild", stdout=out, no_color=True)

    assert "\rhost.per_quiz: 2 of 2 buckets\n" in out.getvalue()
