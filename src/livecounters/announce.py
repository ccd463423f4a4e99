"""What the pump tells every process: which numbers changed, how far the stream has come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["GROUP", "TYPE", "WATCHED", "Announcement", "read_message"]

GROUP = "livecounters"
TYPE = "livecounters.changed"

# Said when somebody begins to watch, so that a resting pump wakes up.
WATCHED = {"type": "livecounters.watched"}

# More scopes than this are announced as "all of the measure".
MAX_SCOPES = 200


@dataclass(frozen=True)
class Announcement:
    """Measures and their changed scopes (None: any of them), and the place of the stream."""

    epoch: str
    seq: int
    numbers: Mapping[str, Iterable[str] | None] = field(default_factory=dict)

    def message(self) -> dict[str, Any]:
        """As a message for the channel layer."""
        return {
            "type": TYPE,
            "epoch": self.epoch,
            "seq": self.seq,
            "numbers": {measure: _few(scopes) for measure, scopes in self.numbers.items()},
        }


def _few(scopes: Iterable[str] | None) -> list[str] | None:
    found = None if scopes is None else sorted(scopes)
    return found if found is not None and len(found) <= MAX_SCOPES else None


def read_message(message: Mapping[str, Any]) -> Announcement | None:
    """The announcement in a message; None for anything else that may come over the layer."""
    numbers = message.get("numbers")
    if message.get("type") != TYPE or not isinstance(numbers, Mapping):
        return None
    epoch, seq = message.get("epoch"), message.get("seq")
    if not isinstance(epoch, str) or not isinstance(seq, int):
        return None
    return Announcement(epoch, seq, numbers)
