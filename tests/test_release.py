"""What is released: whole, the same whoever builds it, by a workflow that may do little."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manual import ROOT
from tests.wheels import build

PACKAGE = ROOT / "src" / "livecounters"
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist and the wheel."""
    sdist, wheel = sorted(
        build(tmp_path_factory.mktemp("dist"), "--sdist", "--wheel"),
        key=lambda path: path.suffix != ".gz",
    )
    return sdist, wheel


def test_the_wheel_has_all_of_the_package_and_nothing_else(built: tuple[Path, Path]) -> None:
    names = set(zipfile.ZipFile(built[1]).namelist())

    sources = {
        path.relative_to(ROOT / "src").as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == sources
    assert "livecounters/py.typed" in sources
    assert any(name.startswith("livecounters/static/") for name in sources)
    assert any(name.startswith("livecounters/templates/") for name in sources)
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_twice_built_is_the_same(built: tuple[Path, Path], tmp_path: Path) -> None:
    # Another place, another time, other rights of files.
    copy = tmp_path / "elsewhere"
    with tarfile.open(built[0]) as archive:
        archive.extractall(copy, filter="data")
    (source,) = copy.iterdir()
    for path in source.rglob("*.py"):
        path.touch()

    again = build(tmp_path / "dist", "--sdist", "--wheel", source=source)

    found = {path.name: path.read_bytes() for path in again}
    assert found == {path.name: path.read_bytes() for path in built}


def test_the_index_takes_it(built: tuple[Path, Path]) -> None:
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, built)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_is_asked_at_import(built: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.unpack_archive(built[1], tmp_path, "zip")
    program = (
        "import socket, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "def refused(*given): raise AssertionError(given)\n"
        "socket.socket.connect = socket.getaddrinfo = refused\n"
        "import django\n"
        "from django.conf import settings\n"
        "apps = ['django.contrib.auth', 'django.contrib.contenttypes', 'livecounters']\n"
        "settings.configure(INSTALLED_APPS=apps)\n"
        "django.setup()\n"
        "import livecounters, livecounters.routing\n"
        "assert livecounters.__file__.startswith(sys.argv[1])\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, cwd=tmp_path)


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        file = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert file["permissions"] == {}, path
        for name, job in file["jobs"].items():
            yield f"{path.stem}: {name}", job


def test_workflows() -> None:
    found = dict(jobs())
    assert found
    for name, job in found.items():
        rights = {"id-token": "write"} if name == "release: publish" else {"contents": "read"}
        assert job["permissions"] == rights, name
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step
            # What others can name is never pasted into a script.
            assert "${{" not in step.get("run", "")


def test_workflows_test_what_tox_names() -> None:
    tried = {run["env"] for run in dict(jobs())["ci: tox"]["strategy"]["matrix"]["include"]}
    text = (ROOT / "tox.ini").read_text(encoding="utf-8")
    named = {"py311-dj52", *(f"py{p}-dj{d}" for p in (312, 313) for d in (52, 60, 61))}
    assert re.search(r"^    py311-dj52\n    py\{312, 313\}-dj\{52, 60, 61\}$", text, re.MULTILINE)
    assert tried == named
