"""What somebody does who reads a page: writes its files, runs its commands, types its sessions.

A caption is a file's path, which gets the block as a whole; `<path>, at the end` adds it; or it is
`python manage.py shell`. In a session, and in what a command prints, every line of the page counts.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.manual import Block, blocks
from tests.processes import wait_for
from tests.servers.server import free_port

SERVE = "python -m uvicorn mysite.asgi:application"
INSTALL = "python -m pip install "
SHELL = "python manage.py shell"

# What a session says is compared as doctest does it.
SESSION = """
import doctest, sys, django
django.setup()
text = sys.stdin.read()
example = doctest.DocTestParser().get_doctest(text, {}, "the session", None, 0)
failures, tried = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example)
sys.exit(failures > 0 or not tried)
"""


class NotAsTold(AssertionError):
    """What happens is not what the page says."""


@dataclass(frozen=True)
class Project:
    """A directory and a virtual environment that a page is tried in."""

    directory: Path
    venv: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "PYTHON"))}
        path = os.pathsep.join([str(self.venv / "bin"), kept.get("PATH", os.defpath)])
        return kept | {"PATH": path, "DJANGO_SETTINGS_MODULE": "mysite.settings"}

    def do(self, steps: Iterator[Block]) -> bool:
        """Do the steps, up to one that starts the server: whether there was one."""
        for block in steps:
            if block.caption.startswith(SHELL):
                self.type(block)
            elif block.caption:
                self.write(block)
            elif block.language == "console" and self.run(block.text):
                return True
        return False

    def write(self, block: Block) -> None:
        name, _, where = block.caption.partition(", ")
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = f"{path.read_text()}\n" if where == "at the end" else ""
        path.write_text(before + block.text)

    def run(self, text: str) -> bool:
        """Run commands, and see that they say what the page says; false unless one is the server."""
        for command, told in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
            if command.startswith(SERVE):
                return True
            if command.startswith(INSTALL):
                # The environment has the wheel already, and nothing is downloaded in tests.
                self.call("python", "-c", "import livecounters, uvicorn")
                continue
            said = self.call("sh", "-c", command)
            for line in filter(None, map(str.strip, told.splitlines())):
                if line not in said:
                    raise NotAsTold(f"`{command}` does not say {line!r}, but:\n{said}")
        return False

    def type(self, block: Block) -> None:
        if block.language == "pycon":
            self.call("python", "-c", SESSION, given=block.text)
        else:
            self.call("python", "manage.py", "shell", given=block.text)

    def call(self, *command: str, given: str = "") -> str:
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode:
            raise NotAsTold(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    @contextmanager
    def served(self) -> Iterator[str]:
        """The server of the page, on a port that is free; its address."""
        port = free_port()
        command = [*SERVE.split(), "--port", str(port), "--log-level", "warning"]
        started = subprocess.Popen(command, cwd=self.directory, env=self.environment)
        try:
            wait_for(port, started)
            yield f"http://127.0.0.1:{port}"
        finally:
            started.terminate()
            started.wait(15)


def environment_with(wheel: Path, directory: Path) -> Path:
    """A fresh virtual environment with the wheel, beside what is installed here otherwise."""
    venv = directory / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (site,) = venv.glob("lib/python*/site-packages")
    install = ["install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python")]
    subprocess.run([*pip, *install], check=True)
    # Directories only, without what stands in them for sources: the package is the wheel's.
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    (site / "borrowed.pth").write_text("\n".join(borrowed))
    admin = venv / "bin" / "django-admin"
    admin.write_text('#!/bin/sh\nexec python -m django "$@"\n')
    admin.chmod(0o755)
    return venv


def steps(page: Path) -> Iterator[Block]:
    return iter(list(blocks(page)))
