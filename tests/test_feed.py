"""The stream: numbers without holes, names in few queries, words that survive."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from livecounters import feed, folding, forgetting, timeline
from livecounters.cursors import Cursor
from livecounters.models import ActivityEvent, Stream
from livecounters.selection import Party, Selection
from tests.copies import restored
from tests.host.models import Attempt, Quiz
from tests.oracle import assert_exact

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def happen(number: int = 1, **given: Any) -> None:
    given = {"kind": "host.quiz_completed", "target_label": "Fractions", "at": NOW} | given
    ActivityEvent.objects.bulk_create([ActivityEvent(**given) for _ in range(number)])


def test_numbers_have_no_holes(django_assert_max_num_queries: Any) -> None:
    start = feed.number()
    happen(3)
    happen(2, seq=0)
    happen(2)

    with django_assert_max_num_queries(9):
        place = feed.number()

    assert place == feed.Place(start.epoch, start.seq + 5)
    told = ActivityEvent.objects.filter(seq__gt=0).order_by("id").values_list("seq", flat=True)
    assert list(told) == [1, 2, 3, 4, 5]
    assert feed.number() == place == feed.head()


def test_a_lower_id_that_comes_later_is_numbered_later() -> None:
    happen(2)
    late = ActivityEvent.objects.earliest("id")
    late.delete()
    feed.number()
    late.save()

    feed.number()

    assert ActivityEvent.objects.get(pk=late.pk).seq == 2


def test_renumbered_by_time_in_a_new_epoch() -> None:
    happen(at=NOW)
    old = feed.number()
    happen(at=NOW - dt.timedelta(days=1))
    happen(seq=0)

    feed.renumber("default")

    assert feed.head().epoch != old.epoch
    assert [event.at for event in timeline.newest(5)] == [NOW, NOW - dt.timedelta(days=1)]


def test_what_is_not_whole_is_not_told() -> None:
    happen(5)
    feed.number()
    Stream.objects.update(pruned=2)

    assert feed.newer(1, 9) is None
    assert [event.seq for event in feed.newer(2, 9) or ()] == [3, 4, 5]
    assert feed.pruned() == 2
    # Numbered anew, what is there is all there is.
    feed.renumber("default")
    assert feed.pruned() == 0


def test_a_new_epoch_keeps_the_numbers() -> None:
    happen(3)
    old = feed.number()

    feed.begin_epoch("default")

    assert feed.head().seq == old.seq
    assert feed.head().epoch != old.epoch


def test_a_site_without_a_stream() -> None:
    Stream.objects.all().delete()

    assert feed.head() == feed.Place("", 0)
    happen()
    assert feed.number().epoch


def test_pages_and_kinds() -> None:
    happen(5)
    happen(2, kind="host.perfect")
    feed.number()

    assert [event.seq for event in timeline.newest(3)] == [7, 6, 5]
    assert [event.seq for event in timeline.page(3, cursor=Cursor("", 5, 7)).events] == [4, 3, 2]
    assert [event.seq for event in timeline.newest(9, Selection(("host.perfect",)))] == [7, 6]
    assert [event.seq for event in feed.newer(4, 2) or ()] == [5, 6]


def test_names_in_two_queries(django_assert_num_queries: Any) -> None:
    people = [User.objects.create(username=f"user{n}") for n in range(20)]
    for person in people:
        happen(actor=str(person.pk), actor_model="auth.user")
    happen(actor="77777", actor_model="auth.user")
    happen(actor="1", actor_model="gone.model")
    feed.number()

    with django_assert_num_queries(2):
        events = timeline.newest(50)

    assert {event.actor for event in events} == {person.username for person in people} | {None}
    assert events[0].text == "Someone just completed Fractions!"


def test_who_may_not_be_seen_is_someone(settings: Any) -> None:
    ada = User.objects.create(username="ada")
    happen(actor=str(ada.pk), actor_model="auth.user")
    feed.number()
    settings.LIVECOUNTERS = {
        "MAY_BE_SEEN": "tests.test_feed.nobody",
        "ACTOR_NAME": "tests.test_feed.shout",
    }
    assert timeline.newest(1)[0].actor is None

    settings.LIVECOUNTERS = {"ACTOR_NAME": "tests.test_feed.shout"}
    assert timeline.newest(1)[0].text == "ADA just completed Fractions!"


def nobody(user: User) -> bool:
    return False


def shout(user: User) -> str:
    return user.username.upper()


def test_an_actor_that_is_no_user_says_its_name() -> None:
    quiz = Quiz.objects.create(title="Q")
    happen(actor=str(quiz.pk), actor_model="host.quiz")
    happen(actor="a name", actor_model="")
    feed.number()

    assert [event.actor for event in timeline.newest(2)] == ["a name", str(quiz)]


def test_an_event_of_a_kind_that_is_no_more() -> None:
    happen(kind="old.kind")
    feed.number()

    event = timeline.newest(1)[0]
    assert (event.kind, event.text, event.icon) == ("old.kind", "Fractions", "")


def test_in_another_language() -> None:
    happen()
    feed.number()

    assert timeline.newest(1)[0].say("de")["text"].endswith("just completed Fractions!")


def test_moments_are_iso_8601() -> None:
    moment = dt.datetime(2026, 11, 21, 8, 30, 1, 999_999, tzinfo=dt.UTC)

    assert feed.iso(moment) == "2026-11-21T08:30:01.999Z"
    assert feed.iso(dt.datetime(2026, 11, 21, 9, 30)) == "2026-11-21T08:30:00.000Z"  # noqa: DTZ001


def test_the_host_is_not_asked_for_deleted_targets() -> None:
    quiz = Quiz.objects.create(title="Gone")
    Attempt.objects.create(quiz=quiz, completed=True, score=100)
    quiz.delete()
    feed.number()

    assert [event.text for event in timeline.newest(5)] == ["Someone had everything right"]


# Copies


def test_the_same_database_is_no_copy() -> None:
    feed.ensure_stream("default")
    place = feed.head()

    feed.ensure_stream("default")
    happen()
    feed.number()

    assert feed.head().epoch == place.epoch


def test_a_copy_begins_a_new_epoch() -> None:
    feed.ensure_stream("default")
    old = feed.head()
    Stream.objects.update(home="elsewhere")

    feed.ensure_stream("default")

    new = feed.head()
    assert (new.seq, new.epoch != old.epoch) == (old.seq, True)
    feed.ensure_stream("default")
    assert feed.head() == new


@pytest.mark.django_db(transaction=True)
def test_a_restored_database_counts_on(tmp_path: Path) -> None:
    """Dumped and restored by the database's own tools: numbers are right as they are, and pages
    of before read anew."""
    quiz = Quiz.objects.create(title="Fractions")
    users = [User.objects.create(username=name) for name in ("ada", "bob")]
    for user in users:
        Attempt.objects.create(quiz=quiz, user=user, completed=True, completed_at=NOW, score=70)
    folding.fold("default")
    Attempt.objects.create(quiz=quiz, completed=True, completed_at=NOW, score=70)
    feed.ensure_stream("default")
    old = feed.number()

    with restored(connection, tmp_path):
        assert_exact()
        feed.ensure_stream("default")
        assert feed.head().epoch != old.epoch
        Attempt.objects.filter(user=users[0]).delete()
        Attempt.objects.create(quiz=quiz, user=users[1], completed=True, completed_at=NOW, score=70)
        assert_exact()
        assert feed.number().seq > old.seq

    assert feed.head() == old
    assert_exact()


@pytest.mark.skipif(connection.vendor == "mysql", reason="all rows are in each index there")
def test_whatever_is_asked_is_found_by_an_index() -> None:
    """Those without a number are in one index alone, so that who writes them need not wait."""
    events = [
        ActivityEvent(
            kind=f"host.kind_{number % 400}",
            actor_model="auth.user",
            actor=str(number),
            target_model="host.quiz",
            target=str(number),
            at=NOW,
            seq=number + 1,
        )
        for number in range(4_000)
    ]
    ActivityEvent.objects.bulk_create(events)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    def plan(rows: Any) -> str:
        return str(rows.explain())

    of = Selection(targets=(Party("host.quiz", "7"),))
    by = Selection(actors=(Party("auth.user", "7"),))
    page = feed.told().order_by("-seq")
    assert "livecounters_event_target" in plan(page.filter(of.where)[:20])
    assert "livecounters_event_actor" in plan(page.filter(by.where)[:20])
    assert "livecounters_event_seq" in plan(page[:20])
    assert "livecounters_event_seq" in plan(ActivityEvent.objects.filter(seq=None))
    one = forgetting._Place("default", "host.kind_0", "actor", "7").events
    assert "livecounters_event_actor" in plan(one)
    assert "SCAN" not in plan(one).upper().replace("INDEX SCAN", "").replace("BITMAP HEAP SCAN", "")
