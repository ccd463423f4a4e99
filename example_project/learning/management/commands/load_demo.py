from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from packages.demo import catalogue
from packages.models import Like, Purchase, Rating

from ...demo import courses, history
from ...models import Attempt, Enrolment

ACTIVITY = (Attempt, Enrolment, Like, Rating, Purchase)


class Command(BaseCommand):
    help = "Load courses, packages, simulated learners and ten weeks of their activity. Harmless to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--fresh",
            action="store_true",
            help="Delete all simulated activity first and make it anew.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        courses.load()
        catalogue.load()
        users = history.load_people()
        if options["fresh"]:
            for model in ACTIVITY:
                model.objects.filter(simulated=True).delete()
        if Attempt.objects.filter(simulated=True).exists():
            self.stdout.write(
                "The demo data are already here. Use --fresh to make the activity anew."
            )
            return
        rows = history.load(users, timezone.now())
        self.stdout.write(
            self.style.SUCCESS(
                f"Loaded {len(users)} simulated learners and {rows} things they did."
            )
        )
