"""What every presence store promises; run for each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livecounters.presence.base import Attendee, Came, Changes, Counts, Device, Kind, Store, Who

ADA, BOB = Who(Kind.PERSON, "ada", "b1"), Who(Kind.PERSON, "bob")
EVE = Who(Kind.GUEST, "b1")
GUEST = Who(Kind.GUEST, "b2")
LEASE = 10.0

# An odd key must be as good as any.
ODD = Who(Kind.PERSON, 'ü:"\\ \n', "")


class StoreSuite:
    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    @staticmethod
    def come(store: Store, process: str, now: float, *whos: Who, room: str = "site") -> None:
        came = [Came(room, who, now) for who in whos]
        assert store.beat(process, Changes(came, (), {room: len(whos)}, True), now, LEASE)

    def test_nobody(self, store: Store) -> None:
        assert store.counts(["site", "other"], 0.0) == {"site": Counts(), "other": Counts()}
        assert store.counts([], 0.0) == {}
        assert store.roster("site", 0.0, 0, 10) == []
        assert store.people("site", 0.0) == set()
        assert store.people("site", 0.0, []) == set()
        assert store.processes(0.0) == set()

    def test_people_guests_and_connections(self, store: Store) -> None:
        changes = Changes(
            [Came("site", ADA, 0.0), Came("site", GUEST, 0.0), Came("site", ODD, 0.0)],
            (),
            {"site": 5},
            True,
        )
        assert store.beat("p", changes, 0.0, LEASE)

        assert store.counts(["site", "class"], 1.0) == {"site": Counts(2, 1, 5), "class": Counts()}
        assert store.people("site", 1.0) == {"ada", ODD.key}
        assert store.people("site", 1.0, ["ada", "bob", "b2"]) == {"ada"}

    def test_somebody_of_two_processes_is_one(self, store: Store) -> None:
        self.come(store, "p", 0.0, ADA, GUEST)
        self.come(store, "q", 0.0, ADA, GUEST)
        assert store.counts(["site"], 1.0)["site"] == Counts(1, 1, 4)

        left = [("site", ADA), ("site", GUEST)]
        store.beat("p", Changes((), left, {"site": 0}), 1.0, LEASE)
        assert store.counts(["site"], 1.0)["site"] == Counts(1, 1, 2)

        store.beat("q", Changes((), left, {"site": 0}), 1.0, LEASE)
        assert store.counts(["site"], 1.0)["site"] == Counts()

    def test_who_signs_in_is_no_guest_any_more(self, store: Store) -> None:
        self.come(store, "p", 0.0, EVE)
        assert store.counts(["site"], 1.0)["site"] == Counts(0, 1, 1)

        # On another process, while the page of the guest is still open on this one.
        self.come(store, "q", 1.0, ADA)
        assert store.counts(["site"], 1.0)["site"] == Counts(1, 0, 2)

        # And back: at no moment is it nobody, or two.
        store.beat("q", Changes((), [("site", ADA)], {"site": 0}), 2.0, LEASE)
        assert store.counts(["site"], 2.0)["site"] == Counts(0, 1, 1)

    def test_a_guest_who_comes_after_the_person_is_the_person(self, store: Store) -> None:
        self.come(store, "q", 0.0, ADA)
        self.come(store, "p", 0.0, EVE)
        assert store.counts(["site"], 1.0)["site"] == Counts(1, 0, 2)

        store.beat("p", Changes((), [("site", EVE)], {"site": 0}), 1.0, LEASE)
        store.beat("q", Changes((), [("site", ADA)], {"site": 0}), 1.0, LEASE)
        assert store.counts(["site"], 1.0)["site"] == Counts()

    def test_a_process_that_is_silent_is_forgotten(self, store: Store) -> None:
        self.come(store, "p", 0.0, ADA, EVE)
        self.come(store, "q", 0.0, BOB)
        assert store.processes(1.0) == {"p", "q"}
        assert store.beat("q", Changes(), 8.0, LEASE)

        assert store.counts(["site"], 9.9)["site"] == Counts(2, 0, 3)
        assert store.counts(["site"], 10.1)["site"] == Counts(1, 0, 1)
        assert store.people("site", 10.1) == {"bob"}
        assert store.roster("site", 10.1, 0, 9) == [Attendee("bob", 0.0, False)]
        assert store.processes(10.1) == {"q"}

    def test_a_process_that_was_forgotten_tells_everything(self, store: Store) -> None:
        self.come(store, "p", 0.0, ADA)

        assert not store.beat("p", Changes([Came("site", BOB, 11.0)], (), {"site": 2}), 11.0, LEASE)
        assert store.counts(["site"], 11.0)["site"] == Counts()

        self.come(store, "p", 11.0, ADA, BOB)
        assert store.counts(["site"], 12.0)["site"] == Counts(2, 0, 2)

    def test_a_process_that_was_never_heard_of_tells_everything(self, store: Store) -> None:
        assert not store.beat("p", Changes(), 0.0, LEASE)

    def test_to_tell_everything_again_changes_nothing(self, store: Store) -> None:
        for now in (0.0, 1.0, 2.0):
            self.come(store, "p", now, ADA, EVE, GUEST)
        assert store.counts(["site"], 3.0)["site"] == Counts(1, 1, 3)

        store.withdraw("p")
        assert store.counts(["site"], 3.0)["site"] == Counts()
        assert store.processes(3.0) == set()

    def test_who_leaves_and_comes_at_once_is_there(self, store: Store) -> None:
        self.come(store, "p", 0.0, ADA)
        changes = Changes([Came("site", ADA, 1.0)], [("site", ADA)])
        assert store.beat("p", changes, 1.0, LEASE)

        assert store.counts(["site"], 1.0)["site"] == Counts(1, 0, 1)

    def test_rooms_are_apart(self, store: Store) -> None:
        came = [Came("site", ADA, 0.0), Came("quiz:1", ADA, 0.0), Came("quiz:10", BOB, 0.0)]
        store.beat("p", Changes(came, (), {"site": 1, "quiz:1": 1}, True), 0.0, LEASE)
        store.beat("p", Changes((), [("quiz:1", ADA)], {"quiz:1": 0}), 1.0, LEASE)

        found = store.counts(["site", "quiz:1", "quiz:10"], 1.0)
        assert found == {"site": Counts(1, 0, 1), "quiz:1": Counts(), "quiz:10": Counts(1, 0, 0)}

    def test_a_roster_is_in_the_order_of_coming(self, store: Store) -> None:
        whos = [Who(Kind.PERSON, f"u{n}") for n in range(5)]
        came = [Came("site", who, float(n), n == 3) for n, who in enumerate(whos)]
        store.beat(
            "p", Changes([*reversed(came), Came("site", GUEST, 0.0)], whole=True), 5.0, LEASE
        )

        assert [one.key for one in store.roster("site", 5.0, 0, 9)] == [w.key for w in whos]
        assert [one.key for one in store.roster("site", 5.0, 2, 2)] == ["u2", "u3"]
        assert [one.away for one in store.roster("site", 5.0, 2, 2)] == [False, True]
        assert store.roster("site", 5.0, 9, 9) == []

    def test_away_is_who_is_away_everywhere(self, store: Store) -> None:
        def away() -> bool:
            return store.roster("site", 1.0, 0, 1)[0].away

        store.beat("p", Changes([Came("site", ADA, 0.0, True)], whole=True), 0.0, LEASE)
        assert away()
        store.beat("q", Changes([Came("site", ADA, 0.0, False)], whole=True), 0.0, LEASE)
        assert not away()
        store.beat("q", Changes([Came("site", ADA, 0.0, True)]), 0.5, LEASE)
        assert away()
        store.beat("p", Changes([Came("site", ADA, 0.0, False)]), 0.5, LEASE)
        assert not away()
        store.beat("p", Changes((), [("site", ADA)]), 0.5, LEASE)
        assert away()
        assert store.counts(["site"], 1.0)["site"].people == 1

    def test_somebody_is_forgotten_everywhere(self, store: Store) -> None:
        self.come(store, "p", 0.0, ADA, BOB)
        self.come(store, "q", 0.0, ADA)

        store.forget(ADA)

        assert store.people("site", 1.0) == {"bob"}

    def test_devices(self, store: Store) -> None:
        laptop = Device("b1", "Firefox/Linux", 1.0, 2, False, ("class", "site"))
        phone = Device("b2", "Safari/iOS", 0.5, 1, True, ("site",))
        both = {ADA.key: (laptop, phone), ODD.key: (laptop,)}
        assert store.devices(ADA.key, 0.0) == []
        assert store.beat("p", Changes((), (), {}, True, both), 0.0, LEASE)

        assert store.devices(ADA.key, 1.0) == [phone, laptop]
        assert store.devices(ODD.key, 1.0) == [laptop]
        assert store.devices(BOB.key, 1.0) == []

        # Of the people who are not named nothing has changed.
        assert store.beat("p", Changes(devices={ADA.key: (laptop,)}), 1.0, LEASE)
        assert store.devices(ADA.key, 1.0) == [laptop]
        assert store.beat("p", Changes(devices={ADA.key: ()}), 1.0, LEASE)
        assert store.devices(ADA.key, 1.0) == []
        assert store.devices(ODD.key, 1.0) == [laptop]

        # Whoever is told of whole has no others.
        assert store.beat("p", Changes(whole=True), 1.0, LEASE)
        assert store.devices(ODD.key, 1.0) == []

    def test_a_device_of_two_processes_is_one(self, store: Store) -> None:
        one = Device("b1", "Firefox/Linux", 5.0, 1, True, ("site",))
        other = Device("b1", "Firefox/Linux", 3.0, 2, False, ("class",))
        store.beat("p", Changes((), (), {}, True, {ADA.key: (one,)}), 5.0, LEASE)
        store.beat("q", Changes((), (), {}, True, {ADA.key: (other,)}), 8.0, LEASE)

        together = Device("b1", "Firefox/Linux", 3.0, 3, False, ("class", "site"))
        assert store.devices(ADA.key, 9.0) == [together]
        # And it ends with the lease of whoever has told of it.
        assert store.devices(ADA.key, 15.5) == [other]
        store.forget(ADA)
        assert store.devices(ADA.key, 9.0) == []

    def test_devices_of_many(self, store: Store) -> None:
        one = Device("b1", "Firefox/Linux", 5.0, 1, True, ("site",))
        people = {f"u{n}": (one,) for n in range(2600)}
        assert store.beat("p", Changes((), (), {}, True, people), 0.0, LEASE)
        assert store.devices("u2599", 0.0) == [one]

        store.withdraw("p")
        assert store.devices("u2599", 0.0) == []

    def test_many_at_once(self, store: Store) -> None:
        whos = [Who(Kind.PERSON, f"u{n}", f"b{n}") for n in range(2600)]
        whos += [Who(Kind.GUEST, f"b{n}") for n in range(2500, 5100)]
        self.come(store, "p", 0.0, *whos)
        assert store.counts(["site"], 1.0)["site"] == Counts(2600, 2500, 5200)

        left = [("site", who) for who in whos[:2550]]
        assert store.beat("p", Changes((), left, {"site": 1}), 1.0, LEASE)
        assert store.counts(["site"], 1.0)["site"] == Counts(50, 2550, 1)
        assert store.counts(["site"], 99.0)["site"] == Counts()

    def random(self, fresh: Callable[[], Store]) -> None:
        """Whatever processes tell, die and come back: the counts are those of a simple model."""
        whos = [ADA, BOB, EVE, GUEST]
        step = st.tuples(
            st.sampled_from(["came", "left", "whole", "die", "withdraw", "wait"]),
            st.sampled_from(["p", "q"]),
            st.integers(0, 3),
            st.sampled_from(["site", "class"]),
        )

        @given(st.lists(step, max_size=40))
        @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
        def run(steps: list[Any]) -> None:
            store, now = fresh(), 0.0
            told: dict[str, set[tuple[str, Who]]] = {}
            until: dict[str, float] = {}
            for what, process, number, room in steps:
                who = whos[number]
                now += 1
                alive = until.get(process, -1.0) > now
                if what in ("came", "left"):
                    came = [Came(room, who, now)] if what == "came" else []
                    left = [(room, who)] if what == "left" else []
                    answer = store.beat(process, Changes(came, left), now, LEASE)
                    assert answer == alive
                    if alive:
                        until[process] = now + LEASE
                        told[process] = (told[process] - set(left)) | {
                            (one.room, who) for one in came
                        }
                elif what == "whole":
                    assert store.beat(
                        process, Changes([Came(room, who, now)], whole=True), now, LEASE
                    )
                    told[process], until[process] = {(room, who)}, now + LEASE
                elif what == "withdraw":
                    store.withdraw(process)
                    told.pop(process, None)
                    until.pop(process, None)
                elif what == "die":
                    now += LEASE / 2
                self.check(store, told, until, now)

        run()

    @staticmethod
    def check(
        store: Store,
        told: dict[str, set[tuple[str, Who]]],
        until: dict[str, float],
        now: float,
    ) -> None:
        here = {key for process, some in told.items() if until[process] > now for key in some}
        for room in ("site", "class"):
            people = {who for where, who in here if where == room and who.is_person}
            # A person keeps the browser that they came with.
            claimed = {"b1"} if ADA in people else set()
            guests = {
                who
                for where, who in here
                if where == room and not who.is_person and who.key not in claimed
            }
            assert store.counts([room], now)[room][:2] == (len(people), len(guests))
            assert store.people(room, now) == {who.key for who in people}
