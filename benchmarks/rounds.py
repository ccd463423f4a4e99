"""Timing side by side: in each round every variant has its turn, A B C A B C."""

from __future__ import annotations

import gc
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.costs import costs
from benchmarks.report import Table
from benchmarks.variants import Variant


@dataclass(frozen=True)
class Operation:
    """What is timed: ``run`` of what ``prepare`` made for a variant, ``times`` in a row."""

    name: str
    prepare: Callable[[Variant], Any]
    run: Callable[[Any], object]
    times: int = 1
    settle: Callable[[], None] = lambda: None


def compare(operation: Operation, variants: Sequence[Variant], rounds: int) -> Table:
    """Medians of all single runs, and their ratio to the first variant's."""
    samples: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        # Each round begins with another one, so that none is always the first after settling.
        turn = number % len(variants)
        for variant in [*variants[turn:], *variants[:turn]]:
            prepared = [operation.prepare(variant) for _ in range(operation.times)]
            times = [_timed(operation.run, one) for one in prepared]
            # The first round is to warm up.
            samples[variant.name] += times if number else []
        operation.settle()
    medians = {name: statistics.median(times) for name, times in samples.items()}
    table = Table(f"{operation.name} (median of {rounds * operation.times})")
    for variant in variants:
        _, extra = costs(operation.run, operation.prepare(variant))
        ratio = medians[variant.name] / medians[variants[0].name]
        table.add(
            {"variant": variant.name, "ms": medians[variant.name] * 1000, "ratio": ratio} | extra
        )
    operation.settle()
    return table


def _timed(run: Callable[[Any], object], prepared: Any) -> float:
    gc.disable()
    try:
        start = time.perf_counter()
        run(prepared)
        return time.perf_counter() - start
    finally:
        gc.enable()
