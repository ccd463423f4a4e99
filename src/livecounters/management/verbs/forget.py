"""``livecounters forget``"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from livecounters.forgetting import Forgotten, Person, about, forget
from livecounters.management.verbs.base import Verb

__all__ = ["Forget"]


class Forget(Verb):
    name = "forget"
    help = "Forget a person, for good; all totals stay as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="The user's name or key; the key of one who is deleted.")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--dry-run", action="store_true", help="Only say what would be done.")
        how.add_argument("--export", action="store_true", help="Only write what is kept, as JSON.")

    def run(self, *, user: str, dry_run: bool, export: bool, **given: Any) -> None:
        try:
            person = Person.named(user)
        except LookupError as error:
            raise CommandError(str(error)) from error
        if export:
            self.write_json(about(person))
            return
        for line in _told(person, forget(person, dry_run)):
            self.out.write(line)
        self.out.write("This was a dry run; nothing is changed." if dry_run else "Forgotten.")


def _told(person: Person, done: Forgotten) -> list[str]:
    who = f"{person.model._meta.label} {person.key}"
    lines = [f"{who} acted in {done.acted} events and was the target of {done.targeted}"]
    for what, names in (
        ("a token takes the place in", done.counters),
        ("cleared from the events' data", done.cleared),
        ("counted, and so kept in the events' data", done.counted),
        ("numbers that go when the site's own rows go", done.following),
    ):
        if names:
            lines.append(f"{what}: {', '.join(names)}")
    return lines
