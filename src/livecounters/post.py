"""The post: letters as e-mail, in text and HTML, each with a way to end them in one click."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from livecounters.letters import AtRisk, Week, unsubscribe_token
from livecounters.notices import text_of_achievement
from livecounters.preferences import REMINDERS, REPORT
from livecounters.readers import Counter
from livecounters.registry import registry

__all__ = ["remind", "send_report"]


def remind(found: AtRisk, site: str) -> bool:
    """Mail a reminder; ``False`` for somebody without an address. ``site`` is the site's address,
    such as ``https://example.com``."""
    return _send(
        found.user,
        "reminder",
        REMINDERS,
        lambda: _("Your streak ends at midnight"),
        site,
        {"streak": found.streak},
    )


def send_report(week: Week, site: str) -> bool:
    """Mail the report of a week; ``False`` for somebody without an address."""
    return _send(
        week.user,
        "report",
        REPORT,
        lambda: _("Your week from %(day)s on") % {"day": _day(week.first)},
        site,
        {"week": week},
    )


def _send(
    user: Any, name: str, what: str, subject: Any, site: str, context: dict[str, Any]
) -> bool:
    address = getattr(user, user.get_email_field_name(), "") if user else ""
    if not address:
        return False
    language = translation.get_language() or ""
    link = site + reverse("livecounters:unsubscribe", args=[unsubscribe_token(user, what)])
    week = context.get("week")
    said = {
        **context,
        "user": user,
        "subject": subject(),
        "language": language,
        "home": site,
        "unsubscribe": link,
        "lines": _lines(week) if week is not None else (),
        "reached": [text_of_achievement(one) for one in week.achievements] if week else (),
    }
    mail = EmailMultiAlternatives(
        said["subject"],
        render_to_string(f"livecounters/letters/{name}.txt", said),
        to=[address],
        # RFC 8058: a mail program may end it with one click.
        headers={
            "List-Unsubscribe": f"<{link}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    mail.attach_alternative(
        render_to_string(f"livecounters/letters/{name}.html", said), "text/html"
    )
    return bool(mail.send())


def _lines(week: Week) -> list[dict[str, Any]]:
    return [
        {
            "label": Counter(registry.counters.get(found.name)).label,
            "done": week.numbers[name],
            "before": week.before[name],
            "streak": found.streak.current,
        }
        for name, found in week.progress.items()
    ]


def _day(day: dt.date) -> str:
    return date_format(day, "DATE_FORMAT")
