"""``livecounters remind``"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from livecounters import post
from livecounters.letters import EVENING, at_risk, written
from livecounters.management.verbs.base import Verb, site_of
from livecounters.preferences import REMINDERS
from livecounters.signals import streak_at_risk

__all__ = ["Remind"]


class Remind(Verb):
    name = "remind"
    help = "Remind people whose streak ends tonight; run it every half an hour."
    english = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", help="The site's address (default: the setting SITE_URL).")
        parser.add_argument(
            "--hour", type=int, default=EVENING, help="Of their day, from which on (default: 18)."
        )
        parser.add_argument("--dry-run", action="store_true", help="Only say who it would be.")

    def run(self, *, site: str | None, hour: int, dry_run: bool, **given: Any) -> None:
        now, number = timezone.now(), 0
        heard = streak_at_risk.has_listeners(get_user_model())
        address = "" if heard or dry_run else site_of(site)
        for found in at_risk(now, hour):
            if dry_run:
                self.out.write(f"{found.user}: {found.counter}, {found.streak} days")
            elif not written(found.user, REMINDERS, found.today, now):
                continue
            elif heard:
                streak_at_risk.send_robust(
                    get_user_model(),
                    user=found.user,
                    counter=found.counter,
                    streak=found.streak,
                    today=found.today,
                )
            else:
                post.remind(found, address)
            number += 1
        self.out.write(f"{number} people{' would be' if dry_run else ''} reminded")
