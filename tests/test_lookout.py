"""The lookout: it sees all there is to do, by one query."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from livecounters import feed, folding, leases
from livecounters.lookout import VIEWERS, Sight, look
from livecounters.models import Mark, Stream, Suspect
from livecounters.pump import Pump
from livecounters.summonses import summon
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture(autouse=True)
def nothing_to_do() -> Sight:
    feed.ensure_stream("default")
    Pump().tick(NOW)
    folding.fold("default")
    return Sight(feed.head(), watched=False, summoned=False, pending=[])


def complete() -> None:
    quiz, _ = Quiz.objects.get_or_create(title="Fractions")
    Attempt.objects.create(quiz=quiz, completed=True, completed_at=NOW, score=100)


def test_nothing(nothing_to_do: Sight) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert look(["default"], NOW) == nothing_to_do

    assert len(queries) == 1


def test_deltas_are_pending_until_they_are_folded() -> None:
    complete()
    assert look(["default"], NOW).pending == ["default"]
    folding.fold("default")
    # Where scopes are to be settled when others are done.
    Suspect.objects.all().delete()
    Mark.objects.all().delete()
    assert look(["default"], NOW).pending == []


@pytest.mark.parametrize("model", [Mark, Suspect])
def test_what_is_to_be_settled_is_pending(model: type[Mark | Suspect]) -> None:
    given = {"table": "host_quiz", "row": "1"} if model is Mark else {"measure": 1, "scope": ""}
    model._default_manager.create(seen="1", **given)

    assert look(["default"], NOW).pending == ["default"]


def test_events_have_a_place_when_they_are_numbered() -> None:
    complete()
    if connection.vendor != "sqlite":
        assert look(["default"], NOW).place is None
    head = feed.number()

    assert look(["default"], NOW).place == head
    assert head.seq == 1


def test_viewers_of_any_process() -> None:
    leases.hold(f"{VIEWERS}there", "there", NOW, 30, "default")

    assert look(["default"], NOW).watched


def test_somebody_is_summoned() -> None:
    summon("1")

    assert look(["default"], NOW).summoned


def test_emptied_tables_are_looked_at_in_full() -> None:
    Stream.objects.all().delete()

    assert look(["default"], NOW) == Sight(None, watched=False, summoned=True, pending=["default"])


def test_a_further_database_is_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the counters' database is not the stream's, as far as the lookout can tell."""
    monkeypatch.setattr(feed, "database", lambda: "stream")
    stream = Stream.objects.using("default")
    monkeypatch.setattr(Stream.objects, "using", lambda using: stream)

    assert look(["default"], NOW).pending == []
    complete()
    assert look(["default"], NOW).pending == ["default"]
