"""Single writes in autocommit: what a request of the host pays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import partial

from benchmarks.host.models import Attempt
from benchmarks.report import Table
from benchmarks.rounds import Operation, compare
from benchmarks.variants import Variant, attempts, found, settle

ROUNDS = 60
TIMES = 10


def run(rows: int, rounds: int | None) -> Iterator[Table]:
    variants = found()
    shrink = partial(settle, variants, keep=rows)
    operations = [
        Operation("create() of a completed attempt", _new, Attempt.save),
        Operation("save() that completes an attempt", _completing, Attempt.save),
        Operation("save() of another score", _rescored, Attempt.save),
        Operation("save() of another note, which nobody watches", _renamed, Attempt.save),
        Operation("update() of one row's note", _saved, _annotate),
    ]
    for operation in operations:
        repeated = dataclasses.replace(operation, times=TIMES, settle=shrink)
        yield compare(repeated, variants, rounds or ROUNDS)


def _new(variant: Variant) -> Attempt:
    return attempts(variant.model, 1)[0]


def _saved(variant: Variant) -> Attempt:
    # Not by save(), so that no signal is sent outside the timing.
    return variant.model.objects.bulk_create([_new(variant)])[0]


def _completing(variant: Variant) -> Attempt:
    attempt = _new(variant)
    at, attempt.completed, attempt.completed_at = attempt.completed_at, False, None
    variant.model.objects.bulk_create([attempt])
    attempt.completed, attempt.completed_at = True, at
    return attempt


def _rescored(variant: Variant) -> Attempt:
    attempt = _saved(variant)
    attempt.score = 100 - (attempt.score or 0)
    return attempt


def _renamed(variant: Variant) -> Attempt:
    attempt = _saved(variant)
    attempt.note += "!"
    return attempt


def _annotate(attempt: Attempt) -> None:
    type(attempt)._default_manager.filter(pk=attempt.pk).update(note="another")
