"""What an operator may do by hand: what it says afterwards is so, on every database."""

from __future__ import annotations

import datetime as dt
import logging

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

import livecounters as live
from livecounters import audit, installation, leases, relay
from livecounters.exceptions import Busy
from livecounters.folding import fold
from livecounters.interventions import Refused, pause, refuses_pause, refuses_reset, reset, resume
from livecounters.measures import measure_of
from livecounters.models import ActivityEvent, Bucket, Delta, Measured
from livecounters.numbers import counters
from livecounters.readout import values_of
from livecounters.registry import registry
from livecounters.standing import Standing, standing_of
from livecounters.topics import parse
from livecounters.windows import ever, last
from tests.host.livecounters import AttemptLive
from tests.host.models import Attempt, Quiz
from tests.sockets import running, socket

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def standing(name: str) -> Standing:
    return standing_of(measure_of(registry.counters.get(name)))


def complete(number: int = 1, at: dt.datetime = NOW) -> None:
    quiz, _ = Quiz.objects.get_or_create(title="Fractions")
    user, _ = User.objects.get_or_create(username="ada")
    Attempt.objects.bulk_create(
        Attempt(quiz=quiz, user=user, completed=True, completed_at=at) for _ in range(number)
    )


def told(name: str) -> object:
    return values_of([parse(f"counter:{name}")], NOW).get(f"counter:{name}")


def right(name: str) -> None:
    assert audit.verify(standing(name).measure).wrong == 0


class TestPause:
    def test_pages_are_not_told_and_nothing_is_lost(self) -> None:
        complete(2)
        pause(standing("attempts"), NOW)
        complete(3)

        assert told("attempts") is None
        assert counters["attempts"].value() == 5
        fold("default", wait=True)
        assert not Delta.objects.exists()
        assert counters["attempts"].value() == 5
        right("attempts")

        resume(standing("attempts"))
        assert told("attempts") == 5

    def test_its_pictures_rest_as_well(self) -> None:
        topics = [parse("series:12h:hour:attempts"), parse("series:12h:hour:quizzes_today")]
        both = {str(topic) for topic in topics}
        assert values_of(topics, NOW).keys() == both
        pause(standing("attempts"), NOW)

        assert values_of(topics, NOW).keys() == {"series:12h:hour:quizzes_today"}
        resume(standing("attempts"))
        assert values_of(topics, NOW).keys() == both

    def test_others_go_on(self) -> None:
        complete()
        pause(standing("attempts"), NOW)

        assert told("quizzes_today") == 1

    def test_it_is_known_since_when(self) -> None:
        pause(standing("attempts"), NOW)
        pause(standing("attempts"), NOW + dt.timedelta(hours=1))

        row = Measured.objects.get(measure=standing("attempts").measure.key)
        assert row.paused_at == NOW

    def test_what_is_counted_from_its_source_is_refused(self) -> None:
        key = standing("attempts").measure.key
        Measured.objects.filter(measure=key).update(ready=False)

        assert "rebuild" in refuses_pause(standing("attempts"))
        with pytest.raises(Refused):
            pause(standing("attempts"), NOW)

    @pytest.mark.django_db(transaction=True)
    async def test_an_open_page(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(relay, "RESYNC", 0.1)
        async with running(), socket() as page:
            await page.subscribe("counter:attempts", "counter:quizzes_today")
            await page.value("counter:attempts", 0)
            await sync_to_async(lambda: pause(standing("attempts"), NOW))()
            await sync_to_async(complete)(2)
            # A reading that has seen both said only one of them.
            await page.value("counter:quizzes_today", 2)
            assert all(
                frame["values"].get("counter:attempts", 0) == 0
                for frame in page.frames
                if "values" in frame
            )

            await sync_to_async(lambda: resume(standing("attempts")))()
            await page.value("counter:attempts", 2)


class TestReset:
    def test_it_counts_from_now_on(self, caplog: pytest.LogCaptureFixture) -> None:
        complete(3, NOW - dt.timedelta(days=3))
        complete(2)
        fold("default", wait=True)
        complete(1)
        counter = counters["quizzes_today"]
        assert counter.value(window=ever) == 6

        with caplog.at_level(logging.WARNING, "livecounters"):
            assert reset(standing("quizzes_today"), NOW) > 0

        assert "quizzes_today was reset" in caplog.text
        assert counter.value(window=ever) == counter.value() == 0
        assert counter.value(window=last(days=30)) == 0
        complete(2)
        assert counter.value(window=ever) == counter.value() == 2
        fold("default", wait=True)
        assert counter.value(window=ever) == counter.value() == 2

    def test_neither_audit_nor_repair_bring_it_back(self) -> None:
        complete(3, NOW - dt.timedelta(days=3))
        complete(2)
        reset(standing("quizzes_today"), NOW)
        complete(1)
        measure = standing("quizzes_today").measure

        assert audit.verify(measure).wrong == 0
        assert audit.repair(measure) == 0
        assert counters["quizzes_today"].value(window=ever) == 1
        # What happens on later days is audited as ever.
        assert audit.verify(measure, now=NOW + dt.timedelta(days=3)).wrong == 0

    def test_what_is_told_stays(self) -> None:
        complete(3)
        before = ActivityEvent.objects.count()

        reset(standing("quizzes_today"), NOW)

        assert ActivityEvent.objects.count() == before
        assert counters["attempts"].value() == 3
        right("attempts")

    @pytest.mark.django_db(transaction=True)
    def test_distinct_people(self) -> None:
        class People(live.LiveSite):
            completers = live.Count("actor", distinct=True, events=AttemptLive.quiz_completed)

        registry.add(None, People)
        try:
            installation.sync("default")
            complete(3)
            fold("default", wait=True)
            assert counters["completers"].value() == 1

            reset(standing("completers"), NOW)
            assert counters["completers"].value() == 0
            complete(2)
            fold("default", wait=True)

            assert counters["completers"].value() == 1
            right("completers")
        finally:
            registry.remove(People)

    def test_a_leaderboard(self) -> None:
        complete(3)
        fold("default", wait=True)
        counter = counters["quizzes_by_target"]
        assert [place.value for place in counter.top()] == [3]

        reset(standing("quizzes_by_target"), NOW)
        assert counter.top() == []
        complete(2)
        fold("default", wait=True)

        assert [place.value for place in counter.top()] == [2]
        found = audit.verify(standing("quizzes_by_target").measure)
        assert (found.wrong, found.scores) == (0, 0)

    def test_rows_are_refused(self) -> None:
        complete(3)

        with pytest.raises(Refused, match="number of rows"):
            reset(standing("attempts"), NOW)
        assert counters["attempts"].value() == 3

    def test_what_people_have_attained_is_refused(self) -> None:
        name = next(
            entry.full_name
            for entry in registry.counters
            if (m := measure_of(entry)).append_only and m.personal
        )

        assert "progress" in refuses_reset(standing(name), NOW)

    def test_events_in_the_future_are_refused(self) -> None:
        complete(1, NOW + dt.timedelta(days=3))

        assert "future" in refuses_reset(standing("quizzes_today"), NOW)

    def test_not_while_it_is_being_repaired(self) -> None:
        complete(1)
        measure = standing("quizzes_today").measure
        leases.hold(f"repair:{measure.key}", "somebody", timezone.now(), 60, "default")

        with pytest.raises(Busy):
            reset(standing("quizzes_today"), NOW)
        assert counters["quizzes_today"].value() == 1

    def test_of_nothing(self) -> None:
        assert reset(standing("quizzes_today"), NOW) == 0
        assert not Bucket.objects.filter(measure=standing("quizzes_today").measure.key).exists()
