"""Database work in threads of ours: connections are kept, until they do not work any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, connections

from livecounters import worker
from livecounters.worker import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as found:
        yield found
        found.submit(connections.close_all).result()


def ask() -> Any:
    """Asks something; answers on which connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return connection.connection


def test_a_connection_is_kept(thread: ThreadPoolExecutor) -> None:
    first = thread.submit(work, ask).result()

    assert thread.submit(work, ask).result() is first


def test_one_that_nobody_used_is_not_trusted(
    thread: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = thread.submit(work, ask).result()
    monkeypatch.setattr(worker, "UNUSED", -1.0)

    assert thread.submit(work, ask).result() is not first


def test_after_an_error_it_is_a_new_one(thread: ThreadPoolExecutor) -> None:
    def fail() -> None:
        ask()
        raise ValueError("no")

    first = thread.submit(work, ask).result()
    with pytest.raises(ValueError, match="no"):
        thread.submit(work, fail).result()

    assert thread.submit(work, ask).result() is not first


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite closes nothing by itself")
def test_one_that_was_closed_meanwhile_costs_nobody_anything(thread: ThreadPoolExecutor) -> None:
    def cut() -> None:
        connection.connection.close()

    first = thread.submit(work, ask).result()
    thread.submit(cut).result()

    assert thread.submit(work, ask).result() is not first


def test_a_database_that_is_away_is_an_error(thread: ThreadPoolExecutor) -> None:
    asked = []

    def fail() -> None:
        asked.append(threading.get_ident())
        raise OperationalError("away")

    thread.submit(work, ask).result()
    with pytest.raises(OperationalError):
        thread.submit(work, fail).result()

    # The connection was good.
    assert len(asked) == 1
