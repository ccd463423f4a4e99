"""What can be imported, and what importing costs."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

import livecounters

ROOT = [
    "Activity",
    "Avg",
    "Count",
    "LiveModel",
    "Sum",
    "counters",
    "ever",
    "last",
    "muted",
    "register",
    "this_month",
    "this_week",
    "today",
]

# Modules that Django or Python look into by names of their own.
WITHOUT = {
    "livecounters.api",
    "livecounters.apps",
    "livecounters.management",
    "livecounters.management.commands",
    "livecounters.management.commands.livecounters",
    "livecounters.management.verbs",
    "livecounters.migrations",
    "livecounters.migrations.0001_initial",
    "livecounters.models.bookkeeping",
    "livecounters.models.events",
    "livecounters.models.numbers",
    "livecounters.models.samples",
    "livecounters.templatetags",
    "livecounters.templatetags.livecounters",
    "livecounters.urls",
}

MODULES = sorted(
    info.name for info in pkgutil.walk_packages(livecounters.__path__, prefix="livecounters.")
)


def test_the_root() -> None:
    # Names are added freely and taken away never.
    assert set(ROOT) <= set(livecounters.__all__)
    assert list(livecounters.__all__) == sorted(livecounters.__all__)
    for name in livecounters.__all__:
        assert getattr(livecounters, name) is not None


def test_no_module_bears_the_name_of_a_root_name() -> None:
    for name in livecounters.__all__:
        assert not isinstance(getattr(livecounters, name), ModuleType), name
        assert f"livecounters.{name}" not in MODULES


def test_an_unknown_name_of_the_root() -> None:
    with pytest.raises(AttributeError, match="module 'livecounters' has no attribute 'nothing'"):
        _ = livecounters.nothing  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(set(MODULES) - WITHOUT))
def test_each_module_says_what_it_offers(name: str) -> None:
    module = import_module(name)

    assert module.__all__, name
    assert len(set(module.__all__)) == len(module.__all__)
    for public in module.__all__:
        assert hasattr(module, public), public


def test_the_exceptions_are_still_needed() -> None:
    assert set(MODULES) >= WITHOUT
    assert not [name for name in WITHOUT if hasattr(import_module(name), "__all__")]


def test_every_module_says_what_it_is() -> None:
    silent = {"livecounters.models", "livecounters.models.bookkeeping"}
    empty = {
        "livecounters.management",
        "livecounters.management.commands",
        "livecounters.management.verbs",
        "livecounters.migrations",
        "livecounters.migrations.0001_initial",
        "livecounters.templatetags",
    }
    undocumented = {name for name in MODULES if not import_module(name).__doc__}

    assert undocumented - silent - empty == set()


def test_declarations_may_be_made_before_the_models_are_there() -> None:
    program = """
import sys
import livecounters as live
assert "livecounters.models" not in sys.modules
assert not any(m.startswith(("rest_framework", "channels")) for m in sys.modules), sys.modules
live.Count(window=live.last(days=3)), live.Activity("x")
class Declared(live.LiveModel): pass
assert "livecounters.models" not in sys.modules
print(sorted(m for m in sys.modules if m.startswith("livecounters.")))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "livecounters.registry" in done.stdout


def test_what_needs_the_models_is_there_when_they_are() -> None:
    from livecounters.muting import muted
    from livecounters.numbers import counters

    assert livecounters.muted is muted
    assert livecounters.counters is counters
