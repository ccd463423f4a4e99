"""Through relations: moving a quiz with many attempts, settling, a list ordered by a counter."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

from django.db import connection
from django.db.models import Avg

from benchmarks.host.models import Counted, Package, Quiz, Totals
from benchmarks.report import Table
from benchmarks.variants import attempts
from livecounters import counters, folding
from livecounters.models import Mark, Suspect
from livecounters.settling import settle

ROUNDS = 7
SIZES = (100, 1_000, 10_000, 100_000)


def run(rows: int, rounds: int | None) -> Iterator[Table]:
    times = rounds or ROUNDS
    linking = Table(f"A quiz is put into a package (median of {times})")
    for size in SIZES:
        linking.add(_linking(size, times))
    yield linking
    yield _listing(times)


def _linking(size: int, times: int) -> dict[str, float | int]:
    """What the host's write takes, what settling takes, what counting anew would."""
    quiz = Quiz.objects.create(title=f"Quiz of {size}")
    rows = attempts(Counted, size)
    for row in rows:
        row.quiz = quiz
    Counted.objects.bulk_create(rows, batch_size=5_000)
    found: dict[str, list[float]] = {"add() ms": [], "settled ms": [], "counted anew ms": []}
    for n in range(times):
        package = Package.objects.create(title=f"Package {size} {n}")
        found["add() ms"].append(_timed(lambda: package.quizzes.add(quiz)))  # noqa: B023
        found["settled ms"].append(_timed(_settle))
        found["counted anew ms"].append(_timed(lambda: _anew(package)))  # noqa: B023
    medians = {name: statistics.median(values) for name, values in found.items()}
    return {"attempts": size, **medians}


def _settle() -> None:
    folding.fold("default")
    while connection.vendor != "sqlite" and (Mark.objects.exists() or Suspect.objects.exists()):
        settle("default")


def _anew(package: Package) -> None:
    rows = Counted.objects.filter(completed=True, quiz__packages=package)
    mean = rows.aggregate(n=Avg("score"))["n"]
    Totals.objects.filter(of="site").update(total=round(mean or 0))


def _listing(times: int) -> Table:
    """A page of a hundred packages, best first."""
    Package.objects.bulk_create([Package(title=f"Another {n}") for n in range(100)])
    folding.fold("default")
    kept = Package.objects.annotate(n=counters["counted_score"].expression()).order_by("-n")
    counted = {
        package: Counted.objects.filter(completed=True, quiz__packages=package)
        for package in Package.objects.order_by("pk")[:100]
    }
    table = Table(f"100 packages in the order of their mean score (median of {times})")
    ways: dict[str, Callable[[], object]] = {
        "without numbers": lambda: list(Package.objects.order_by("-title")[:100]),
        "livecounters: expression()": lambda: list(kept[:100]),
        "counted for each package": lambda: [
            rows.aggregate(n=Avg("score")) for rows in counted.values()
        ],
    }
    for name, way in ways.items():
        way()
        table.add({"way": name, "ms": statistics.median(_timed(way) for _ in range(times))})
    return table


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000
