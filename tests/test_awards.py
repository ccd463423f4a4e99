"""Awards: each once, whoever judges and however often."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction

import livecounters as live
from livecounters import awards, feed, summonses, timeline
from livecounters.awards import judge
from livecounters.models import Achievement, AwardedRule, Summons
from livecounters.preferences import FEED, set_preference
from livecounters.registry import registry
from livecounters.selection import Selection
from livecounters.signals import achieved
from tests.test_attainment import at, study

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("learning")]

NOON = "2026-03-11T11:00"


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


@pytest.fixture
def said() -> Iterator[list[Any]]:
    found: list[Any] = []

    def hear(achievement: Achievement, user_id: str, **given: Any) -> None:
        found.append((user_id, *what(achievement)))

    achieved.connect(hear)
    yield found
    achieved.disconnect(hear)


def what(one: Achievement) -> tuple[str, int, str]:
    return one.kind, one.step, one.period


def judged(user: User, now: str) -> list[tuple[str, int, str]]:
    return [what(one) for one in judge(user, at(now))]


def test_a_day_from_the_first_to_a_busy_one(ada: User) -> None:
    study(ada, "2026-03-11T08:00")
    assert judged(ada, "2026-03-11T08:01") == [("first", 0, "2026-03-11")]
    study(ada, *["2026-03-11T09:00"] * 2)
    assert judged(ada, "2026-03-11T09:01") == [("goal:day", 0, "2026-03-11")]
    study(ada, *["2026-03-11T10:00"] * 2)
    assert judged(ada, NOON) == [("busy", 5, "2026-03-11")]
    assert judged(ada, NOON) == []
    # And a new day.
    study(ada, "2026-03-12T08:00")
    assert judged(ada, "2026-03-12T08:01") == [("first", 0, "2026-03-12")]


def test_steps_that_are_jumped_over_are_awarded_each_in_order(ada: User) -> None:
    study(ada, *["2026-01-11T08:00"] * 30)

    assert judged(ada, NOON) == [("total", 10, ""), ("total", 25, "")]


def test_streaks_are_awarded_once(ada: User) -> None:
    study(ada, *[f"2026-03-{day:02}T08:00" for day in range(1, 8)])
    assert ("streak", 7, "") in judged(ada, "2026-03-07T09:00")
    study(ada, *[f"2026-03-{day:02}T08:00" for day in range(20, 28)])
    assert ("streak", 7, "") not in judged(ada, "2026-03-27T09:00")


def test_yesterday_just_before_midnight(ada: User) -> None:
    study(ada, *["2026-03-11T22:50"] * 3)

    # The site is in Paris: it is the 12th there.
    assert judged(ada, "2026-03-11T23:10") == [
        ("first", 0, "2026-03-11"),
        ("goal:day", 0, "2026-03-11"),
    ]


def test_a_week_s_goal(ada: User) -> None:
    study(ada, *["2026-03-09T08:00"] * 8, *["2026-03-10T08:00"] * 8)

    assert ("goal:week", 0, "2026-03-09") in judged(ada, "2026-03-10T09:00")
    assert ("goal:week", 0, "2026-03-09") not in judged(ada, "2026-03-16T09:00")


def test_the_signal_is_sent_once_after_the_commit(ada: User, said: list[Any]) -> None:
    study(ada, "2026-03-11T08:00")
    with transaction.atomic():
        judge(ada, at(NOON))
        assert said == []
    judge(ada, at(NOON))

    assert said == [(str(ada.pk), "first", 0, "2026-03-11")]


def test_what_is_rolled_back_is_awarded_later(ada: User, said: list[Any]) -> None:
    study(ada, "2026-03-11T08:00")
    with transaction.atomic():
        judge(ada, at(NOON))
        transaction.set_rollback(True)
    assert said == []
    assert judged(ada, NOON) == [("first", 0, "2026-03-11")]


def test_many_judges_at_once(ada: User, said: list[Any]) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("one writer")
    study(ada, *["2026-03-11T08:00"] * 12)
    new: list[Any] = []

    def work() -> None:
        try:
            new.extend(what(one) for one in judge(ada, at(NOON)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    expected = [
        ("busy", 5, "2026-03-11"),
        ("first", 0, "2026-03-11"),
        ("goal:day", 0, "2026-03-11"),
        ("total", 10, ""),
    ]
    assert sorted(new) == expected
    assert sorted(one[1:] for one in said) == expected


def test_the_past_is_awarded_silently_with_the_next_deed(ada: User, said: list[Any]) -> None:
    AwardedRule.objects.all().delete()
    study(ada, *["2026-01-11T08:00"] * 12)
    awards.begin(at("2026-03-01T00:00"))
    study(ada, "2026-03-11T08:00")

    assert judged(ada, NOON) == [("first", 0, "2026-03-11"), ("total", 10, "")]

    assert [one[1] for one in said] == ["first"]
    assert awards.unseen(str(ada.pk)) == 1


def test_what_is_reached_just_after_a_rule_began_is_told(ada: User, said: list[Any]) -> None:
    AwardedRule.objects.all().delete()
    awards.begin(at("2026-03-11T08:01"))
    study(ada, *["2026-03-11T08:02"] * 10)

    judge(ada, at("2026-03-11T08:03"))

    assert [one[1] for one in said] == ["first", "busy", "goal:day", "total"]


def test_everybodys_past_is_awarded_at_once(ada: User, said: list[Any]) -> None:
    AwardedRule.objects.all().delete()
    study(ada, *["2026-01-11T08:00"] * 12)
    awards.begin(at("2026-03-01T00:00"))

    assert awards.award_past(at(NOON)) == 1
    assert awards.award_past(at(NOON)) == 0

    assert said == []
    assert awards.unseen(str(ada.pk)) == 0
    assert [what(one) for one in awards.achievements(str(ada.pk))] == [("total", 10, "")]
    assert judged(ada, NOON) == []


def test_rules_begin_once(ada: User) -> None:
    begun = awards.begin(at("2026-02-01T00:00"))

    assert set(begun.values()) == {at("2026-01-01T00:00")}
    assert begun == awards.begin(at(NOON))


# Badges


class Own(live.LiveSite):
    thorough = live.Badge("Thorough", lambda progress: progress["sessions"].total >= 3)
    quiet = live.Badge("Quiet", lambda progress: progress["sessions"].total >= 4, great=False)
    broken = live.Badge("Broken", lambda progress: 1 / 0)
    reached = live.Activity("{actor} reached {achievement}", achievements=True)


@pytest.fixture
def own(learning: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(awards, "_failures", set())
    registry.add_site(Own)
    awards.begin(at("2026-01-01T00:00"))
    yield
    registry.remove(Own)


@pytest.mark.usefixtures("own")
def test_a_badge_of_the_hosts(ada: User, said: list[Any], caplog: Any) -> None:
    study(ada, *["2026-03-10T08:00"] * 2)
    assert "badge" not in {kind for kind, _, _ in judged(ada, NOON)}
    study(ada, "2026-03-11T08:00")

    assert ("badge", 0, "") in judged(ada, NOON)
    assert judged(ada, NOON) == []

    (badge,) = awards.achievements(str(ada.pk)).filter(kind="badge")
    assert (badge.counter, said[-1][1]) == ("site.thorough", "badge")
    assert caplog.text.count("Own.broken could not be told") == 1


@pytest.mark.usefixtures("own")
def test_a_badge_of_the_past_is_awarded_silently(ada: User, said: list[Any]) -> None:
    AwardedRule.objects.all().delete()
    study(ada, *["2026-01-11T08:00"] * 3)
    awards.begin(at("2026-03-01T00:00"))

    assert ("badge", 0, "") in judged(ada, NOON)
    assert said == []


@pytest.mark.usefixtures("own")
def test_great_achievements_are_told_in_the_feed(ada: User) -> None:
    study(ada, *["2026-03-11T08:00"] * 10)
    judge(ada, at(NOON))
    judge(ada, at(NOON))

    feed.number()
    texts = {event.text for event in timeline.newest(10, Selection(("site.reached",)))}
    assert texts == {"ada reached Sessions: 10 in all", "ada reached Thorough"}


@pytest.mark.usefixtures("own")
def test_who_does_not_want_others_to_be_told(ada: User, said: list[Any]) -> None:
    set_preference(str(ada.pk), FEED, False)
    study(ada, *["2026-03-11T08:00"] * 10)
    judge(ada, at(NOON))

    feed.number()
    assert timeline.newest(10, Selection(("site.reached",))) == []
    assert awards.unseen(str(ada.pk)) == len(said) > 0


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("muted", "shown"),
    [
        ("notices:first", {"goal:day", "busy", "total", "badge"}),
        ("notices:goal", {"first", "busy", "total", "badge"}),
        ("notices:badge", {"first", "busy", "goal:day", "total"}),
    ],
)
def test_what_is_muted_is_reached_and_not_shown(
    ada: User, said: list[Any], muted: str, shown: set[str]
) -> None:
    set_preference(str(ada.pk), muted, False)
    study(ada, *["2026-03-11T08:00"] * 10)
    judge(ada, at(NOON))

    reached = awards.achievements(str(ada.pk))
    assert {one.kind for one in reached.filter(seen_at=None, read_at=None)} == shown
    # It is reached all the same, and the host hears of it.
    everything = {"first", "busy", "goal:day", "total", "badge"}
    assert {one.kind for one in reached} == everything == {kind for _, kind, _, _ in said}


@pytest.mark.usefixtures("own")
def test_an_event_and_its_achievement_are_one(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: Any, **more: Any) -> None:
        raise RuntimeError("killed")

    study(ada, *["2026-03-11T08:00"] * 3)
    monkeypatch.setattr(awards, "record", fail)
    with pytest.raises(RuntimeError, match="killed"):
        judge(ada, at(NOON))

    assert not awards.achievements(str(ada.pk)).filter(kind="badge")


def test_seen_and_read_on_any_device(ada: User) -> None:
    study(ada, *["2026-03-11T08:00"] * 3)
    new = judge(ada, at(NOON))
    person = str(ada.pk)
    assert (awards.unseen(person), awards.unread(person)) == (2, 2)

    assert awards.mark_seen(person, [new[0].pk]) == 1
    assert awards.mark_seen(person, [new[0].pk]) == 0
    assert (awards.unseen(person), awards.unread(person)) == (1, 2)
    summonses.summoned()
    assert awards.mark_read(person) == 2
    assert Summons.objects.count() == 1
    assert (awards.unseen(person), awards.unread(person)) == (0, 0)
    # Nobody else's.
    assert awards.mark_read("nobody") == 0


def test_progress_has_what_was_reached_by_a_counter(ada: User) -> None:
    study(ada, *["2026-03-11T08:00"] * 10)
    new = judge(ada, at(NOON))

    found = live.progress(ada)["sessions"].achievements
    assert found == new[::-1]
    awards.revoke(found[0])
    assert live.progress(ada)["sessions"].achievements == new[-2::-1]


def test_what_is_revoked_is_not_awarded_again(ada: User) -> None:
    study(ada, "2026-03-11T08:00")
    (one,) = judge(ada, at(NOON))

    awards.revoke(one)

    assert not awards.achievements(str(ada.pk))
    assert judged(ada, NOON) == []


def test_a_receiver_that_fails(ada: User, said: list[Any], caplog: Any) -> None:
    def fail(**given: Any) -> None:
        raise RuntimeError("broken")

    achieved.connect(fail)
    try:
        study(ada, "2026-03-11T08:00")
        assert judged(ada, NOON)
    finally:
        achieved.disconnect(fail)
    assert "a receiver of an achievement failed" in caplog.text


def test_a_goal_that_is_raised_later_takes_nothing_back(ada: User) -> None:
    from livecounters.goals import set_goal

    study(ada, *["2026-03-11T08:00"] * 3)
    assert ("goal:day", 0, "2026-03-11") in judged(ada, NOON)
    set_goal(str(ada.pk), registry.counters.get("sessions"), "day", 9, dt.date(2026, 3, 11))
    assert judged(ada, NOON) == []
    study(ada, *["2026-03-12T08:00"] * 3)
    assert ("goal:day", 0, "2026-03-12") not in judged(ada, "2026-03-12T09:00")
