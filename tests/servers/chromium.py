"""The installed Chromium or Chrome, for Playwright to drive."""

from __future__ import annotations

from pathlib import Path

from tests.servers.programs import find_program


def find_chromium() -> Path:
    return find_program(
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
        # macOS, in /Applications/*.app
        "Chromium",
        "Google Chrome",
        name="Chromium",
        package="chromium",
    )
