"""A dialect without a database."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections

if TYPE_CHECKING:
    from livecounters.dialects import Dialect

BACKENDS = {"postgresql": "postgresql", "sqlite": "sqlite3"}


@pytest.fixture(params=BACKENDS)
def dialect(request: Any) -> Iterator[Dialect]:
    """A dialect on a connection that is never opened."""
    # Imported here: conftests are read before Django is set up.
    from livecounters.dialects import DIALECTS

    backend = f"django.db.backends.{BACKENDS[request.param]}"
    given = connections.configure_settings({"default": {"ENGINE": backend, "NAME": "none"}})
    wrapper = import_module(f"{backend}.base").DatabaseWrapper(given["default"], "text_only")
    connections["text_only"] = wrapper
    yield DIALECTS[request.param]("text_only")
    assert wrapper.connection is None
    del connections["text_only"]
