"""What browsers say they are, as coarse as "Firefox on Linux": no version, no model, nothing that
tells two people with the same kind of browser apart.

Only the names in this module are ever kept. ``""`` is a browser or a system that is none of them.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

__all__ = ["agent_of", "kind_of"]

# The first that is found counts: every browser also says the names of older ones.
BROWSERS = {
    "Edge": re.compile(r"\bEdg(e|A|iOS)?/"),
    "Opera": re.compile(r"\bOPR/|\bOpera\b"),
    "Samsung Internet": re.compile(r"\bSamsungBrowser/"),
    "Firefox": re.compile(r"\b(Firefox|FxiOS)/"),
    "Chrome": re.compile(r"\b(Chrome|Chromium|CriOS|HeadlessChrome)/"),
    "Safari": re.compile(r"\bVersion/.*\bSafari/"),
}
SYSTEMS = {
    "Android": re.compile(r"\bAndroid\b"),
    "iOS": re.compile(r"\b(iPhone|iPad|iPod)\b"),
    "Windows": re.compile(r"\bWindows\b"),
    "ChromeOS": re.compile(r"\bCrOS\b"),
    "macOS": re.compile(r"\bMac OS X\b|\bMacintosh\b"),
    "Linux": re.compile(r"\bLinux\b|\bX11\b"),
}
MAX_LENGTH = 500
SEPARATOR = "/"


def agent_of(header: str | None) -> str:
    """The kind in a ``User-Agent``, such as ``"Firefox/Linux"``, to be kept."""
    text = (header or "")[:MAX_LENGTH]
    return f"{_first(BROWSERS, text)}{SEPARATOR}{_first(SYSTEMS, text)}"


def kind_of(agent: str) -> str:
    """The same in words of the current language: "Firefox on Linux"."""
    browser, _separator, system = agent.partition(SEPARATOR)
    browser = browser or _("Other browser")
    if not system:
        return browser
    return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}


def _first(known: dict[str, re.Pattern[str]], text: str) -> str:
    return next((name for name, pattern in known.items() if pattern.search(text)), "")
