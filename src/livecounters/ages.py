"""Ages: how long ago something was, in the words that browsers have for it.

The page's script writes a time anew as it ages, by ``Intl.RelativeTimeFormat``. The server says the
same, so that nothing flickers when the script begins.
"""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext, ngettext, pgettext

__all__ = ["age"]

# How many of a unit make one of the next, as in the client's format.js.
UNITS = (("second", 60.0), ("minute", 60.0), ("hour", 24.0), ("day", 30.0), ("month", 365 / 30))


def age(at: dt.datetime, now: dt.datetime) -> str:
    """How long ago ``at`` was, such as "2 hours ago" or "yesterday". What is to come is now."""
    passed = max(0.0, (now - at).total_seconds())
    # In tens of seconds at first, to keep the page calm.
    passed -= passed % 10 if passed < 60 else 0
    for unit, most in UNITS:
        if passed < most:
            return _words(unit, int(passed))
        passed /= most
    return _words("year", int(passed))


def _words(unit: str, number: int) -> str:
    said = {
        ("second", 0): lambda: gettext("now"),
        ("day", 1): lambda: gettext("yesterday"),
        # A word of its own in many languages.
        ("day", 2): lambda: pgettext("the day before yesterday", "2 days ago"),
        ("month", 1): lambda: gettext("last month"),
        ("year", 1): lambda: gettext("last year"),
    }.get((unit, number))
    return said() if said else _several(unit, number) % {"number": number}


def _several(unit: str, number: int) -> str:
    if unit == "second":
        return ngettext("%(number)s second ago", "%(number)s seconds ago", number)
    if unit == "minute":
        return ngettext("%(number)s minute ago", "%(number)s minutes ago", number)
    if unit == "hour":
        return ngettext("%(number)s hour ago", "%(number)s hours ago", number)
    if unit == "day":
        return ngettext("%(number)s day ago", "%(number)s days ago", number)
    if unit == "month":
        return ngettext("%(number)s month ago", "%(number)s months ago", number)
    return ngettext("%(number)s year ago", "%(number)s years ago", number)
