import random
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...simulation.browser import ServerDown
from ...simulation.crowd import Crowd


class Command(BaseCommand):
    help = "Let simulated learners use the site over HTTP until SIGTERM or Ctrl-C."
    requires_system_checks = ()  # it only speaks HTTP

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--base-url", default="http://127.0.0.1:8000")
        parser.add_argument(
            "--pace", type=float, default=3.0, help="Seconds between two finished quizzes, about."
        )
        parser.add_argument(
            "--learners", type=int, default=8, help="How many are on the site at once."
        )
        parser.add_argument(
            "--patience", type=float, default=600, help="Seconds to wait for a server that is down."
        )
        parser.add_argument("--seed", type=int, help="For learners who decide the same every time.")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        rng = random.Random(options["seed"])
        crowd = Crowd(options["base_url"], rng, self.stderr.write)
        try:
            crowd.run(
                stop,
                pace=options["pace"],
                at_once=options["learners"],
                patience=options["patience"],
            )
        except ServerDown as error:
            raise CommandError(f"Nobody has answered for too long: {error}") from None
