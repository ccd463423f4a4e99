"""``livecounters sync``"""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

import livecounters as live
from livecounters import capture, folding
from livecounters.models import Delta
from livecounters.registry import registry
from tests.commands import run
from tests.host.models import Attempt
from tests.oracle import assert_exact

pytestmark = pytest.mark.django_db

TABLES = {
    "host_attempt",
    "host_quiz",
    "host_quiz_tags",
    "host_sale",
    "livecounters_activityevent",
}


def states() -> set[str]:
    return {state.state for state in capture.states("default")}


def test_nothing_to_do() -> None:
    assert run("sync") == "default: everything is in place\n"


@pytest.mark.usefixtures("filled")
def test_what_was_done_is_said() -> None:
    capture.detach("default", ["host_sale"])

    lines = run("sync", "--database", "default").splitlines()

    assert lines[0] == "default: installed host_sale"
    backfilled = {line.removeprefix("default: backfilled ") for line in lines[1:]}
    assert "host.sales" in backfilled
    assert backfilled == {
        entry.full_name for entry in registry.counters if entry.model._meta.db_table == "host_sale"
    }
    assert run("sync") == "default: everything is in place\n"
    assert_exact()


@pytest.mark.usefixtures("filled")
def test_everything_is_taken_away_and_comes_back_with_migrate() -> None:
    folding.fold("default")
    said = run("sync", "--remove")

    assert set(said.splitlines()) == {
        f"default: removed the triggers on {table}" for table in TABLES
    }
    assert states() == {"missing"}
    Attempt.objects.filter(score=3).delete()
    assert not Delta.objects.exists()
    assert_exact()

    call_command("migrate", verbosity=0, stdout=StringIO())

    assert states() == {"installed"}
    assert live.counters["attempts"].value() == 4
    assert_exact()


def test_removed_twice_is_nothing() -> None:
    run("sync", "--remove")

    assert run("sync", "--remove") == ""
