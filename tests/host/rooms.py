"""Who is online: declared for the tests of presence, by whoever wants it."""

from __future__ import annotations

from typing import Any

import livecounters as live
from livecounters.registry import registry

from .models import Quiz


class SiteLive(live.LiveSite):
    online = live.Online(label="Online now", public=True)
    classroom = live.Online(room="classroom", roster=True)
    staffroom = live.Online(room="staffroom", audience=lambda user, of: user.is_staff, roster=True)
    active = live.Active(label="Active", public=True)


class QuizLive(live.LiveModel):
    readers = live.Online(roster=True)


def _declare() -> None:
    registry.add_site(SiteLive)
    registry.add(Quiz, QuizLive)


def _remove() -> None:
    registry.remove(SiteLive)
    registry.remove(QuizLive)


class Declared:
    """Declared inside of the block."""

    def __enter__(self) -> None:
        _declare()

    def __exit__(self, *given: Any) -> None:
        _remove()
