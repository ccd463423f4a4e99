"""What a host declares to be reached by a rule of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

from django.utils.functional import Promise

__all__ = ["Badge"]


@dataclass(frozen=True, eq=False)
class Badge:
    """Something that a person reaches once and keeps.

    ``label``
        What it is called, translatable.
    ``when``
        Asked with a person's progress (as ``live.progress(user)`` answers it) whenever a number
        of theirs has changed; whether they have reached it. It has to follow from that progress
        alone: it is asked about earlier moments, too, so that what was reached before the badge
        was declared is awarded without a word.
    ``great``
        Whether it is celebrated, and not only told in a line.
    """

    label: str | Promise
    when: Callable[[Any], bool]
    _: KW_ONLY
    icon: str = "star"
    great: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.label, (str, Promise)) or not str(self.label):
            raise TypeError(f"live.Badge({self.label!r}): give what it is called.")
        if not callable(self.when):
            raise TypeError(
                f"live.Badge({str(self.label)!r}, {self.when!r}): give a function of somebody's "
                "progress that says whether they have reached it."
            )
