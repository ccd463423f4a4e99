"""``livecounters report``"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from livecounters import post
from livecounters.letters import due_reports, written
from livecounters.management.verbs.base import Verb, site_of
from livecounters.preferences import REPORT

__all__ = ["Report"]


class Report(Verb):
    name = "report"
    help = "Mail everybody the report of their last week, once; run it every day."
    english = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", help="The site's address (default: the setting SITE_URL).")
        parser.add_argument("--dry-run", action="store_true", help="Only say who it would be.")

    def run(self, *, site: str | None, dry_run: bool, **given: Any) -> None:
        now, number = timezone.now(), 0
        address = "" if dry_run else site_of(site)
        for week in due_reports(now):
            if dry_run:
                self.out.write(f"{week.user}: {week.first}, {sum(week.numbers.values())}")
            elif not written(week.user, REPORT, week.first, now):
                continue
            else:
                post.send_report(week, address)
            number += 1
        self.out.write(f"{number} reports{' would be' if dry_run else ''} sent")
