"""The doctor: what is well, what is not, and the cure."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from livecounters import capture, leases
from livecounters.doctor import Finding, examine
from livecounters.models import Delta, Measured
from livecounters.presence.database import DatabasePresence
from tests.host.models import Sale
from tests.host.rooms import Declared

pytestmark = pytest.mark.django_db

NOW = timezone.now()

urlpatterns: list[Any] = []


def findings(level: str | None = None) -> list[Finding]:
    return [one for one in examine(NOW) if level in (None, one.level)]


def about(what: str) -> Finding:
    (found,) = [one for one in findings() if one.what.startswith(what)]
    return found


@override_settings(LIVECOUNTERS={})
def test_all_is_well() -> None:
    assert findings("problem") == []
    assert about("pump").what == "pump: none now; the ASGI server starts one"
    assert "a message came back" in about("channel layer").what
    assert about("static files").level == "ok"
    assert about("pages poll at /live/snapshot/").level == "ok"


def test_every_problem_has_a_cure() -> None:
    capture.detach("default")

    assert all(one.cure for one in findings() if one.level != "ok")


def test_it_leaves_nothing() -> None:
    Sale.objects.create(price=1)
    before = Delta.objects.count()

    findings()

    assert Delta.objects.count() == before
    assert Sale.objects.count() == 1


def test_triggers_that_are_missing() -> None:
    capture.detach("default", ["host_sale"])

    assert about("triggers on host_sale").level == "problem"
    assert "sync" in about("host.sales host.sales_today").cure
    assert about("triggers on host_attempt").level == "ok"


def test_numbers_that_are_not_ready() -> None:
    Measured.objects.filter(tables__has_key="host_sale").update(ready=False)

    assert "rebuild" in about("host.sales host.sales_today").cure


@pytest.mark.skipif(connection.vendor == "mysql", reason="there is no transaction for definitions")
def test_triggers_through_which_no_write_passes() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {Delta._meta.db_table} RENAME COLUMN total TO sum")
        try:
            found = about("triggers on host_sale")
        finally:
            if connection.vendor != "sqlite":
                cursor.execute(f"ALTER TABLE {Delta._meta.db_table} RENAME COLUMN sum TO total")
    if connection.vendor == "sqlite":
        # SQLite renames the column in the triggers as well.
        assert found.level == "ok"
    else:
        assert found.level == "problem"
        assert "a write of no row fails" in found.what


@override_settings(LIVECOUNTERS={"EMBEDDED_PUMP": False})
def test_the_pump() -> None:
    assert about("pump").level == "problem"

    leases.hold("pump", "one", NOW, 15, "default")

    assert about("pump: at work").level == "ok"


@override_settings(LIVECOUNTERS={"WEEK_STRAT": 1})
def test_the_system_checks() -> None:
    (found,) = findings("problem")

    assert found.what.startswith("livecounters.E020")
    assert found.cure == "Did you mean 'WEEK_START'?"


class Deaf:
    """A layer that loses what is sent."""

    async def new_channel(self) -> str:
        return "channel"

    async def group_add(self, group: str, channel: str) -> None:
        raise ConnectionError("nobody answers")


def test_a_channel_layer_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    layer: Any = Deaf()
    monkeypatch.setattr("livecounters.doctor.get_channel_layer", lambda: layer)
    assert about("channel layer: ConnectionError").level == "problem"

    monkeypatch.setattr("livecounters.doctor.get_channel_layer", lambda: None)
    assert about("channel layer: none").level == "warning"


@override_settings(STATICFILES_FINDERS=[])
def test_static_files_that_nobody_finds() -> None:
    from django.contrib.staticfiles.finders import get_finder

    get_finder.cache_clear()
    assert about("static files: livecounters/livecounters.js").level == "problem"
    get_finder.cache_clear()


@override_settings(ROOT_URLCONF=__name__)
def test_no_addresses() -> None:
    assert about("pages find no address").level == "problem"


@override_settings(ROOT_URLCONF="tests.host.pages")
def test_addresses_where_somebody_else_answers() -> None:
    found = about("pages poll at /live/snapshot/, where ")

    assert found.level == "problem"
    assert "above it" in found.cure
    assert not [one for one in findings() if "W010" in one.what]


@override_settings(ASGI_APPLICATION="tests.nowhere.application")
def test_an_application_that_cannot_be_imported() -> None:
    assert about("socket: tests.nowhere.application cannot be imported").level == "problem"


@override_settings(LIVECOUNTERS={"SOCKET_URL": None})
def test_pages_that_poll() -> None:
    assert about("socket: none").level == "ok"


def test_presence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [one for one in findings() if one.what.startswith("presence")]
    with Declared():
        (found,) = [one for one in findings() if one.what.startswith("presence")]
        assert (found.level, found.what) == (
            "ok",
            "presence: 0 are here on 0 connections (DatabasePresence)",
        )

        def fail(*given: object) -> None:
            raise ConnectionError("away")

        monkeypatch.setattr(DatabasePresence, "counts", fail)
        (found,) = [one for one in findings() if one.what.startswith("presence")]
        assert (found.level, bool(found.cure)) == ("problem", True)


def test_a_site_that_declares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livecounters.doctor._watches", lambda using: [])

    assert about("declarations").level == "warning"
