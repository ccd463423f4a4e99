"""``livecounters run``; that it pumps and ends is tested in test_processes.py."""

from __future__ import annotations

import pytest

from livecounters import feed
from livecounters.models import Delta
from tests.commands import run

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("filled")
def test_once() -> None:
    assert Delta.objects.exists()

    said = run("run", "--once").splitlines()

    assert said[-1] == f"newest event {feed.head().seq}"
    assert not Delta.objects.exists()
