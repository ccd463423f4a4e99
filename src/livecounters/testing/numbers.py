"""Counters in tests: what they should be, and whether all is right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db import connections
from django.test.testcases import DatabaseOperationForbidden  # type: ignore[attr-defined]
from django.utils.translation import override

from livecounters import audit, capture, feed, folding, installation
from livecounters.account import Account, account_of
from livecounters.measures import Measure, counted_databases, declared_measures
from livecounters.models import Measured
from livecounters.numbers import counters
from livecounters.readers import Number
from livecounters.settling import settle
from livecounters.watches import names_of, watches
from livecounters.windows import Window

__all__ = ["assert_counter", "fold", "install", "verify"]


def assert_counter(
    name: str,
    expected: Number,
    *,
    of: Any = None,
    window: Window | None = None,
    at: dt.datetime | None = None,
) -> None:
    """Fail unless the counter has this number; the message accounts for the one it has."""
    counter = counters[name]
    value = counter.value(of=of, window=window, at=at)
    if value != expected:
        with override("en"):
            account = account_of(counter, of, at, window)
            of_what = f" of {account.scope!r}" if account.scope else ""
            said = f"{counter.name}{of_what} is {value!r}, not {expected!r}."
            raise AssertionError("\n  ".join([said, *_lines(account)]))


def _lines(account: Account) -> Iterator[str]:
    start, end = account.window
    if start is not None and end is not None:
        yield f"window: from {start.isoformat()} until {end.isoformat()}"
    for part in account.parts:
        yield f"{part.what}: {part.amount!r}, from {part.rows} rows"
    standing = account.standing
    yield f"counted from {standing.table}: {account.counted!r}"
    yield f"triggers on {standing.table}: {standing.triggers}"
    if account.value == account.counted:
        yield "So it is as declared: look at filter= and at=, and at the rows of the test."
    else:
        yield f"What is kept is wrong ({account.verdict})."


def verify(using: str | None = None) -> None:
    """Fail unless all triggers are in place, every number that is kept equals its source, and
    leaderboards are in the order of their numbers."""
    wrong = []
    for alias in _databases(using):
        wrong += [
            f"the triggers on {table} are {state}; livecounters.testing.install() installs them"
            for table, state in capture.states(alias)
            if state != "installed"
        ]
        # Any other is counted from its source.
        ready = set(
            Measured.objects.using(alias).filter(ready=True).values_list("measure", flat=True)
        )
        for measure in declared_measures():
            if measure.using == alias and measure.key in ready:
                wrong += _drift(measure)
    if wrong:
        raise AssertionError("\n  ".join(["Not everything is as it should be:", *wrong]))


def _drift(measure: Measure) -> Iterator[str]:
    found, names = audit.verify(measure), ", ".join(names_of(measure.key))
    if found.wrong:
        drift = "; ".join(str(one.as_json()) for one in found.some[:3])
        yield f"{names}: {found.wrong} buckets are wrong, such as {drift}"
    if found.scores:
        yield (
            f"{names}: {found.scores} scores of leaderboards are wrong;"
            " manage.py livecounters rebuild makes them anew"
        )


# The state of the database


def fold(using: str | None = None) -> None:
    """Do what the pump does: fold what is pending, and number new events so that feeds show them.

    No number changes by it; a test of a counter needs it never.
    """
    for alias in _databases(using):
        folding.fold(alias, wait=True)
        settle(alias)
        if alias == feed.database():
            feed.number(alias)


def install(using: str | None = None) -> None:
    """Put the triggers in place, for tables that the tests make themselves.

    On MariaDB and MySQL this commits, so there it belongs where the table is made.
    """
    for alias in _databases(using):
        failed = installation.sync(alias).failed
        if failed:
            raise AssertionError("No triggers could be installed on " + "; ".join(failed))


def _databases(using: str | None) -> list[str]:
    if using is not None:
        return [using]
    known = dict.fromkeys([*counted_databases(), feed.database()])
    return [alias for alias in known if _allowed(alias) and watches(alias)]


def _allowed(alias: str) -> bool:
    """Whether this test has declared the database (``databases = {...}``)."""
    try:
        connections[alias].cursor().close()
    except DatabaseOperationForbidden:
        return False
    return True
