"""What a dialect is asked to say, declared nowhere else."""

from __future__ import annotations

from typing import Any

import livecounters as live
from livecounters.measures import Measure, measure_of
from livecounters.registry import Registry
from livecounters.tellings import Telling, telling_of
from tests.host.models import Attempt


def measure(model: Any = Attempt, **given: Any) -> Measure:
    names = Registry()
    declared = {"n": live.Count(), **given}
    names.add(model, type("Declared", (live.LiveModel,), declared))
    return measure_of(names.counters.get("n"))


def telling(**given: Any) -> Telling:
    names = Registry()
    told = live.Activity("x", **given)
    names.add(Attempt, type("Declared", (live.LiveModel,), {"told": told, "actor": "user"}))
    return telling_of(names.activities.get("told"))
