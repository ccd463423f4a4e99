"""The package as it is released: built here, without the network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.manual import ROOT


def build(directory: Path, *kinds: str, source: Path = ROOT) -> list[Path]:
    """The distributions of these kinds (``--wheel``, ``--sdist``), built from ``source``."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(directory), *kinds]
    done = subprocess.run(
        [*command, str(source)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(directory.iterdir())
