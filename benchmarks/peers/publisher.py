"""A host that writes a row as often as asked, and a pump, which tells the servers at once."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable

import django

django.setup()

from asgiref.sync import async_to_sync  # noqa: E402 - apps must be ready
from channels.layers import get_channel_layer  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks.peers.models import Hit  # noqa: E402
from livecounters.announce import GROUP  # noqa: E402
from livecounters.pump import Pump  # noqa: E402


def announcing() -> Callable[[], None]:
    pump, layer = Pump(), get_channel_layer()
    send = async_to_sync(layer.group_send)

    def leave(*given: object) -> None:
        # The next one need not wait until the lease ends.
        pump.close()
        sys.exit()

    signal.signal(signal.SIGTERM, leave)

    def announce() -> None:
        announcement, _ = pump.tick(timezone.now())
        if announcement is not None:
            send(GROUP, announcement.message())

    return announce


def framing() -> Callable[[], None]:
    """The same over Channels' groups: everything is in the message."""
    send, number = async_to_sync(get_channel_layer().group_send), 0

    def announce() -> None:
        nonlocal number
        number += 1
        frame = {
            "op": "values",
            "values": {"counter:hits": number},
            "at": timezone.now().isoformat(),
            "epoch": "0123456789abcdef",
            "seq": number,
        }
        send("hits", {"type": "hits.changed", "frame": frame})

    return announce


def main(kind: str, rate: float) -> None:
    announce = announcing() if kind == "live" else framing()
    due = time.monotonic()
    while True:
        due = max(due + 1 / rate, time.monotonic() - 1)
        time.sleep(max(0.0, due - time.monotonic()))
        if kind == "live":
            Hit.objects.create()
        announce()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
