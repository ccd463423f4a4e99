"""Counters in tests: a failure accounts for the number."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

import livecounters as live
from livecounters import capture, folding, testing
from livecounters.exceptions import UnknownName
from livecounters.models import ActivityEvent, Bucket, Delta, Score
from tests.host.models import Attempt, Quiz, Sale

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def complete(**given: Any) -> Attempt:
    given = {"completed": True, "completed_at": timezone.now(), **given}
    quiz = Quiz.objects.get_or_create(title="Fractions")[0]
    return Attempt.objects.create(quiz=quiz, **given)


@pytest.mark.django_db
def test_folding_changes_no_number() -> None:
    complete(score=5)
    assert folding.pending("default")

    testing.fold()

    assert not folding.pending("default")
    testing.assert_counter("attempts", 1)
    testing.assert_counter("score_sum", 5)


@pytest.mark.django_db
def test_folding_numbers_events() -> None:
    complete(user=User.objects.create(username="ada"))
    testing.fold("default")

    with testing.captured_frames("feed:quiz_completed") as page:
        pass
    assert [event["kind"] for event in page.first[0]["events"]] == ["quiz_completed"]
    assert not ActivityEvent.objects.filter(seq=None).exists()


@pytest.mark.django_db
def test_asserting_what_is_so() -> None:
    attempt = complete(score=7)

    testing.assert_counter("attempts", 1)
    testing.assert_counter("host.attempts", 1)
    testing.assert_counter("per_quiz", 1, of=attempt.quiz)
    testing.assert_counter("per_quiz", 1, of=attempt.quiz_id, window=live.today)
    testing.assert_counter("attempts_today", 0, at=timezone.now() + dt.timedelta(days=1))
    testing.assert_counter("score_avg", 7.0)


@pytest.mark.django_db
def test_a_failure_accounts_for_the_number() -> None:
    attempt = complete()

    with pytest.raises(AssertionError) as failure:
        testing.assert_counter("per_quiz", 2, of=attempt.quiz, window=live.last(hours=3))

    said = str(failure.value).splitlines()
    assert said[0] == f"host.per_quiz of '{attempt.quiz_id}' is 1, not 2."
    assert said[1].startswith("  window: from ")
    assert "  pending deltas: 1, from 1 rows" in said
    assert "  counted from host_attempt: 1" in said
    assert "  triggers on host_attempt: installed" in said
    assert said[-1].startswith("  So it is as declared: look at filter= and at=")


@pytest.mark.django_db
def test_a_failure_says_when_the_number_is_wrong() -> None:
    complete()
    testing.fold()
    Bucket.objects.filter(measure=live.counters["attempts"].measure.key).update(count=5)

    with pytest.raises(AssertionError, match=r"What is kept is wrong \(differs by \+4\)\."):
        testing.assert_counter("attempts", 1)


def test_a_counter_that_is_not_declared() -> None:
    with pytest.raises(UnknownName, match="Did you mean"):
        testing.assert_counter("atempts", 1)


@pytest.mark.django_db
def test_all_is_right() -> None:
    complete(user=User.objects.create(username="ada"))
    Sale.objects.create(price=Decimal("3.50"))

    testing.verify()
    testing.fold()
    testing.verify()
    testing.verify("default")


@pytest.mark.django_db
def test_a_wrong_bucket_is_found() -> None:
    complete()
    testing.fold()
    Bucket.objects.filter(measure=live.counters["attempts"].measure.key).update(count=5)

    with pytest.raises(AssertionError, match=r"host\.attempts, .*: \d+ buckets are wrong"):
        testing.verify()


@pytest.mark.django_db
def test_a_wrong_score_of_a_leaderboard_is_found() -> None:
    complete(user=User.objects.create(username="ada"))
    testing.fold()
    testing.verify()
    Score.objects.filter(measure=live.counters["per_user"].measure.key).update(number=5)

    cure = r"host\.per_user.*: \d+ scores of .* are wrong; manage\.py livecounters rebuild makes"
    with pytest.raises(AssertionError, match=cure):
        testing.verify()
    call_command("livecounters", "rebuild", verbosity=0)
    testing.verify()


@pytest.mark.django_db
def test_a_lost_delta_is_found() -> None:
    complete()
    Delta.objects.all().delete()

    with pytest.raises(AssertionError, match="buckets are wrong"):
        testing.verify()


@pytest.mark.django_db
def test_triggers_that_are_missing_are_found_and_installed() -> None:
    complete()
    capture.detach("default", ["host_attempt"])
    with pytest.raises(AssertionError, match="the triggers on host_attempt are missing"):
        testing.verify()

    testing.install()

    testing.verify()
    testing.assert_counter("attempts", 1)


@pytest.mark.django_db
def test_a_table_that_is_missing_cannot_be_installed() -> None:
    if not connection.features.can_rollback_ddl:
        pytest.skip("the table would be gone for good")
    capture.detach("default", ["host_sale"])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE host_sale RENAME COLUMN day TO on_day")

    with pytest.raises(AssertionError, match="No triggers could be installed on host_sale"):
        testing.install()
