"""The book of one process: who is in which room, and when somebody is gone."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from livecounters.presence.attendance import Attendance
from livecounters.presence.base import Kind, Who

ADA = Who(Kind.PERSON, "ada", "browser")
GUEST = Who(Kind.GUEST, "browser")


def tell(book: Attendance, now: float) -> tuple[set[Any], set[Any], dict[str, int]]:
    changes = book.changes(now)
    book.told(changes)
    came = {(one.room, one.who.key, one.away) for one in changes.came}
    return came, {(room, who.key) for room, who in changes.left}, dict(changes.connections)


def test_two_tabs_are_one_person_and_two_connections() -> None:
    book = Attendance()
    for seat in ("one", "two"):
        book.enter(seat, "site", 0.0)
        book.identify(seat, ADA, 0.0)

    assert tell(book, 0.0) == ({("site", "ada", False)}, set(), {"site": 2})

    book.drop("one", 1.0, 3.0)
    assert tell(book, 9.0) == (set(), set(), {"site": 1})

    book.drop("two", 10.0, 3.0)
    assert tell(book, 10.0) == (set(), set(), {"site": 0})
    assert book.next_due() == 13.0
    assert not book.due(12.9)
    assert tell(book, 13.0) == (set(), {("site", "ada")}, {})
    assert not book.due(99.0)


def test_a_page_that_is_reloaded_is_not_gone() -> None:
    book = Attendance()
    book.identify("one", ADA, 0.0)
    book.enter("one", "site", 0.0)
    tell(book, 0.0)

    book.drop("one", 1.0, 3.0)
    book.enter("two", "site", 2.0)
    book.identify("two", ADA, 2.0)

    assert not book.due(99.0)
    assert book.next_due() is None


def test_who_leaves_before_it_was_told_was_never_there() -> None:
    book = Attendance()
    book.enter("one", "site", 0.0)
    book.identify("one", ADA, 0.0)
    book.drop("one", 0.1, 0.0)

    assert not book.due(1.0)


def test_who_comes_back_before_it_was_told_that_they_left() -> None:
    book = Attendance()
    book.enter("one", "site", 0.0)
    book.identify("one", ADA, 0.0)
    tell(book, 0.0)
    book.drop("one", 1.0, 0.0)
    assert book.due(1.0)
    book.enter("two", "site", 1.0)
    book.identify("two", ADA, 1.0)

    came, left, connections = tell(book, 1.0)

    # Whoever takes this in lets them go first.
    assert (came, left, connections) == ({("site", "ada", False)}, {("site", "ada")}, {})


def test_away_is_who_looks_at_no_page() -> None:
    book = Attendance()
    for seat in ("one", "two"):
        book.enter(seat, "site", 0.0)
        book.identify(seat, ADA, 0.0)
    tell(book, 0.0)

    book.describe("one", None, True)
    assert not book.due(1.0)
    book.describe("two", None, True)
    assert tell(book, 1.0)[0] == {("site", "ada", True)}
    book.describe("one", None, False)
    assert tell(book, 2.0)[0] == {("site", "ada", False)}


def test_pages_that_share_a_socket_are_connections() -> None:
    book = Attendance()
    book.enter("one", "site", 0.0)
    book.describe("one", 3, None)
    assert tell(book, 0.0)[2] == {"site": 3}

    book.describe("one", 10**9, None)
    assert tell(book, 0.0)[2] == {"site": 50}


def test_who_it_is_is_said_once() -> None:
    book = Attendance()
    book.enter("one", "site", 0.0)
    book.identify("one", GUEST, 0.0)
    book.identify("one", ADA, 0.0)

    assert tell(book, 0.0)[0] == {("site", "browser", False)}


def test_what_the_store_did_not_take_in_is_told_again() -> None:
    book = Attendance()
    book.enter("one", "site", 0.0)
    book.identify("one", ADA, 0.0)
    book.changes(0.0)

    assert tell(book, 1.0) == ({("site", "ada", False)}, set(), {"site": 1})
    whole = book.changes(2.0, whole=True)
    assert whole.whole
    assert [one.who for one in whole.came] == [ADA]
    assert whole.connections == {"site": 1}


STEPS = st.tuples(
    st.sampled_from(["enter", "leave", "drop", "tabs", "tell", "lose", "wait"]),
    st.integers(0, 4),
    st.sampled_from(["site", "class"]),
    st.integers(1, 3),
)
WHO = [ADA, GUEST, ADA, Who(Kind.PERSON, "bob"), None]


@given(st.lists(STEPS, max_size=60))
@settings(max_examples=200)
def test_what_was_told_adds_up_to_what_is(steps: list[tuple[str, int, str, int]]) -> None:
    """A store that applies what it is told knows exactly who is there, whatever happened and
    however often telling failed."""
    book, now = Attendance(), 0.0
    seats: dict[int, set[str]] = {}
    tabs: dict[int, int] = {}
    members: set[tuple[str, Who]] = set()
    rooms: dict[str, int] = {}
    for what, seat, room, number in steps:
        now += 1
        if what == "enter":
            if seat not in seats:
                seats[seat], tabs[seat] = set(), 1
            book.enter(seat, room, now)
            seats[seat].add(room)
            who = WHO[seat]
            if who is not None:
                book.identify(seat, who, now)
        elif what == "leave":
            book.leave(seat, room, now, 2.0)
            seats.get(seat, set()).discard(room)
        elif what == "drop":
            book.drop(seat, now, 2.0)
            seats.pop(seat, None)
        elif what == "tabs" and seat in seats:
            book.describe(seat, number, None)
            tabs[seat] = number
        elif what == "lose":
            book.changes(now)
        elif what == "tell":
            changes = book.changes(now)
            members -= set(changes.left)
            members |= {(one.room, one.who) for one in changes.came}
            rooms |= changes.connections
            book.told(changes)
    now += 10
    changes = book.changes(now)
    members -= set(changes.left)
    members |= {(one.room, one.who) for one in changes.came}
    rooms |= changes.connections
    book.told(changes)

    expected = {
        (room, who) for seat, inside in seats.items() for room in inside if (who := WHO[seat])
    }
    connections: Counter[str] = Counter()
    for seat, inside in seats.items():
        for room in inside:
            connections[room] += tabs[seat]
    assert members == expected
    assert {room: n for room, n in rooms.items() if n} == dict(connections)
    assert not book.due(now)
    assert set(book.present("site")) == {who for room, who in expected if room == "site"}
