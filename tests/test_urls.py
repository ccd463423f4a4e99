"""The addresses that hosts and pages rely on."""

from __future__ import annotations

import pytest
from django.urls import NoReverseMatch, Resolver404, resolve, reverse

from livecounters.api.counters import CounterViewSet
from livecounters.api.events import EventViewSet
from livecounters.api.snapshot import SnapshotView


@pytest.mark.parametrize(
    ("name", "args", "path", "view"),
    [
        ("counter-list", [], "/live/counters/", CounterViewSet),
        ("counter-detail", ["attempts"], "/live/counters/attempts/", CounterViewSet),
        ("counter-detail", ["host.attempts"], "/live/counters/host.attempts/", CounterViewSet),
        ("event-list", [], "/live/events/", EventViewSet),
        ("snapshot", [], "/live/snapshot/", SnapshotView),
    ],
)
def test_addresses(name: str, args: list[str], path: str, view: type) -> None:
    assert reverse(f"livecounters:{name}", args=args) == path
    assert resolve(path).func.cls is view  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/live/", "/live/counters/a/b/", "/live/counters/a-b/"])
def test_no_other_addresses(path: str) -> None:
    with pytest.raises(Resolver404):
        resolve(path)


def test_events_have_no_address_of_their_own() -> None:
    with pytest.raises(NoReverseMatch):
        reverse("livecounters:event-detail", args=["1"])
