"""The packages, read from the TOML file beside this module."""

import tomllib
from pathlib import Path
from typing import Any

from learning.models import Quiz

from ..models import Package

FILE = Path(__file__).parent / "packages.toml"


def read() -> list[dict[str, Any]]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))["packages"]


def load() -> None:
    """Bring the packages into the database, or up to date where they are there already."""
    for data in read():
        fields = {name: data[name] for name in ("title", "summary", "price")}
        package, _ = Package.objects.update_or_create(slug=data["slug"], defaults=fields)
        package.quizzes.set(Quiz.objects.filter(title__in=data["quizzes"]))
