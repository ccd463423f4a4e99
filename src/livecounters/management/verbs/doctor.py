"""``livecounters doctor``"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from livecounters.doctor import examine
from livecounters.management.verbs.base import Verb

__all__ = ["Doctor"]


class Doctor(Verb):
    name = "doctor"
    help = "Try everything around the numbers; exit with 1 if there is a problem."

    def run(self, **given: Any) -> None:
        styles = {
            "ok": self.style.SUCCESS,
            "warning": self.style.WARNING,
            "problem": self.style.ERROR,
        }
        problems = 0
        for finding in examine(timezone.now()):
            problems += finding.level == "problem"
            self.out.write(f"{styles[finding.level](f'{finding.level:<8}')} {finding.what}")
            if finding.cure:
                self.out.write(f"{'':<8} {finding.cure}")
        if problems:
            raise CommandError(f"{problems} problems.")
