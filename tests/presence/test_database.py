"""The presence store in the database."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from livecounters.models import Attendance, Devices, Presence, Process
from livecounters.presence.base import Came, Changes, Device, Kind, Store, Who
from livecounters.presence.database import FORGOTTEN, DatabasePresence
from tests.presence.suite import ADA, LEASE, StoreSuite


@pytest.mark.django_db
class TestDatabase(StoreSuite):
    @pytest.fixture
    def store(self, db: None) -> Store:
        return DatabasePresence()

    def test_random(self, db: None) -> None:
        def fresh() -> Store:
            for model in (Presence, Attendance, Process):
                model.objects.all().delete()
            return DatabasePresence()

        self.random(fresh)

    def test_a_heartbeat_is_one_write_however_many_are_here(self, store: Store) -> None:
        self.come(store, "p", 0.0, *(Who(Kind.PERSON, str(n)) for n in range(1000)))
        with CaptureQueriesContext(connections["default"]) as queries:
            store.beat("p", Changes(), 1.0, LEASE)

        writes = [q["sql"] for q in queries if q["sql"].lstrip().upper().startswith("UPDATE")]
        assert len(writes) == 1

    def test_the_dead_are_tidied_away(self, store: Store) -> None:
        self.come(store, "p", 0.0, ADA)
        one = {ADA.key: (Device("b1", "Firefox/Linux", 0.0, 1),)}
        store.beat("p", Changes(devices=one), 0.0, LEASE)
        self.come(store, "q", LEASE + FORGOTTEN + 1, ADA)

        assert not Devices.objects.exists()
        assert set(Presence.objects.values_list("process", flat=True)) == {"q"}
        assert set(Process.objects.values_list("name", flat=True)) == {"q"}

    def test_a_beat_that_fails_has_told_nothing(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.come(store, "p", 0.0, ADA)

        def fail(*args: object) -> None:
            raise RuntimeError

        monkeypatch.setattr(DatabasePresence, "_number", fail)
        with pytest.raises(RuntimeError):
            store.beat("p", Changes([Came("class", ADA, 1.0)], [("site", ADA)]), 1.0, LEASE)

        assert store.counts(["site"], 1.0)["site"].people == 1
        assert store.counts(["class"], 1.0)["class"].people == 0
