"""What browsers say they are, coarsely."""

from __future__ import annotations

import pytest

from livecounters.agents import agent_of, kind_of

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox on Linux",
        ),
        (f"{WINDOWS} {WEBKIT} Chrome/126.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"{WINDOWS} {WEBKIT} Chrome/126.0.0.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
        (f"{WINDOWS} {WEBKIT} Chrome/126.0.0.0 Safari/537.36 OPR/112.0", "Opera on Windows"),
        (
            f"Mozilla/5.0 (Linux; Android 14; SM-S918B) {WEBKIT} SamsungBrowser/25.0 Chrome/121.0",
            "Samsung Internet on Android",
        ),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/126.0", "Chrome on ChromeOS"),
        (f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iOS"),
        (f"{IPHONE} CriOS/126.0 Mobile/15E148 Safari/604.1", "Chrome on iOS"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17 Safari/1",
            "Safari on macOS",
        ),
        ("curl/8.5.0", "Other browser"),
        ("Lynx/2.9 (Linux)", "Other browser on Linux"),
        ("", "Other browser"),
        (None, "Other browser"),
    ],
)
def test_kinds(header: str | None, kind: str) -> None:
    assert kind_of(agent_of(header)) == kind


def test_nothing_of_the_header_is_kept() -> None:
    secret = "Firefox/128.0 (SM-S918B; 10.0.0.7) Linux " + "x" * 9000

    assert agent_of(secret) == "Firefox/Linux"
    assert agent_of("<script>Firefox/1") == "Firefox/"
