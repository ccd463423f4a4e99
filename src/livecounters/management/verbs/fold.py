"""``livecounters fold``"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from livecounters import feed, folding
from livecounters.management.verbs.base import Verb, add_database, databases
from livecounters.settling import settle

__all__ = ["Fold"]


class Fold(Verb):
    name = "fold"
    help = "Fold what is pending, settle what was changed at once, number new events."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_database(parser)

    def run(self, *, database: str | None = None, **given: Any) -> None:
        for using in databases(database):
            pending = folding.pending(using)
            folding.fold(using)
            settle(using)
            self.out.write(f"{using}: {pending - folding.pending(using)} deltas folded")
        self.out.write(f"newest event {feed.number().seq}")
