"""``livecounters prune``"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from livecounters import retention
from livecounters.management.verbs.base import Verb, add_database, databases

__all__ = ["Prune"]


class Prune(Verb):
    name = "prune"
    help = "Remove small buckets and events that need not be kept (the setting RETENTION)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_database(parser)

    def run(self, *, database: str | None = None, **given: Any) -> None:
        for using in databases(database):
            removed = retention.prune(using, timezone.now())
            said = ", ".join(
                f"{removed[what]} {name}"
                for what, name in (
                    ("bucket", "buckets"),
                    ("member", "members"),
                    ("event", "events"),
                )
            )
            self.out.write(f"{using}: removed {said}")
