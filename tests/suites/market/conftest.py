"""Mixes the tests up, more than any runner does: also of classes that commit and that do not."""

from __future__ import annotations

import os
import random

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seed = os.environ.get("SUITE_SEED")
    if seed:
        random.Random(seed).shuffle(items)
