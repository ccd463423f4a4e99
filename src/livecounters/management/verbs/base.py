"""What every verb of the command has."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.core.management.color import Style
from django.db import connections

from livecounters import capture, feed
from livecounters.conf import options
from livecounters.numbers import counters
from livecounters.readers import Counter
from livecounters.standing import Standing, standings
from livecounters.watches import watches

__all__ = [
    "Bar",
    "Verb",
    "add_database",
    "add_json",
    "chosen",
    "counted",
    "databases",
    "scope_of",
    "site_of",
]


class Verb:
    """One thing that the command can do: ``manage.py livecounters <name>``."""

    name: ClassVar[str]
    help: ClassVar[str]
    english: ClassVar[bool] = True
    """Whether it speaks to operators and programs only, who are spoken to in English."""

    run: Callable[..., None]
    """Do it, given the options. Raises ``CommandError``, for an exit status of 1, if it failed."""

    def __init__(self, command: BaseCommand) -> None:
        self.command = command

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare its options."""
        return

    @property
    def out(self) -> OutputWrapper:
        return self.command.stdout

    @property
    def style(self) -> Style:
        return self.command.style

    def write_json(self, found: Any) -> None:
        self.out.write(json.dumps(found, indent=2, default=str))


def add_database(parser: ArgumentParser) -> None:
    parser.add_argument("--database", help="Only this one (default: all that are watched).")


def add_json(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", dest="as_json", help="As JSON.")


def databases(chosen: str | None, remove: bool = False) -> list[str]:
    """The databases to work on; our tables must be there unless only triggers are removed.

    Where nothing is declared any more, triggers may be left in the database of the events.
    """
    if chosen is not None and chosen not in connections:
        raise CommandError(f"There is no database {chosen!r}; known: {', '.join(connections)}.")
    watched = [using for using in connections if watches(using)] or [feed.database()]
    found = watched if chosen is None else [chosen]
    for using in found:
        if not remove and not capture.ready(using):
            raise CommandError(f"The tables are not there yet: manage.py migrate ({using}).")
    return found


def chosen(names: list[str], database: str | None) -> list[Standing]:
    """The measures of the counters that are named, of all without a name."""
    found = [one for using in databases(database) for one in standings(using)]
    if not names:
        return found
    keys = {counted(name).measure.key for name in names}
    return [one for one in found if one.measure.key in keys]


def counted(name: str) -> Counter:
    """The counter of a name; of a gauge nothing is kept that could be looked into."""
    found = counters[name]
    if not isinstance(found, Counter):
        raise CommandError(f"{found.name} is a gauge: it looks, and keeps no sum.")
    return found


def scope_of(names: list[str], of: str | None) -> list[str] | None:
    """The one scope that is asked for; ``None`` for all."""
    if of is None:
        return None
    if len(names) != 1:
        raise CommandError("--of is a scope of one counter; give its name.")
    try:
        return [counted(names[0]).scope(of)]
    except (TypeError, ValueError, ValidationError) as error:
        raise CommandError(f"--of {of}: {error}") from error


def site_of(given: str | None) -> str:
    """The site's address, for links in letters."""
    site = given or options().SITE_URL
    if not site:
        raise CommandError(
            "Letters need the site's address for their links: give --site https://example.com or "
            "set LIVECOUNTERS['SITE_URL']."
        )
    return site.rstrip("/")


class Bar:
    """How far it has come, on one line of a terminal."""

    def __init__(self, out: OutputWrapper, names: str, shown: bool) -> None:
        self._out, self._names, self._shown = out, names, shown

    def __call__(self, done: int, number: int) -> None:
        if self._shown:
            line = f"\r{self._names}: {done} of {number} buckets"
            self._out.write(line, ending="\n" if done == number else "")
            self._out.flush()
