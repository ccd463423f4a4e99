"""``livecounters fold``, and ``run --once``"""

from __future__ import annotations

import pytest

import livecounters as live
from livecounters import feed
from livecounters.models import Bucket, Delta
from tests.commands import run

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("verb", [["fold"], ["run", "--once"], ["fold", "--database", "default"]])
def test_what_is_pending_is_folded(verb: list[str]) -> None:
    pending = Delta.objects.count()
    assert pending
    before = live.counters["attempts"].value()

    said = run(*verb).splitlines()

    assert said == [f"default: {pending} deltas folded", f"newest event {feed.head().seq}"]
    assert not Delta.objects.exists()
    assert Bucket.objects.exists()
    assert live.counters["attempts"].value() == before
    # Ten events: all that is told of five attempts by somebody known.
    assert feed.head().seq == 10
    assert run(*verb).splitlines()[0] == "default: 0 deltas folded"
