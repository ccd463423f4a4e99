"""For the hosts' tests: suites of hosts, which must leave nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from livecounters import testing

SUITES = Path(__file__).parent / "suites"
REFERENCE = Path(__file__).parent.parent / "docs/reference/testing.md"

DATABASE = os.environ["LIVECOUNTERS_TEST_DATABASE"]
DJANGO = ["-m", "django", "test", "--noinput", "--pattern", "suite.py", "market"]
PYTEST = ["-m", "pytest", "-q", "-c", "market/pytest.ini", "market/suite.py"]
RUNS: dict[str, list[str]] = {
    "django": [*DJANGO, "--shuffle"],
    "django-reversed": [*DJANGO, "--reverse"],
    "django-parallel": [*DJANGO, "--parallel", "2"],
    "pytest": PYTEST,
    "pytest-workers": [*PYTEST, "-n", "2"],
    "pytest-without-migrations": [*PYTEST, "--no-migrations"],
}
# What is always run; the rest takes its time.
ALWAYS = {"sqlite": {"django", "pytest-workers"}}.get(DATABASE, {"django-parallel"})


def suite(*arguments: str, **environment: str) -> str:
    """Run the host's suite in a process of its own; what it said."""
    # What pytest says to its own processes is not meant for one that is started anew.
    inherited = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=SUITES,
        env=inherited
        | {
            "DJANGO_SETTINGS_MODULE": "market.settings",
            "PYTHONPATH": os.pathsep.join([str(SUITES.parent.parent), str(SUITES)]),
            "SUITE_NAME": f"market_{os.getpid()}",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.usefixtures("django_db_setup")
@pytest.mark.parametrize(
    "name",
    [name if name in ALWAYS else pytest.param(name, marks=pytest.mark.soak) for name in RUNS],
)
def test_the_suite_of_a_host(name: str) -> None:
    said = suite(*RUNS[name])

    assert "\nOK" in said or re.search(r"^3\d passed", said, re.MULTILINE), said


@pytest.mark.soak
@pytest.mark.usefixtures("django_db_setup")
@pytest.mark.parametrize("seed", range(5))
def test_the_suite_mixed_up(tmp_path: Path, seed: int) -> None:
    suite(*PYTEST, "-p", "no:randomly", SUITE_SEED=f"seed {seed}")
    suite(*PYTEST, "-n", "2", SUITE_SEED=f"seed {seed}", SUITE_FILE=str(tmp_path / "market"))


@pytest.mark.soak
@pytest.mark.usefixtures("django_db_setup")
def test_a_database_that_is_kept(tmp_path: Path) -> None:
    file = str(tmp_path / "market")
    suite(*DJANGO, "--keepdb", "--reverse", SUITE_FILE=file)
    suite(*DJANGO, "--keepdb", SUITE_FILE=file)
    suite(*PYTEST, "--reuse-db", SUITE_FILE=file)
    suite(*DJANGO, SUITE_FILE=file)  # takes it away


@pytest.mark.parametrize("name", testing.__all__)
def test_public_names_are_documented(name: str) -> None:
    told = REFERENCE.read_text(encoding="utf-8")

    assert name == "Page" or re.search(rf"^## `testing\.{name}\(", told, re.MULTILINE)
