"""Forgetting: whose it was is gone, that it was stays, and everything still adds up."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

import livecounters as live
from livecounters import audit, feed, folding, forgetting, leases, retention, sightings, timeline
from livecounters.exceptions import Busy
from livecounters.feed import Place
from livecounters.forgetting import FORGOTTEN, Person, about, forget
from livecounters.hub import Hub
from livecounters.measures import declared_measures
from livecounters.models import (
    Achievement,
    ActivityEvent,
    Bucket,
    Delta,
    EventSource,
    Measured,
    Member,
)
from livecounters.preferences import preferences, set_preference
from livecounters.presence import Changes, Kind, Who, store
from livecounters.presence.base import Came
from livecounters.readout import read_out
from livecounters.selection import Selection
from livecounters.topics import FeedTopic
from tests.host.models import Attempt, Quiz
from tests.oracle import assert_audited

pytestmark = pytest.mark.django_db

NOW = timezone.now()

TOTALS = ("quizzes_today", "quizzes_by_target", "score_told", "attempts", "learners_ever")


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="lovelace", email="ada@example.com")


@pytest.fixture
def bob() -> User:
    return User.objects.create(username="bob")


@pytest.fixture
def past(quiz: Quiz, ada: User, bob: User) -> None:
    """Ada five times (two of them long ago), Bob twice, somebody once."""
    ages = [(ada, n) for n in (0, 0, 3, 100, 200)] + [(bob, 0), (bob, 150), (None, 0)]
    for user, days in ages:
        Attempt.objects.create(
            quiz=quiz,
            user=user,
            completed=True,
            score=100,
            completed_at=NOW - dt.timedelta(days=days),
        )
    feed.number()


def complete(quiz: Quiz, user: User) -> None:
    Attempt.objects.create(quiz=quiz, user=user, completed=True, completed_at=NOW, score=100)


def totals() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in TOTALS:
        counter = live.counters[name]
        per = counter.entry.declared.per is not None
        found[name] = dict(counter.breakdown()) if per else counter.value(window=live.ever)
    by_actor = live.counters["completed_by_actor"].breakdown()
    found["by_actor"] = sorted(by_actor.values())
    return found


def audited() -> None:
    for measure in declared_measures():
        found = audit.verify(measure, now=NOW)
        assert not found.wrong, (measure.model, measure.scope, found.some[:3])
    assert_audited()


def everything_kept() -> str:
    """All our tables as text."""
    models: list[Any] = [ActivityEvent, Bucket, Member, Delta]
    return json.dumps([list(model.objects.values()) for model in models], default=str)


@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize("pruned", [True, False])
def test_every_total_stays(past: None, ada: User, folded: bool, pruned: bool) -> None:
    if folded:
        folding.fold("default")
    if pruned:
        assert retention.prune("default", NOW)["event"]
    before, key = totals(), str(ada.pk)

    done = forget(Person.of(ada))

    assert done.acted == (9 if pruned else 15)
    assert done.counters == [
        "host.completed_by_actor",
        "host.quizzes_by_target",
        "host.quizzes_today",
        "host.score_told",
    ]
    assert totals() == before
    audited()
    assert live.counters["completed_by_actor"].value(of=ada) == 0
    assert not ActivityEvent.objects.filter(actor=key).exists()
    over_events = [m.key for m in declared_measures() if m.append_only and m.scope == "actor"]
    assert not Bucket.objects.filter(measure__in=over_events, scope=key).exists()


def test_one_token_that_leads_nowhere(past: None, ada: User, bob: User) -> None:
    forget(Person.of(ada))

    events = ActivityEvent.objects.filter(actor_model=FORGOTTEN)
    (token,) = set(events.values_list("actor", flat=True))
    assert len(token) == 32
    forget(Person.of(bob))
    assert len(set(events.values_list("actor", flat=True))) == 2


def test_nobody_is_named_any_more(past: None, ada: User, bob: User) -> None:
    forget(Person.of(ada))

    said = [event.text for event in timeline.newest(50, Selection(("host.quiz_completed",)))]
    assert sum(text.startswith("Someone just completed Fractions") for text in said) == 5
    assert sum(text.startswith("bob") for text in said) == 2
    assert not any("lovelace" in text for text in said)


def test_the_person_is_deleted_before_or_after(past: None, ada: User) -> None:
    before, key = totals(), ada.pk
    before.pop("learners_ever")
    ada.delete()

    done = forget(Person.named(str(key)))

    assert done.acted == 15
    assert not done.following
    after = totals()
    assert after.pop("learners_ever") == 1
    assert after == before
    audited()
    # Of the numbers over the host's rows nothing is left either.
    per_user = live.counters["per_user"].measure.key
    assert not Bucket.objects.filter(measure=per_user, scope=str(key)).exists()
    assert not Member.objects.filter(member=str(key)).exists()


def test_numbers_over_the_host_s_rows_follow_them(past: None, ada: User) -> None:
    done = forget(Person.of(ada))

    assert done.following == ["host.per_user"]
    assert live.counters["per_user"].value(of=ada) == 5
    Attempt.objects.filter(user=ada).delete()

    assert forget(Person.of(ada)).following == []
    per_user = live.counters["per_user"].measure.key
    assert not Bucket.objects.filter(measure=per_user, scope=str(ada.pk)).exists()
    audited()


def test_again_and_again(past: None, quiz: Quiz, ada: User) -> None:
    forget(Person.of(ada))
    place = feed.head()
    assert forget(Person.of(ada)).acted == 0
    assert feed.head() == place

    complete(quiz, ada)
    before = totals()
    assert forget(Person.of(ada)).acted == 3
    assert totals() == before
    audited()


def test_what_it_would_do(past: None, ada: User) -> None:
    folding.fold("default")
    before = everything_kept()

    would = forget(Person.of(ada), dry_run=True)

    assert everything_kept() == before
    assert would == forget(Person.of(ada))


def test_what_was_told_is_not_told_again(past: None, ada: User) -> None:
    sources = EventSource.objects.count()
    forget(Person.of(ada))
    number = ActivityEvent.objects.count()

    Attempt.objects.update(completed=False)
    Attempt.objects.update(completed=True)

    assert (EventSource.objects.count(), ActivityEvent.objects.count()) == (sources, number)


# Data


def test_of_the_data_stays_what_is_counted(past: None, ada: User) -> None:
    mine = ActivityEvent.objects.filter(kind="host.quiz_completed", actor=str(ada.pk))
    pks = list(mine.values_list("pk", flat=True))
    data = {"score": 123456789012345, "mail": "ada@example.com", "50%": {"a": [1, None]}}
    mine.update(data=data)
    perfect = ActivityEvent.objects.filter(kind="host.perfect", actor=str(ada.pk))
    perfect.update(data={"mail": "ada@example.com"})
    for measure in declared_measures():
        audit.repair(measure, now=NOW, told=False)
    before = totals()

    done = forget(Person.of(ada))

    assert (done.cleared, done.counted) == (["50%", "mail"], ["score"])
    found = ActivityEvent.objects.filter(pk__in=pks).values_list("data", flat=True)
    assert list(found) == [{"score": 123456789012345}] * 5
    assert "ada@example.com" not in everything_kept()
    assert totals() == before


# Targets


def test_a_target_loses_name_and_label(past: None, quiz: Quiz) -> None:
    """Anything can be forgotten, so a quiz stands for a person that others act upon."""
    other = Quiz.objects.create(title="Algebra")
    complete(other, User.objects.get(username="bob"))
    feed.number()
    before = totals()
    by_target = before.pop("quizzes_by_target")

    done = forget(Person.of(quiz))

    assert (done.acted, done.targeted) == (0, 8)
    after = totals()
    assert sorted(after.pop("quizzes_by_target").values()) == sorted(by_target.values())
    assert after == before
    assert live.counters["quizzes_by_target"].value(of=quiz) == 0
    assert live.counters["quizzes_by_target"].value(of=other) == 1
    assert {event.target for event in timeline.newest(50, Selection(("host.quiz_completed",)))} == {
        "Algebra",
        None,
    }
    assert "Fractions" not in everything_kept()
    audited()


# Pages


class _Socket:
    language = "en"

    def write(self, text: str) -> None: ...


def test_open_pages_drop_the_name(past: None, ada: User) -> None:
    hub, socket = Hub(1), _Socket()
    hub.follow_feed(socket, "feed", None, None)
    hub.take(read_out([], {}, {"feed": FeedTopic()}, Place("", 0)))
    place = Place(hub.epoch, hub.seq)
    assert "lovelace" in str([event.say("en") for event in hub.feeds["feed"].ring])

    forget(Person.of(ada))
    ((text, sockets, _),) = hub.take(read_out([], {"feed": FeedTopic()}, {}, place))

    assert sockets == (socket,)
    assert json.loads(text)["op"] == "reset"
    assert "lovelace" not in text
    # Who resumes from before gets the list anew, too.
    ((text, *_),) = hub.follow_feed(_Socket(), "feed", *place)
    assert json.loads(text)["op"] == "reset"
    assert "lovelace" not in text


# Beside others


def test_not_beside_a_repair(past: None, ada: User) -> None:
    measure = live.counters["score_told"].measure
    leases.hold(f"repair:{measure.key}", "somebody", timezone.now(), 60, "default")

    with pytest.raises(Busy, match="being repaired"):
        forget(Person.of(ada))

    assert ActivityEvent.objects.filter(actor=str(ada.pk)).exists()
    leases.release(f"repair:{measure.key}", "somebody", "default")
    forget(Person.of(ada))
    audited()


def test_a_repair_that_took_over_in_the_meantime(
    past: None, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "alone", _taken_over(forgetting.alone))

    with pytest.raises(Busy, match="taken over"):
        forget(Person.of(ada))

    assert ActivityEvent.objects.filter(actor=str(ada.pk)).exists()


def _taken_over(alone: Any) -> Any:
    def taken(*given: Any) -> Any:
        leases.Lease.objects.filter(name__startswith="repair:").update(holder="somebody")
        return alone(*given)

    return taken


# Who it is


def test_by_key_or_by_name(ada: User, bob: User) -> None:
    assert Person.named("lovelace") == Person.named(str(ada.pk)) == Person.of(ada)
    assert Person.of(ada).row == ada
    assert Person.named("987654").row is None

    User.objects.create(username=str(bob.pk))
    with pytest.raises(LookupError, match="is the key of bob and the name of"):
        Person.named(str(bob.pk))
    with pytest.raises(LookupError, match="'nobody' is no user's name"):
        Person.named("nobody")


def test_all_that_is_kept(past: None, ada: User) -> None:
    found = about(Person.of(ada))

    assert json.loads(json.dumps(found)) == found
    assert (found["model"], found["key"]) == ("auth.User", str(ada.pk))
    assert found["numbers"] == {"host.completed_by_actor": "5", "host.per_user": "5"}
    assert len(found["events"]) == 15
    told = [event for event in found["events"] if event["kind"] == "host.quiz_completed"]
    assert told[-1] == {
        "kind": "host.quiz_completed",
        "as": "actor",
        "at": feed.iso(NOW),
        "target": "Fractions",
        "data": {"score": 100},
    }

    forget(Person.of(ada))
    assert about(Person.of(ada))["events"] == []
    assert Measured.objects.filter(drift__gt=0).count() == 0


def test_that_somebody_was_here_is_forgotten(ada: User, bob: User) -> None:
    whos = [Who(Kind.PERSON, str(one.pk)) for one in (ada, bob)]
    sightings.arrived(whos, 1000.0)
    store().beat("p", Changes([Came("site", who, 0.0) for who in whos], whole=True), 0.0, 60.0)
    assert about(Person.of(ada))["last_seen"] == "1970-01-01T00:16:40.000Z"

    forget(Person.of(ada), dry_run=True)
    assert sightings.last_seen(str(ada.pk))
    forget(Person.of(ada))

    assert sightings.last_seen(str(ada.pk)) is None
    assert sightings.last_seen(str(bob.pk))
    assert store().people("site", 1.0) == {str(bob.pk)}


def test_what_somebody_has_reached_is_forgotten(ada: User) -> None:
    Achievement.objects.create(person=str(ada.pk), counter="x", kind="total", step=10, at=NOW)
    set_preference(str(ada.pk), "report", False)
    assert about(Person.of(ada))["achievements"][0]["kind"] == "total"

    forget(Person.of(ada))

    assert about(Person.of(ada))["achievements"] == []
    assert all(preferences(str(ada.pk)).values())
