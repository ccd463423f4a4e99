"""Cursors: the place from which older events follow, as text in an address."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Cursor"]

WRITTEN = re.compile(r"([0-9a-f]{1,32})-(\d{1,18})-(\d{1,18})", re.ASCII)


class Cursor(NamedTuple):
    """Below the number ``before``, as it was when the stream of this epoch had come to ``upto``.

    The browser writes it as well, from what it shows.
    """

    epoch: str
    before: int
    upto: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.before}-{self.upto}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """The cursor in a text, if it is one."""
        match = WRITTEN.fullmatch(text)
        return cls(match[1], int(match[2]), int(match[3])) if match else None
