"""Who is who, and what changes concern."""

from __future__ import annotations

from livecounters.presence.base import Came, Changes, Counts, Kind, Who


def test_somebody_is_the_same_from_another_browser() -> None:
    assert Who(Kind.PERSON, "1", "a") == Who(Kind.PERSON, "1", "b")
    assert Who(Kind.PERSON, "1") != Who(Kind.GUEST, "1")
    assert Who(Kind.PERSON, "1").is_person
    assert not Who(Kind.GUEST, "1").is_person


def test_people_and_guests_are_online() -> None:
    assert Counts(2, 3, 9).online == 5


def test_the_rooms_of_changes() -> None:
    who = Who(Kind.PERSON, "1")

    assert Changes([Came("a", who, 0.0)], [("b", who)], {"c": 1}).rooms == {"a", "b", "c"}
