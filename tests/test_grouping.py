"""Which events are told together: the event and the rule alone say it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from livecounters import feed
from livecounters.grouping import Size, grouped, key_of, sizes
from livecounters.models import ActivityEvent
from livecounters.models.events import FORGOTTEN
from livecounters.selection import EVERYTHING, Selection, party_of
from tests.host.club import NOON, declared, happen
from tests.host.models import Quiz

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def club() -> Iterator[None]:
    with declared():
        yield


def event(**given: Any) -> ActivityEvent:
    quiz = {"target_model": "host.quiz", "target": "3", "at": NOON, "kind": "host.finished"}
    return ActivityEvent(**quiz | given)


@pytest.mark.parametrize(
    ("other", "together"),
    [
        ({}, True),
        ({"actor": "7", "actor_model": "auth.user"}, True),
        ({"at": NOON + dt.timedelta(minutes=59, seconds=59)}, True),
        ({"at": NOON + dt.timedelta(hours=1)}, False),
        ({"at": NOON - dt.timedelta(microseconds=1)}, False),
        ({"target": "4"}, False),
        ({"target_model": "host.course"}, False),
        ({"kind": "host.practised"}, False),
    ],
)
def test_what_is_told_together(other: dict[str, Any], together: bool) -> None:
    assert (key_of(event()) == key_of(event(**other))) is together


@pytest.mark.parametrize(
    "alone",
    [
        {"kind": "host.visited"},
        {"kind": "gone.kind"},
        {"actor_model": FORGOTTEN},
        {"target_model": FORGOTTEN},
    ],
)
def test_what_belongs_to_no_group(alone: dict[str, Any]) -> None:
    assert key_of(event(**alone)) is None


def test_stretches_are_of_the_sites_clocks(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Zurich"
    practised = {"kind": "host.practised", "actor": "1", "actor_model": "auth.user"}
    evening = dt.datetime(2026, 11, 18, 22, 59, tzinfo=dt.UTC)

    before, after = (
        key_of(event(at=evening + dt.timedelta(minutes=n), **practised)) for n in (0, 1)
    )

    assert before is not None
    assert after is not None
    assert before.end == after.start == dt.datetime(2026, 11, 18, 23, tzinfo=dt.UTC)


def test_an_id_tells_nothing() -> None:
    one, other = key_of(event()), key_of(event(target="4"))

    assert one is not None
    assert other is not None
    assert len({one.id, other.id}) == 2
    assert len(one.id) == 16


def test_how_many(django_assert_num_queries: Any) -> None:
    ada, bob, eve = (User.objects.create(username=name) for name in ("ada", "bob", "eve"))
    fractions, algebra = (Quiz.objects.create(title=title) for title in ("Fractions", "Algebra"))
    happen("finished", ada, bob, ada, None, None, of=fractions)
    happen("finished", eve, of=algebra)
    happen("finished", bob, of=fractions, at=NOON + dt.timedelta(hours=2))
    ActivityEvent.objects.filter(actor=str(eve.pk)).update(actor_model=FORGOTTEN)
    place = feed.number()
    keys = [key_of(event(target=str(quiz.pk))) for quiz in (fractions, algebra)]
    asked = [(key, EVERYTHING) for key in keys if key is not None]
    only_ada = Selection(actors=(party_of(ada),))

    with django_assert_num_queries(1):
        found = sizes([*asked, (asked[0][0], only_ada)], place.seq, feed.database())

    assert found == [Size(5, 3, 5), Size(0, 0, 0), Size(2, 0, 3)]
    assert sizes(asked[:1], 2, feed.database()) == [Size(2, 1, 2)]
    assert sizes(asked * 60, place.seq, feed.database()) == found[:2] * 60


def test_whether_any_is_grouped() -> None:
    assert grouped(None)
    assert grouped(("host.finished", "host.visited"))
    assert not grouped(("host.visited",))
