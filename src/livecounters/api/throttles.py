"""How often may be asked: a scope for each kind of request, in ``DEFAULT_THROTTLE_RATES``."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle

from livecounters.limits import is_public
from livecounters.people import key_of

__all__ = [
    "ChangeThrottle",
    "HistoryThrottle",
    "ReadThrottle",
    "RecordThrottle",
    "VisitorThrottle",
]


class LiveThrottle(SimpleRateThrottle):
    """A bound that a host can set; ``None`` is without bound, and then nothing is counted."""

    default: str | None = None

    def get_rate(self) -> str | None:
        rates: Any = api_settings.DEFAULT_THROTTLE_RATES
        rate: str | None = rates.get(self.scope, self.default)
        return rate

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return self.cache_format % {"scope": self.scope, "ident": self.ident(request)}

    def ident(self, request: Request) -> str:
        """Whose requests are counted together."""
        raise NotImplementedError


class _PerPerson(LiveThrottle):
    """For each who is signed in."""

    def ident(self, request: Request) -> str:
        return key_of(request.user) if request.user.is_authenticated else self.get_ident(request)


class _PerAddress(LiveThrottle):
    """For each address, whoever asks, so that nobody's session is looked at.

    The default is for addresses of the Internet: any other is most likely that of a proxy. A rate
    that a host has set is for all.
    """

    def ident(self, request: Request) -> str:
        return self.get_ident(request)

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        given = self.scope in api_settings.DEFAULT_THROTTLE_RATES
        if not given and not is_public(self.ident(request)):
            return None
        return super().get_cache_key(request, view)


class RecordThrottle(_PerPerson):
    """What somebody records."""

    scope = "livecounters_events"
    default = "60/min"


class ChangeThrottle(_PerPerson):
    """What somebody changes of their own: goals, preferences, shares, what was seen."""

    scope = "livecounters_changes"
    default = "60/min"


class ReadThrottle(_PerAddress):
    """What is read. A school polls through one address, so nothing is bound unless a host says so."""

    scope = "livecounters_reads"


class HistoryThrottle(_PerAddress):
    """What takes more than a look: series, breakdowns and leaderboards."""

    scope = "livecounters_history"
    default = "300/min"


class VisitorThrottle(_PerAddress):
    """Cookies for visitors; a browser asks once a year."""

    scope = "livecounters_visitors"
    default = "60/min"
