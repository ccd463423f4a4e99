"""Summonses: people whose progress is to be judged and shown anew though no number has changed.

A goal that somebody sets, or an achievement that was opened on one device, is news for the person's
other pages. Whoever changed it leaves a row in the same transaction; the pump takes it.
"""

from __future__ import annotations

from livecounters.feed import database
from livecounters.models import Summons

__all__ = ["summon", "summoned"]

# Rows that are taken at once.
PORTION = 1_000


def summon(person: str) -> None:
    """Have a person judged, and all their pages told, soon."""
    Summons.objects.using(database()).create(person=person)


def summoned() -> list[str]:
    """Take who is summoned; each once."""
    waiting = Summons.objects.using(database())
    rows = dict(waiting.order_by("pk").values_list("pk", "person")[:PORTION])
    if rows:
        # By their keys: who is summoned meanwhile stays.
        waiting.filter(pk__in=rows).delete()
    return list(dict.fromkeys(rows.values()))
