"""The tests mirror the sources: whoever looks for the tests of a module finds them."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "livecounters"

# What has no test file of its own, and where its promises are tested instead.
ELSEWHERE = {
    "__init__.py": "test_exports.py",
    "admin/__init__.py": "admin/test_tables.py",
    "dialects/__init__.py": "dialects/test_base.py",
    # Fields without behaviour; the unique ones are what capture relies on.
    "models/__init__.py": "test_capture.py",
    "models/bookkeeping.py": "test_capture.py",
    "models/events.py": "test_capture.py",
    "models/ladders.py": "test_ladders.py",
    "models/numbers.py": "test_capture.py",
    "models/presence.py": "presence/test_database.py",
    "models/samples.py": "test_samples.py",
    "middleware/__init__.py": "middleware/test_timing.py",
    "presence/__init__.py": "test_meters.py",
    "models/progress.py": "test_awards.py",
    "api/shapes.py": "api/test_schema.py",
    "api/shares.py": "test_shares.py",
    "signals.py": "test_sightings.py",
    "management/commands/livecounters.py": "management/test_livecounters.py",
    # A snapshot is what the API answers.
    "snapshot.py": "api/test_snapshot.py",
    "testing/__init__.py": "test_testing.py",
}


def modules() -> list[str]:
    """The sources that say anything, migrations left out."""
    return sorted(
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if path.parent.name != "migrations"
        and path.read_text(encoding="utf-8").strip()
        and path.relative_to(SOURCE).as_posix() != "api/__init__.py"
    )


def mirror(module: str) -> str:
    if module in ELSEWHERE:
        return ELSEWHERE[module]
    path = Path(module)
    return path.with_name(f"test_{path.name}").as_posix()


@pytest.mark.parametrize("module", modules())
def test_every_module_has_its_tests(module: str) -> None:
    path = TESTS / mirror(module)

    assert path.is_file(), f"write {path.relative_to(TESTS.parent)}"
    assert "def test_" in path.read_text(encoding="utf-8")


def test_the_exceptions_are_still_needed() -> None:
    assert set(ELSEWHERE) <= set(modules())
    assert not [
        m for m in ELSEWHERE if (TESTS / Path(m).with_name(f"test_{Path(m).name}")).is_file()
    ]


def test_directories_mirror_the_sources() -> None:
    folders = {p.parent.relative_to(TESTS).as_posix() for p in TESTS.rglob("test_*.py")}

    mirrored = {folder for folder in folders if (SOURCE / folder).is_dir()}
    assert {".", "api", "dialects", "management", "templatetags"} <= mirrored
