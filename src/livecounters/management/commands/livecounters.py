"""``manage.py livecounters <verb>``"""

from __future__ import annotations

from argparse import ArgumentParser
from contextlib import nullcontext
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import override

from livecounters.exceptions import LiveCountersError
from livecounters.management.verbs.base import Verb
from livecounters.management.verbs.doctor import Doctor
from livecounters.management.verbs.explain import Explain
from livecounters.management.verbs.fold import Fold
from livecounters.management.verbs.forget import Forget
from livecounters.management.verbs.prune import Prune
from livecounters.management.verbs.rebuild import Rebuild
from livecounters.management.verbs.remind import Remind
from livecounters.management.verbs.report import Report
from livecounters.management.verbs.run import Run
from livecounters.management.verbs.status import ShowStatus
from livecounters.management.verbs.sync import Sync
from livecounters.management.verbs.verify import Verify

VERBS: list[type[Verb]] = [
    ShowStatus,
    Sync,
    Verify,
    Rebuild,
    Explain,
    Fold,
    Run,
    Doctor,
    Prune,
    Forget,
    Remind,
    Report,
]


class Command(BaseCommand):
    help = "See to the live counters: their triggers, their numbers, their pump."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
        self._verbs = {kind.name: kind(self) for kind in VERBS}
        for name, verb in self._verbs.items():
            verb.add_arguments(verbs.add_parser(name, help=verb.help))

    def handle(self, *args: Any, **given: Any) -> None:
        verb = self._verbs[given["verb"]]
        try:
            with override("en") if verb.english else nullcontext():
                verb.run(**given)
        except LiveCountersError as error:
            hint = getattr(error, "hint", "")
            raise CommandError(f"{error}\n{hint}".strip()) from error
