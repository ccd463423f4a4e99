"""Live numbers and a live feed for any Django site.

    import livecounters as live

Declarations may be made while apps are loading; ``counters`` and ``muted`` need the models and
are therefore looked up when first used (PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from livecounters.activities import Activity
from livecounters.badges import Badge
from livecounters.declarations import Avg, Count, Goal, Max, Min, Sum
from livecounters.gauges import Active, Gauge, Online
from livecounters.registry import LiveModel, LiveSite, register
from livecounters.windows import ever, last, this_month, this_week, today

if TYPE_CHECKING:
    from livecounters.attainment import progress
    from livecounters.browsers import devices
    from livecounters.muting import muted
    from livecounters.numbers import counters
    from livecounters.recording import aemit, emit

__version__ = "0.1.0"

__all__ = [
    "Active",
    "Activity",
    "Avg",
    "Badge",
    "Count",
    "Gauge",
    "Goal",
    "LiveModel",
    "LiveSite",
    "Max",
    "Min",
    "Online",
    "Sum",
    "aemit",
    "counters",
    "devices",
    "emit",
    "ever",
    "last",
    "muted",
    "progress",
    "register",
    "this_month",
    "this_week",
    "today",
]

LAZY = {
    "aemit": "livecounters.recording",
    "emit": "livecounters.recording",
    "counters": "livecounters.numbers",
    "devices": "livecounters.browsers",
    "muted": "livecounters.muting",
    "progress": "livecounters.attainment",
}


def __getattr__(name: str) -> Any:
    if name in LAZY:
        return getattr(import_module(LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
