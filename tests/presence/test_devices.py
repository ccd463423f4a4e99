"""The book of devices: which browsers people are here with."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from livecounters.presence.attendance import Attendance
from livecounters.presence.base import Device, Kind, Who

ADA, PHONE = Who(Kind.PERSON, "ada", "b1"), Who(Kind.PERSON, "ada", "b2")
GUEST = Who(Kind.GUEST, "b1")
FIREFOX, SAFARI = "Firefox/Linux", "Safari/iOS"


def sit(book: Attendance, seat: str, who: Who, agent: str, now: float, room: str = "site") -> None:
    book.enter(seat, room, now)
    book.identify(seat, who, now, agent)


def tell(book: Attendance, now: float, whole: bool = False) -> dict[str, tuple[Device, ...]]:
    changes = book.changes(now, whole)
    book.told(changes)
    return dict(changes.devices)


def test_a_browser_with_two_tabs_is_one_device() -> None:
    book = Attendance()
    sit(book, "one", ADA, FIREFOX, 1.0)
    sit(book, "two", ADA, FIREFOX, 2.0)
    book.describe("two", 3, True)

    one = Device("b1", FIREFOX, 1.0, 4, False, ("site",))
    assert tell(book, 2.0) == {"ada": (one,)}

    book.describe("one", None, True)
    book.enter("one", "class", 3.0)
    assert tell(book, 3.0) == {"ada": (one._replace(away=True, rooms=("class", "site")),)}
    assert not book.due(9.0)


def test_another_browser_is_another_device() -> None:
    book = Attendance()
    sit(book, "one", ADA, FIREFOX, 1.0)
    sit(book, "two", PHONE, SAFARI, 2.0)

    laptop = Device("b1", FIREFOX, 1.0, 1, False, ("site",))
    phone = Device("b2", SAFARI, 2.0, 1, False, ("site",))
    assert tell(book, 2.0) == {"ada": (laptop, phone)}

    book.drop("one", 3.0, 3.0)
    assert not tell(book, 5.9)
    assert book.next_due() == 6.0
    assert tell(book, 6.0) == {"ada": (phone,)}

    book.drop("two", 7.0, 3.0)
    assert tell(book, 10.0) == {"ada": ()}
    assert not book.due(99.0)


def test_the_next_page_of_a_browser_is_no_news() -> None:
    book = Attendance()
    sit(book, "one", ADA, FIREFOX, 1.0)
    tell(book, 1.0)

    book.drop("one", 2.0, 3.0)
    sit(book, "two", ADA, FIREFOX, 3.0)

    assert not book.due(99.0)
    assert book.next_due() is None


def test_guests_have_no_devices() -> None:
    book = Attendance()
    sit(book, "one", GUEST, FIREFOX, 1.0)

    assert tell(book, 1.0, whole=True) == {}


def test_what_a_new_store_does_not_know_is_told_whole() -> None:
    book = Attendance()
    sit(book, "one", ADA, FIREFOX, 1.0)
    known = tell(book, 1.0)

    assert tell(book, 2.0) == {}
    assert tell(book, 3.0, whole=True) == known
    assert not book.due(99.0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sit", "drop", "enter", "leave", "describe", "tell", "whole", "lost"]),
            st.integers(0, 3),
        ),
        max_size=40,
    )
)
@settings(max_examples=150)
def test_a_store_that_takes_in_what_is_told_knows_what_is(steps: list[Any]) -> None:
    book, now = Attendance(), 0.0
    kept: dict[str, tuple[Device, ...]] = {}
    whos = [(ADA, FIREFOX), (ADA, FIREFOX), (PHONE, SAFARI), (Who(Kind.PERSON, "bob"), SAFARI)]

    def take_in(whole: bool) -> None:
        nonlocal kept
        changes = book.changes(now, whole)
        kept = dict(changes.devices) if whole else kept | dict(changes.devices)
        kept = {person: some for person, some in kept.items() if some}
        book.told(changes)

    for what, seat in steps:
        now += 1
        if what == "sit":
            sit(book, str(seat), *whos[seat], now)
        elif what == "drop":
            book.drop(str(seat), now, 2.0)
        elif what == "enter":
            book.enter(str(seat), "class", now)
        elif what == "leave":
            book.leave(str(seat), "class", now, 2.0)
        elif what == "describe":
            book.describe(str(seat), seat + 1, bool(seat % 2))
        elif what == "lost":
            # What was said did not arrive, so it is said again.
            book.changes(now)
        else:
            take_in(what == "whole")
    now += 9
    take_in(whole=False)

    assert kept == dict(book.changes(now, whole=True).devices)
    assert not book.due(now)
