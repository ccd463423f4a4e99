"""``manage.py livecounters <verb>``"""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

import livecounters as live
from livecounters import capture, feed, folding
from livecounters.models import Bucket, Delta, Measured
from livecounters.registry import registry
from tests.host.models import Attempt, Quiz, Sale
from tests.oracle import assert_exact

pytestmark = pytest.mark.django_db

TABLES = {"host_attempt", "host_sale", "livecounters_activityevent"}


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("livecounters", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def states() -> dict[str, str]:
    return {state.table: state.state for state in capture.states("default")}


@pytest.fixture
def filled() -> None:
    ada = User.objects.create(username="ada")
    quiz = Quiz.objects.create(title="Fractions")
    rows = [
        Attempt(quiz=quiz, user=ada, completed=True, completed_at=timezone.now(), score=n)
        for n in range(5)
    ]
    Attempt.objects.bulk_create(rows)
    Sale.objects.create(price="1.10", quantity=2)


# status


@pytest.mark.usefixtures("filled")
def test_status_in_words() -> None:
    feed.number()

    lines = [line.split() for line in run("status").splitlines()]

    assert lines[0] == ["Database", "default"]
    assert {(state, table) for state, table in lines[1:-1]} == {("installed", t) for t in TABLES}
    assert " ".join(lines[-1]) == (
        f"{Delta.objects.count()} deltas pending, newest event {feed.head().seq}"
    )


@pytest.mark.usefixtures("filled")
def test_status_as_json() -> None:
    capture.detach("default", ["host_sale"])

    (report,) = json.loads(run("status", "--json"))

    assert report == {
        "database": "default",
        "tables": dict.fromkeys(TABLES, "installed") | {"host_sale": "missing"},
        "pending": Delta.objects.count(),
        "seq": feed.head().seq,
        "epoch": feed.head().epoch,
    }
    assert report["pending"] > 0


def test_status_changes_nothing() -> None:
    capture.detach("default")

    run("status")

    assert set(states().values()) == {"missing"}
    assert not Measured.objects.exists()


# sync


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
    assert set(states().values()) == {"missing"}
    Attempt.objects.filter(score=3).delete()
    assert not Delta.objects.exists()
    assert_exact()

    call_command("migrate", verbosity=0, stdout=StringIO())

    assert set(states().values()) == {"installed"}
    assert live.counters["attempts"].value() == 4
    assert_exact()


def test_removed_twice_is_nothing() -> None:
    run("sync", "--remove")

    assert run("sync", "--remove") == ""


# fold, run


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("verb", [["fold"], ["run", "--once"], ["fold", "--database", "default"]])
def test_what_is_pending_is_folded(verb: list[str]) -> None:
    pending = Delta.objects.count()
    assert pending
    before = live.counters["attempts"].value()

    said = run(*verb).splitlines()

    assert said == [f"default: {pending} deltas folded", f"newest event {feed.head().seq}"]
    assert not Delta.objects.exists()
    assert Bucket.objects.exists()
    assert live.counters["attempts"].value() == before
    # Ten events: all that is told of five attempts by somebody known.
    assert feed.head().seq == 10
    assert run(*verb).splitlines()[0] == "default: 0 deltas folded"


# Mistakes


@pytest.mark.parametrize("verb", ["status", "sync", "fold"])
def test_an_unknown_database(verb: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(verb, "--database", "elsewhere")
    assert str(caught.value) == (
        f"There is no database 'elsewhere'; known: {', '.join(connections)}."
    )


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["sync", "--nothing"]])
def test_an_unknown_verb(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["sync", "status", "fold", "run --once"])
def test_tables_that_are_not_there_yet(verb: str) -> None:
    call_command("migrate", "livecounters", "zero", verbosity=0, stdout=StringIO())
    try:
        with pytest.raises(CommandError) as caught:
            run(*verb.split())
    finally:
        call_command("migrate", verbosity=0, stdout=StringIO())
    assert str(caught.value) == "The tables are not there yet: manage.py migrate (default)."


@pytest.mark.parametrize("verb", ["status", "sync", "fold"])
def test_a_declaration_that_cannot_be_kept_is_named(verb: str) -> None:
    class Wrong(live.LiveModel):
        n = live.Count(per="note")

    live.register(Attempt)(Wrong)
    try:
        with pytest.raises(CommandError) as caught:
            run(verb)
    finally:
        registry.remove(Wrong)
    said, cure = str(caught.value).splitlines()
    assert "Wrong.n: 'note' is a TextField; its values cannot name a group." in said
    assert cure == "Use a foreign key, an integer, a UUID, a boolean or a CharField."


def test_a_command_for_a_database_without_triggers() -> None:
    backend: Any = connections["default"]
    vendor, backend.vendor = backend.vendor, "unknown"
    try:
        with pytest.raises(CommandError, match="for which there are no triggers yet"):
            run("status", "--database", "default")
    finally:
        backend.vendor = vendor
