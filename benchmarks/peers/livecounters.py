"""What is declared to livecounters."""

from __future__ import annotations

from django.conf import settings

import livecounters as live
from benchmarks.peers.models import Hit


@live.register(Hit)
class HitLive(live.LiveModel):
    hits = live.Count(public=True)


if settings.PRESENCE:

    @live.register
    class SiteLive(live.LiveSite):
        online = live.Online(public=True)
