import contextlib
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from ...demo.learners import OPERATOR, PASSWORD, VISITOR
from ...models import Course

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = (
        "Prepare the database, then serve Lantern with simulated learners until Ctrl-C or SIGTERM."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--pace", type=float, default=3.0, help="Seconds between two finished quizzes, about."
        )
        parser.add_argument(
            "--no-simulation",
            action="store_true",
            help="Serve the site without simulated learners.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            import uvicorn
        except ImportError:
            raise CommandError(
                "The demo is served by uvicorn: pip install 'uvicorn[standard]'"
            ) from None
        call_command("migrate", verbosity=0)
        if not Course.objects.exists():
            call_command("load_demo", stdout=self.stdout)

        url = f"http://{HOST}:{options['port']}"
        self.stdout.write(
            f"\n  Lantern: {url}\n  Log in as {VISITOR} / {PASSWORD}. Ctrl-C stops it."
            f"\n  Operators: {url}/admin/livecounters/dashboard/ as {OPERATOR} / {PASSWORD}.\n\n"
        )
        self.stdout.flush()
        signal.signal(
            signal.SIGTERM, _leave
        )  # uvicorn hands the signal back to this after its own shutdown
        simulation = (
            contextlib.nullcontext()
            if options["no_simulation"]
            else _simulation(url, options["pace"])
        )
        with contextlib.suppress(KeyboardInterrupt), simulation:
            uvicorn.run(
                "lantern.asgi:application", host=HOST, port=options["port"], log_level="warning"
            )


def _leave(*_: Any) -> None:
    sys.exit(0)


@contextlib.contextmanager
def _simulation(url: str, pace: float) -> Iterator[None]:
    command = [
        sys.executable,
        sys.argv[0],
        "simulate_learners",
        "--base-url",
        url,
        "--pace",
        str(pace),
    ]
    child = subprocess.Popen(command)
    try:
        yield
    finally:
        child.terminate()
        child.wait(timeout=30)
