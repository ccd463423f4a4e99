"""``livecounters status``"""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from livecounters import capture, feed, leases
from livecounters.models import Delta, Measured
from tests.commands import refused, run

pytestmark = pytest.mark.django_db

TABLES = {
    "host_attempt",
    "host_quiz",
    "host_quiz_tags",
    "host_sale",
    "livecounters_activityevent",
}


@pytest.mark.usefixtures("filled")
def test_in_words() -> None:
    feed.number()

    lines = run("status").splitlines()

    assert lines[0] == "Database default"
    assert {tuple(line.split()) for line in lines[1:6]} == {("installed", t) for t in TABLES}
    assert lines[6] == "  pump: none is at work"
    assert lines[-1] == (
        f"  {Delta.objects.count()} deltas pending, newest event {feed.head().seq}"
    )


@pytest.mark.usefixtures("filled")
def test_as_json() -> None:
    capture.detach("default", ["host_sale"])
    leases.hold("pump", "this one", timezone.now(), 15, "default")

    (report,) = json.loads(run("status", "--json"))

    assert report["tables"] == dict.fromkeys(TABLES, "installed") | {"host_sale": "missing"}
    assert report["pending"] == Delta.objects.count() > 0
    assert (report["seq"], report["epoch"]) == (feed.head().seq, feed.head().epoch)
    assert report["pump"]["holder"] == "this one"
    assert "host.sales" in report["not_ready"]
    assert "host.attempts" not in report["not_ready"]
    assert (
        "the triggers on host_sale are missing: run manage.py livecounters sync"
        in (report["problems"])
    )


def test_it_changes_nothing() -> None:
    capture.detach("default")
    before = list(Measured.objects.order_by("pk").values())

    run("status")

    assert {state.state for state in capture.states("default")} == {"missing"}
    assert list(Measured.objects.order_by("pk").values()) == before


def test_fail_is_for_who_watches() -> None:
    run("status", "--fail")
    capture.detach("default", ["host_sale"])

    said, why = refused("status", "--fail")

    assert "missing" in said
    assert "the triggers on host_sale are missing" in why
    run("status")
