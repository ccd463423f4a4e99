"""Vitals: how the whole site's counting goes, as numbers for a monitoring system.

What happened is of the last whole minute and of all processes together, from their reports; what
there is, is read now. So it does not matter which process is asked.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator

from livecounters import feed, leases, samples
from livecounters.health import health
from livecounters.measures import counted_databases
from livecounters.models import ActivityEvent
from livecounters.readers import aware
from livecounters.reporter import PREFIX
from livecounters.status import Status, status_of
from livecounters.telemetry import COUNTED, LAG, LAG_HELP, Kind, Metric
from livecounters.windows import MINUTE

__all__ = ["as_mapping", "metrics", "minute_of"]

LATE = 15
"""Seconds after which all have reported of a minute."""


def metrics(now: dt.datetime) -> list[Metric]:
    """All of them, in a fixed order; those of one name together."""
    found = [status_of(using, now) for using in counted_databases()]
    return [
        *_last_minute(aware(now).timestamp()),
        *_pump(now),
        *_pending(found),
        *_numbers(found, now),
    ]


def as_mapping(found: Iterable[Metric]) -> dict[str, float]:
    """Value by name, with the labels behind it: ``livecounters_leases{kind="pump"}``."""
    return {metric.full_name: metric.value for metric in found}


def minute_of(stamp: float) -> int:
    """The last minute that all processes have reported."""
    return int((stamp - LATE) // MINUTE - 1) * MINUTE


def _gauge(name: str, text: str, value: float, **labels: str) -> Metric:
    return Metric(f"livecounters_{name}", Kind.GAUGE, text, value, labels)


def _last_minute(stamp: float) -> Iterator[Metric]:
    said = samples.totals(PREFIX, minute_of(stamp))
    for name, (kind, text) in COUNTED.items():
        value = said[name].total if name in said else 0.0
        if kind is Kind.GAUGE:
            yield _gauge(name, f"{text} Of all processes.", value)
        else:
            yield _gauge(f"{name}_per_minute", f"{text} Of all processes, in a minute.", value)
    yield _gauge(f"pump_{LAG}", LAG_HELP, said[LAG].high if LAG in said else 0.0)


def _pump(now: dt.datetime) -> Iterator[Metric]:
    yield _gauge("healthy", "1 if live/health/ is green.", float(health(now).ok))
    idle = leases.idle(leases.PUMP, now, feed.database())
    if idle is not None:
        yield _gauge("pump_idle_seconds", "For how long no pump has been at work.", idle)
    running = leases.running("", now).using(feed.database()).values_list("name", flat=True)
    kinds = Counter(name.partition(":")[0] for name in running)
    for kind in ("pump", "failing", "viewers", "repair", "presence"):
        yield _gauge("leases", "Leases that are held.", float(kinds[kind]), kind=kind)


def _pending(found: Iterable[Status]) -> Iterator[Metric]:
    using = feed.database()
    untold = ActivityEvent.objects.using(using).filter(seq=None).count()
    yield _gauge("pending_events", "Events that were not announced yet.", float(untold))
    rows = list(found)
    for one in rows:
        text = "Deltas that are not folded yet."
        yield _gauge("pending_deltas", text, float(one.pending), database=one.database)
    for one in rows:
        text = "Changed rows whose counters are not settled yet."
        yield _gauge("pending_marks", text, float(one.waiting.marks), database=one.database)


def _numbers(found: Iterable[Status], now: dt.datetime) -> Iterator[Metric]:
    rows = list(found)
    for one in rows:
        states = Counter(one.tables.values())
        for state in ("installed", "outdated", "missing", "orphaned"):
            labels = {"database": one.database, "state": state}
            yield _gauge("tables", "Tables by their triggers.", float(states[state]), **labels)
    for one in rows:
        text = "Measures that are counted from their source."
        number = sum(bool(measure.trouble) for measure in one.measures)
        yield _gauge("measures_not_ready", text, float(number), database=one.database)
    for one in rows:
        text = "Wrong buckets at the last audits."
        yield _gauge("drift_buckets", text, float(one.drift), database=one.database)
    for one in rows:
        if one.audited_at is not None:
            age = (aware(now) - aware(one.audited_at)).total_seconds()
            yield _gauge("audit_age_seconds", "Since all was audited.", age, database=one.database)
