"""Signals: what a host can be told of.

``went_online`` and ``went_offline`` are sent once per person, however many pages, tabs and
processes there are, by the process that noticed it. Both carry ``user_id`` (as the key's text
says it), ``at`` (an aware datetime) and, for ``went_offline``, ``duration`` (a timedelta); the
sender is the user model. Receivers run in a thread of their own; an exception is logged.

``achieved`` is sent once for each achievement, by the process that awarded it, after it is
committed, with ``achievement`` (see ``models.Achievement``) and ``user_id``; not for what is awarded
silently.

``streak_at_risk`` is sent by ``manage.py livecounters remind`` once per person and day, with ``user``,
``counter`` (its name), ``streak`` (days) and ``today`` (the person's date). With a receiver no e-mail
is sent.
"""

from __future__ import annotations

from django.dispatch import Signal

__all__ = ["achieved", "streak_at_risk", "went_offline", "went_online"]

went_online = Signal()
went_offline = Signal()
achieved = Signal()
streak_at_risk = Signal()
