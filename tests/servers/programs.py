"""Where the installed programs lie."""

from __future__ import annotations

import os
import re
import shutil
from glob import glob
from pathlib import Path

# Neither Debian nor Homebrew puts every server on everybody's PATH.
PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/local/sbin",
    "/usr/sbin",
    "/opt/homebrew/bin",
    "/opt/homebrew/opt/*/bin",
    "/usr/local/opt/*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/Applications/*.app/Contents/MacOS",
)


class Missing(Exception):
    """A program is not installed; ``package`` is the Debian package that has it."""

    def __init__(self, name: str, package: str) -> None:
        super().__init__(f"NOT TESTED: {name} is not installed (Debian: {package})")
        self.package = package


def find_program(*names: str, name: str, package: str) -> Path:
    """The first of the programs that is installed; the newest version, where there are several."""
    places = [
        found for place in PLACES for found in sorted(glob(place), key=_version, reverse=True)
    ]
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *places])
    for program in names:
        if found := shutil.which(program, path=path):
            return Path(found)
    raise Missing(name, package)


def _version(path: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path)]
