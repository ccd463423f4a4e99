"""A new number of a big table, while it is written and read."""

from __future__ import annotations

import resource
import time

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

import livecounters as live
from livecounters import capture, folding, installation
from tests.beside import Beside
from tests.host.models import Attempt, Quiz
from tests.oracle import assert_audited

pytestmark = pytest.mark.django_db(transaction=True)

NUMBERS = {
    "postgresql": "SELECT n FROM generate_series(1, {number}) n",
    "mysql": "SELECT seq AS n FROM seq_1_to_{number}",
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {number}) "
    "SELECT n FROM c",
}

# A moment of the past year, by the number of a row.
MOMENTS = {
    "postgresql": "now() - (n % 525600) * interval '1 minute'",
    "mysql": "utc_timestamp() - interval n % 525600 minute",
    "sqlite": "datetime('now', '-' || (n % 525600) || ' minutes')",
}


def fill(number: int) -> None:
    """So many attempts of 1,000 people at 20 quizzes, in the past year."""
    quizzes = [Quiz.objects.create(title=str(n)) for n in range(20)]
    people = User.objects.bulk_create([User(username=str(n)) for n in range(1_000)])
    first = User.objects.order_by("pk").values_list("pk", flat=True)[0]
    with connection.cursor() as cursor:
        numbers = NUMBERS[connection.vendor].format(number=number)
        cursor.execute(
            "INSERT INTO host_attempt (quiz_id, user_id, completed, completed_at, score, note) "
            f"SELECT {quizzes[0].pk} + n % 20, {first} + n % {len(people)}, n % 5 > 0, "
            f"{MOMENTS[connection.vendor]}, n % 101, '' FROM ({numbers}) numbers"
        )


def backfilled_beside_writers(number: int) -> dict[str, float]:
    capture.detach("default", ["host_attempt"])
    fill(number)
    quiz = Quiz.objects.order_by("pk")[0]
    seen: list[tuple[int, int]] = []
    portions: list[float] = []

    def write() -> None:
        Attempt.objects.create(quiz=quiz, completed=True, completed_at=timezone.now(), score=3)

    def look() -> None:
        counters = live.counters
        seen.append((counters["attempts"].value(), counters["per_quiz"].value(of=quiz)))

    start = time.monotonic()
    with Beside(write) as one, Beside(write) as two, Beside(look):
        report = installation.sync(
            "default", progress=lambda *_: portions.append(time.monotonic() - start)
        )
        seconds = time.monotonic() - start
    assert not report.failed
    assert not report.unfinished
    assert "host.attempts" in report.backfilled
    # Rows were only added, so whoever read anything wrong would have seen it fall.
    assert seen == sorted(seen)
    assert portions
    folding.fold("default")
    return {
        "seconds": round(seconds, 1),
        "writes": one.times + two.times,
        "longest write": round(max(one.longest, two.longest), 3),
        "reads": len(seen),
        "MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def test_a_new_number_of_a_table() -> None:
    found = backfilled_beside_writers(5_000)

    assert found["writes"]
    assert_audited()


@pytest.mark.soak
def test_a_new_number_of_a_million_rows(capsys: pytest.CaptureFixture[str]) -> None:
    found = backfilled_beside_writers(1_000_000)

    with capsys.disabled():
        print(f"\n{connection.vendor}: {found}")
    assert_audited()
