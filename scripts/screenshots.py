"""Makes the pictures of the documentation anew: `make screenshots`. With names, only these of the site.

The demo site is served with its simulated learners; the pictures of the tutorials are taken by the
tests that do them. All become WebP in docs/_static, below 100 kB each.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from tests.processes import wait_for  # noqa: E402
from tests.servers import find_chromium  # noqa: E402
from tests.servers.server import free_port  # noqa: E402

PICTURES = ROOT / "docs" / "_static"
LARGEST = 100_000
# So long the simulated learners are at work before the first picture.
WARM = 20_000

# Ada has been at it for eight days, so that there is something on her dashboard; and some have
# just done the same, so that the feed has groups.
PRACTISE = """
import datetime as dt
import livecounters as live
from django.contrib.auth.models import User
from django.utils import timezone
from learning.models import Attempt, Quiz

quizzes = list(Quiz.objects.all()[:12])
with live.muted():
    for number in range(17):
        then = timezone.now() - dt.timedelta(days=number // 2, minutes=number)
        Attempt.objects.create(
            user=User.objects.get(username="ada"), quiz=quizzes[number % len(quizzes)],
            completed=True, completed_at=then, score=60 + 7 * number % 41,
        )
people = iter(User.objects.filter(is_staff=False).exclude(username="ada"))
for title, number in (("Notes", 1), ("Bread", 6), ("Reading maps", 2), ("The Moon", 4)):
    for user in [next(people) for _ in range(number)]:
        Attempt.objects.create(
            user=user, quiz=Quiz.objects.get(title=title),
            completed=True, completed_at=timezone.now(), score=80,
        )
"""


@dataclass(frozen=True)
class Shot:
    """A page of the demo site, as ``user`` has it; ``look`` is what it is scrolled to."""

    name: str
    path: str
    user: str = ""
    look: str = ""
    width: int = 1280
    height: int = 800
    schemes: tuple[str, ...] = ("light", "dark")


# New pages go in here.
SHOTS = (
    Shot("home", "/", look=".live-counters"),
    Shot("home-360", "/", look=".live-counters", width=360, height=740),
    Shot("packages", "/packages/"),
    Shot("package", "/packages/first-steps/", look="#numbers", schemes=("light",)),
    Shot("feed", "/packages/first-steps/", look=".live-feed", height=480, schemes=("light",)),
    Shot("login", "/people/login/"),
    Shot("dashboard", "/people/dashboard/", "ada"),
    Shot("dashboard-360", "/people/dashboard/", "ada", width=360, height=740),
    Shot("status", "/status/"),
    Shot("admin", "/admin/livecounters/dashboard/", "olga", height=1100, schemes=("light",)),
)


def main(names: list[str]) -> int:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        shots = [shot for shot in SHOTS if shot.name in names] if names else SHOTS
        if not names:
            tutorials(directory)
        with demo(directory) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=str(find_chromium()), args=["--no-sandbox", "--disable-gpu"]
            )
            warm(browser, address)
            for shot in shots:
                for scheme in shot.schemes:
                    take(browser, address, shot, scheme, directory / f"{shot.name}-{scheme}.png")
            browser.close()
        for picture in sorted(directory.glob("*.png")):
            keep(picture)
    return 0


def tutorials(directory: Path) -> None:
    environment = os.environ | {"LIVECOUNTERS_PICTURES": str(directory)}
    command = [sys.executable, "-m", "pytest", "-q", "--soak", "tests/test_tutorials.py"]
    command += ["-k", "a_tutorial"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


@contextmanager
def demo(directory: Path) -> Iterator[str]:
    """The demo site on a database of its own; its address."""
    port = free_port()
    command = [sys.executable, "manage.py", "demo", "--port", str(port), "--pace", "1"]
    environment = os.environ | {"EXAMPLE_SQLITE": str(directory / "demo.sqlite3")}
    started = subprocess.Popen(command, cwd=ROOT / "example_project", env=environment)
    try:
        # It loads its data first.
        wait_for(port, started, 180)
        practise = [sys.executable, "manage.py", "shell", "-c", PRACTISE]
        subprocess.run(practise, cwd=ROOT / "example_project", env=environment, check=True)
        yield f"http://127.0.0.1:{port}"
    finally:
        started.terminate()
        started.wait(30)


def warm(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    page.wait_for_timeout(WARM)
    page.close()


def take(browser: Browser, address: str, shot: Shot, scheme: str, path: Path) -> None:
    page = browser.new_page(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    if shot.user:
        sign_in(page, address, shot.user)
    page.goto(f"{address}{shot.path}")
    page.wait_for_selector("html[data-live-state=live]", timeout=30_000)
    if shot.look:
        # To the top, below a little of what stands before it.
        page.locator(shot.look).first.evaluate(
            "(found) => window.scrollTo(0, found.getBoundingClientRect().top - 90)"
        )
    page.wait_for_timeout(1_500)
    page.screenshot(path=path)
    page.context.close()


def sign_in(page: Page, address: str, user: str) -> None:
    page.goto(f"{address}/people/login/")
    page.fill("[name=username]", user)
    page.fill("[name=password]", "lantern")
    page.click("main [type=submit]")
    page.wait_for_load_state()


def keep(picture: Path) -> None:
    """As WebP, as good as fits."""
    target = PICTURES / picture.with_suffix(".webp").name
    with Image.open(picture) as image:
        for quality in (90, 80, 70, 60, 50):
            image.save(target, "WEBP", quality=quality, method=6)
            if target.stat().st_size < LARGEST:
                break
        else:
            raise SystemExit(f"{target.name} has {target.stat().st_size} bytes.")
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
