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
    help = "Remove buckets, events and samples that need not be kept (the setting RETENTION)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_database(parser)

    def run(self, *, database: str | None = None, **given: Any) -> None:
        chosen = [*databases(database), *(retention.databases() if database is None else [])]
        for using in dict.fromkeys(chosen):
            removed = retention.prune(using, timezone.now())
            said = ", ".join(
                f"{removed[what]} {name}"
                for what, name in (
                    ("bucket", "buckets"),
                    ("member", "members"),
                    ("event", "events"),
                    ("sample", "samples"),
                    ("score", "scores"),
                )
            )
            self.out.write(f"{using}: removed {said}")
