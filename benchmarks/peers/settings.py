"""The test project with the settings that a measurement asks for, in ``LIVECOUNTERS_BENCH``."""

from __future__ import annotations

import json
import os

from tests.settings import *  # noqa: F403 - all but these
from tests.settings import CHANNEL_LAYERS, LIVECOUNTERS

LIVECOUNTERS |= json.loads(os.environ.get("LIVECOUNTERS_BENCH", "{}"))

# A thousand members of a group: by default the layer drops what a slow member has not taken, and
# redis-py ends the wait of a layer that has nothing to hear, at the moment when that ends by itself.
CHANNEL_LAYERS["default"]["CONFIG"] = {
    "hosts": [
        {
            "address": os.environ["LIVECOUNTERS_TEST_REDIS"],
            "socket_timeout": None,
            "max_connections": 10_000,
        }
    ],
    "capacity": 10_000,
}
