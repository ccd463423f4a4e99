"""Retention: what goes changes no number, and what is gone is never read as nothing."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.utils import timezone

import livecounters as live
from livecounters import audit, feed, folding, ledger, retention, snapshot
from livecounters.feed import Place
from livecounters.hub import Hub
from livecounters.measures import declared_measures
from livecounters.models import ActivityEvent, Bucket, EventSource, Measured, Member, Stream
from livecounters.readout import read_out
from livecounters.topics import FeedTopic
from livecounters.windows import DAY, EARLIEST, Grain, Interval
from tests.host.models import Attempt, Quiz
from tests.oracle import assert_audited

pytestmark = pytest.mark.django_db

NOW = timezone.now()
UTC = dt.UTC


def ago(**before: float) -> dt.datetime:
    return NOW - dt.timedelta(**before)


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


@pytest.fixture
def history(quiz: Quiz) -> list[dt.datetime]:
    """Attempts of a year by a handful of people, folded."""
    people = [User.objects.create(username=f"user{n}") for n in range(5)]
    chance = random.Random(5)
    moments = [ago(days=400 * chance.random() ** 3) for _ in range(300)]
    moments += [ago(hours=100 * chance.random()) for _ in range(100)]
    Attempt.objects.bulk_create(
        [
            Attempt(
                quiz=quiz,
                completed=True,
                completed_at=moment,
                score=chance.randrange(101),
                user=chance.choice([None, *people]),
            )
            for moment in moments
        ]
    )
    folding.fold("default")
    feed.number()
    return moments


def over_events() -> dict[str, Any]:
    counters = live.counters
    return {
        "told": counters["score_told"].value(),
        "today": counters["quizzes_today"].value(at=NOW),
        "year": counters["quizzes_today"].value(window=live.last(days=400), at=NOW),
        "target": dict(counters["quizzes_by_target"].breakdown()),
        "actor": dict(counters["completed_by_actor"].breakdown()),
    }


def audited() -> None:
    for measure in declared_measures():
        found = audit.verify(measure, now=NOW)
        assert not found.wrong, (measure.model, measure.scope, found.some[:3])


def test_no_number_changes(history: list[dt.datetime]) -> None:
    before = over_events()
    assert before["year"] == len(history)
    buckets, members, events = (m.objects.count() for m in (Bucket, Member, ActivityEvent))

    removed = retention.prune("default", NOW)

    assert removed["bucket"] == buckets - Bucket.objects.count() > 300
    assert removed["member"] == members - Member.objects.count() > 100
    assert removed["event"] == events - ActivityEvent.objects.count() > 100
    assert over_events() == before
    assert_audited(NOW)
    audited()
    assert not retention.prune("default", NOW)


def test_what_is_kept(history: list[dt.datetime], settings: Any) -> None:
    settings.LIVECOUNTERS = {"RETENTION": {"minutes": 1, "quarter_hours": 10, "events": 20}}

    retention.prune("default", NOW)

    def oldest(grain: Grain, model: Any = Bucket, **given: Any) -> float:
        first = model.objects.filter(grain=grain, **given).earliest("start").start
        return (NOW.timestamp() - first) / DAY

    personal = live.counters["per_user"].measure.key
    people = live.counters["learners"].measure.key
    assert 1 < oldest(Grain.MINUTE) <= 2.01
    assert 10 < oldest(Grain.QUARTER, measure=live.counters["attempts"].measure.key) <= 11.02
    assert 10 < oldest(Grain.QUARTER, Member, measure=people) <= 11.02
    assert oldest(Grain.QUARTER, measure=personal) > 60
    assert oldest(Grain.DAY) > 300
    assert 0 <= (NOW - ActivityEvent.objects.earliest("at").at).days < 20
    audited()


def test_nothing_goes_of_what_is_kept_for_good(history: list[dt.datetime], settings: Any) -> None:
    settings.LIVECOUNTERS = {"RETENTION": {"minutes": None, "quarter_hours": None, "events": None}}

    retention.prune("default", NOW)

    assert ActivityEvent.objects.count() > len(history)
    assert not Measured.objects.exclude(floor=None).exists()
    attempts = Bucket.objects.filter(measure=live.counters["attempts"].measure.key)
    assert attempts.filter(grain=Grain.MINUTE).count() > 350
    assert attempts.filter(grain=Grain.QUARTER).count() > 250


def test_rows_that_say_nothing_go(quiz: Quiz) -> None:
    ada = User.objects.create(username="ada")
    Attempt.objects.create(quiz=quiz, user=ada, completed=True, completed_at=NOW, score=1)
    folding.fold("default")
    Attempt.objects.all().delete()
    folding.fold("default")
    per_user = Bucket.objects.filter(measure=live.counters["per_user"].measure.key)
    assert per_user.exists()

    retention.prune("default", NOW)

    assert not per_user.exists()
    assert not Member.objects.exists()
    assert_audited(NOW)


def test_in_portions_that_may_be_the_last(
    history: list[dt.datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PORTION", 40)
    monkeypatch.setattr(retention, "BATCH", 5)
    before = over_events()
    steps = 0
    for steps, _ in enumerate(retention.portions("default", NOW), 1):
        if steps % 60 == 0:
            assert over_events() == before
            audited()

    assert steps > 30
    assert not retention.prune("default", NOW)


# Beside others


def test_a_bucket_that_gets_something_meanwhile_stays(
    quiz: Quiz, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = Attempt.objects.create(quiz=quiz, completed=True, completed_at=NOW)
    folding.fold("default")
    attempt.delete()
    folding.fold("default")
    find = retention._find

    def fold_after(*given: Any) -> Any:
        found = find(*given)
        if found and not Attempt.objects.exists():
            Attempt.objects.create(quiz=quiz, completed=True, completed_at=NOW)
            folding.fold("default")
        return found

    monkeypatch.setattr(retention, "_find", fold_after)

    retention.prune("default", NOW)

    assert live.counters["attempts"].value() == 1
    assert_audited(NOW)


def test_beside_a_repair(history: list[dt.datetime], monkeypatch: pytest.MonkeyPatch) -> None:
    """A difference that was taken before and is added after."""
    measures = [live.counters[name].measure for name in ("attempts", "learners", "score_told")]
    Bucket.objects.filter(grain=Grain.DAY).update(count=7)
    Member.objects.filter(grain=Grain.QUARTER).update(count=7)
    alone, pruned = audit.alone, []

    def prune_first(*given: Any) -> Any:
        if not pruned:
            pruned.append(True)
            pruned.append(retention.prune("default", NOW))
        return alone(*given)

    monkeypatch.setattr(audit, "alone", prune_first)
    for measure in measures:
        pruned.clear()
        audit.repair(measure, now=NOW, told=False)
        assert pruned

    for measure in measures:
        assert not audit.verify(measure, now=NOW).wrong
    assert live.counters["attempts"].value() == len(history)


# Events


def test_floors_are_there_before_events_go(
    history: list[dt.datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PORTION", 50)
    steps = retention.portions("default", NOW)
    while next(steps)[0] != "event":
        pass

    measure = live.counters["score_told"].measure
    floor = Measured.objects.get(measure=measure.key).floor
    assert floor is not None
    assert measure.clock.day_start(floor) == floor
    assert 89 * DAY <= NOW.timestamp() - floor <= 90 * DAY
    first = ActivityEvent.objects.earliest("at").at
    assert first < ago(days=90)
    audited()


def test_no_event_goes_while_it_is_needed(
    history: list[dt.datetime], caplog: pytest.LogCaptureFixture
) -> None:
    key = live.counters["score_told"].measure.key
    Measured.objects.filter(measure=key).update(ready=False)

    assert "event" not in retention.prune("default", NOW)

    assert "no events are pruned" in caplog.text
    assert "livecounters sync" in caplog.text
    # Not read from its buckets because of a floor that it got too soon.
    assert Measured.objects.get(measure=key).floor is None

    Measured.objects.filter(measure=key).update(ready=True)
    Measured.objects.create(
        measure="another", tables={ActivityEvent._meta.db_table: "x"}, names="x", since=NOW
    )
    assert "event" not in retention.prune("default", NOW)


def test_a_floor_never_sinks(history: list[dt.datetime], settings: Any) -> None:
    retention.prune("default", NOW)
    floors = dict(Measured.objects.values_list("measure", "floor"))
    settings.LIVECOUNTERS = {"RETENTION": {"events": 1000}}

    retention.prune("default", NOW)

    assert dict(Measured.objects.values_list("measure", "floor")) == floors


def test_events_of_long_ago_that_come_late(history: list[dt.datetime], quiz: Quiz) -> None:
    retention.prune("default", NOW)
    ada = User.objects.create(username="ada")
    told, year = over_events()["told"], over_events()["year"]

    Attempt.objects.create(
        quiz=quiz, user=ada, completed=True, completed_at=ago(days=200), score=50
    )

    def assert_counted() -> None:
        assert over_events()["told"] == told + 50
        assert over_events()["year"] == year + 1
        assert over_events()["actor"][str(ada.pk)] == 1
        audited()

    assert_counted()
    # Nobody has told it yet.
    assert "event" not in retention.prune("default", NOW) or connection.vendor == "sqlite"
    feed.number()
    retention.prune("default", NOW)
    assert not ActivityEvent.objects.filter(actor=str(ada.pk)).exists()
    assert_counted()
    folding.fold("default")
    assert_counted()


def test_what_was_told_is_not_told_again(history: list[dt.datetime]) -> None:
    retention.prune("default", NOW)
    before, sources = over_events(), EventSource.objects.count()

    Attempt.objects.update(completed=False)
    Attempt.objects.update(completed=True)

    assert over_events() == before
    assert EventSource.objects.count() == sources
    audited()


def test_extremes_and_members_over_events(history: list[dt.datetime], quiz: Quiz) -> None:
    counter = live.counters["completed_by_actor"]
    before = dict(counter.breakdown())
    assert len(before) == 5
    retention.prune("default", NOW)

    Bucket.objects.filter(measure=counter.measure.key, grain=Grain.EVER).update(count=0)
    audit.repair(counter.measure, now=NOW, told=False)

    assert dict(counter.breakdown()) == before


# Resuming


def lose(number: int) -> Place:
    """Events of long ago, numbered and removed; the place before them."""
    before = feed.number()
    for n in range(number):
        ActivityEvent.objects.create(
            kind="host.quiz_completed", at=ago(days=100), target_label=f"old {n}"
        )
    feed.number()
    ActivityEvent.objects.create(kind="host.quiz_completed", at=NOW, target_label="new")
    feed.number()
    retention.prune("default", NOW)
    assert Stream.objects.get().pruned == before.seq + number
    return before


def test_the_snapshot_resets_what_cannot_be_whole(db: None) -> None:
    before = lose(2)

    behind = snapshot.take(["feed:quiz_completed"], lambda: None, before, NOW)
    after = Place(before.epoch, before.seq + 2)
    level = snapshot.take(["feed:quiz_completed"], lambda: None, after, NOW)

    assert behind["reset"] == ["feed:quiz_completed"]
    assert level["reset"] == []
    for answer in (behind, level):
        assert [e["target"] for e in answer["events"]["feed:quiz_completed"]] == ["new"]


def test_the_hub_resets_what_cannot_be_whole(db: None) -> None:
    before = lose(2)

    assert read_out([], {"feed": FeedTopic()}, {}, before).events == {}
    read = read_out([], {}, {"feed": FeedTopic()}, Place("", 0))
    hub = Hub(1)
    sockets = [_Socket(), _Socket()]
    hub.follow_feed(sockets[0], "feed", before.epoch, before.seq)
    hub.follow_feed(sockets[1], "feed", before.epoch, before.seq + 2)
    deliveries = hub.take(read)

    assert ['"reset"' in text for text, *_ in deliveries] == [True, False]


class _Socket:
    language = "en"

    def write(self, text: str) -> None: ...


def test_numbered_anew_nothing_is_missing(db: None) -> None:
    lose(2)

    feed.renumber("default")

    assert feed.pruned() == 0


# Reading beyond


MOMENTS = [(days, minutes) for days in (0, 1, 2, 3, 59, 60, 61, 100) for minutes in (0, 7, 433)]


@pytest.mark.parametrize("window", [live.today, live.last(minutes=20), live.last(days=3)])
def test_a_number_is_exact_for_what_it_is_widened_to(
    history: list[dt.datetime], window: Any
) -> None:
    retention.prune("default", NOW)
    counters = [live.counters[name] for name in ("attempts", "learners", "score_max")]
    measure = counters[0].measure
    for days, minutes in MOMENTS:
        moment = ago(days=days, minutes=minutes)
        asked = window.interval(measure.clock.stamp(moment), measure.clock)
        start, end = ledger.settled(asked, NOW, measure)
        assert start <= asked.start
        assert end >= asked.end
        assert start == asked.start or days >= 1
        within = [
            attempt
            for attempt in Attempt.objects.filter(completed=True)
            if start <= attempt.completed_at.timestamp() < end
        ]
        people = {attempt.user_id for attempt in within if attempt.user_id}
        scores = [attempt.score for attempt in within]
        found = [counter.value(window=window, at=moment) for counter in counters]
        assert found == [len(within), len(people), max(scores, default=None)], (days, minutes)


def test_how_far_it_is_widened(quiz: Quiz) -> None:
    clock = live.counters["attempts"].measure.clock

    def settled(counter: str, start: float, end: float) -> list[dt.datetime | None]:
        measure = live.counters[counter].measure
        interval = Interval(*(int(ago(hours=n).timestamp()) // 60 * 60 for n in (start, end)))
        return [
            clock.moment(stamp) if stamp is not None else None
            for stamp in ledger.settled(interval, NOW, measure)
        ]

    def grid(moment: dt.datetime | None) -> str:
        assert moment is not None
        if (moment.hour, moment.minute) == (0, 0):
            return "day"
        return "quarter" if moment.minute % 15 == 0 else "minute"

    def exact(hours: float) -> dt.datetime:
        return clock.moment(int(ago(hours=hours).timestamp()) // 60 * 60)

    assert settled("attempts", 2, 1) == [exact(2), exact(1)]
    assert all(grid(end) != "minute" for end in settled("attempts", 72, 71))
    assert all(grid(end) == "day" for end in settled("attempts", 24 * 70, 24 * 70 - 5))
    assert all(grid(end) != "minute" for end in settled("per_user", 24 * 70, 24 * 70 - 5))
    low, high = settled("per_user", 24 * 70, 24 * 70 - 5)
    assert exact(24 * 70) - low < dt.timedelta(minutes=15)
    assert high - exact(24 * 70 - 5) < dt.timedelta(minutes=15)


def test_a_series_is_whole_or_refused(history: list[dt.datetime]) -> None:
    retention.prune("default", NOW)
    counter = live.counters["attempts"]
    for step, reach in (("minute", 2), ("hour", 60), ("quarter", 60), ("day", 10_000)):
        for days in (1, 3, 59, 61, 100):
            window, moment = live.last(hours=1 if step == "minute" else 5), ago(days=days)
            if days > reach:
                with pytest.raises(ValueError, match="see the setting RETENTION"):
                    counter.series(window=window, step=step, at=moment)
                continue
            points = counter.series(window=window, step=step, at=moment)
            for (start, number), (end, _) in itertools.pairwise(points):
                rows = Attempt.objects.filter(completed_at__gte=start, completed_at__lt=end)
                assert number == rows.count()


def test_a_series_that_begins_at_midnight_is_refused_too(db: None) -> None:
    with pytest.raises(ValueError, match="see the setting RETENTION"):
        live.counters["attempts"].series(window=live.today, step="hour", at=ago(days=70))


def test_of_people_quarter_hours_are_kept(history: list[dt.datetime]) -> None:
    retention.prune("default", NOW)
    user = User.objects.earliest("pk")
    points = live.counters["per_user"].series(
        window=live.last(days=200), step="quarter", of=user, at=NOW
    )

    rows = Attempt.objects.filter(user=user, completed_at__gte=points[0].start)
    assert sum(number or 0 for _, number in points) == rows.count()


def test_what_is_audited_lies_within_what_is_kept() -> None:
    """The horizon of a reader, who may be a day behind, is above what a prune takes."""
    for measure in declared_measures():
        for grain in Grain:
            since = retention.kept_since(measure, grain, NOW)
            behind = retention.kept_since(measure, grain, ago(hours=23))
            taken = since - retention.MARGIN
            assert since == EARLIEST or taken < behind
        assert retention.kept_since(measure, Grain.DAY, NOW) == EARLIEST


@pytest.mark.django_db(transaction=True)
def test_beside_everybody(history: list[dt.datetime], quiz: Quiz) -> None:
    """Writers of new and of old rows, a folder, a teller, repairs: all at once with prunes."""
    told, number, users = over_events()["told"], 60, list(User.objects.all())
    written, done = threading.Semaphore(0), threading.Event()
    measures = [live.counters[name].measure for name in ("score_told", "learners", "attempts")]

    def write() -> None:
        for n in range(number):
            Attempt.objects.create(
                quiz=quiz, completed=True, completed_at=ago(days=n * 3), score=1, user=users[n % 5]
            )
        written.release()

    def again(job: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            while not done.is_set():
                job()

        return run

    def repair() -> None:
        for measure in measures:
            audit.repair(measure, told=False)

    def stop() -> None:
        for _ in range(2):
            written.acquire(timeout=60)
        done.set()

    in_threads(
        write,
        write,
        stop,
        again(lambda: retention.prune("default", timezone.now())),
        again(lambda: folding.fold("default")),
        again(feed.number),
        again(repair),
    )

    feed.number()
    retention.prune("default", timezone.now())
    assert over_events()["told"] == told + 2 * number
    assert live.counters["attempts"].value() == len(history) + 2 * number
    audited()
    assert_audited()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time")
def test_a_backfill_waits_for_a_portion_that_goes(db: None) -> None:
    feed.number()
    waited = threading.Event()

    def wait() -> None:
        retention.wait("default")
        waited.set()

    with transaction.atomic():
        Stream.objects.select_for_update().get()
        thread = threading.Thread(target=lambda: in_threads(wait))
        thread.start()
        assert not waited.wait(0.3)
    thread.join()
    assert waited.is_set()


def in_threads(*jobs: Callable[[], object]) -> None:
    errors: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
