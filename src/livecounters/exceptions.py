"""Everything livecounters raises.

LiveCountersError
├── AlreadyDeclared (ValueError)      two declarations claim one name
├── UnknownName (LookupError)         no counter or activity of that name
├── AmbiguousName (LookupError)       a short name that two apps declare
├── Unmeasurable (ValueError)         a declaration that no trigger can keep
├── TopicRefused (PermissionError)    a topic this viewer may not have
├── Unrecordable (ValueError)         something given to live.emit() that is not declared
├── Busy (RuntimeError)               somebody else is doing that just now
└── MalformedFrame (ValueError)       a frame that is not of the wire's form
"""

from __future__ import annotations

__all__ = [
    "AlreadyDeclared",
    "AmbiguousName",
    "Busy",
    "LiveCountersError",
    "MalformedFrame",
    "TopicRefused",
    "UnknownName",
    "Unmeasurable",
    "Unrecordable",
]


class LiveCountersError(Exception):
    """The base of all errors of this package."""


class AlreadyDeclared(LiveCountersError, ValueError):
    """Two declarations claim one name."""


class UnknownName(LiveCountersError, LookupError):
    """No counter or activity of that name is declared."""


class AmbiguousName(LiveCountersError, LookupError):
    """A short name that more than one app declares; the full name is needed."""


class Unmeasurable(LiveCountersError, ValueError):
    """A declaration that cannot be kept.

    ``check_id`` is the number of the system check that reports it, ``hint`` the cure.
    """

    def __init__(self, check_id: str, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.check_id = check_id
        self.hint = hint


class Unrecordable(LiveCountersError, ValueError):
    """What was given to be recorded is not as the activity declares; ``about`` names what:
    ``"actor"``, ``"target"``, ``"data"``, ``"key"``, ``"at"`` or ``"name"``."""

    def __init__(self, about: str, reason: str) -> None:
        super().__init__(reason)
        self.about = about


class Busy(LiveCountersError, RuntimeError):
    """Somebody else is doing this now, and one at a time is enough."""


class TopicRefused(LiveCountersError, PermissionError):
    """A topic that does not exist or that this viewer may not have: one answer for both."""

    def __str__(self) -> str:
        return (
            f"{super().__str__()}: there is no such topic, or this viewer may not have it. Give a "
            "user who may, a token as pages have it (livecounters.topics.sign), or declare what it "
            "is about with public=True."
        )


class MalformedFrame(LiveCountersError, ValueError):
    """A frame from a client that is not of the wire's form; ``code`` is what it is told."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
