"""Badges: what a declaration may say."""

from __future__ import annotations

from typing import Any

import pytest

import livecounters as live
from livecounters.registry import Registry
from tests.host.models import Attempt


@pytest.mark.parametrize(
    ("given", "cure"),
    [(("", bool), "give what it is called"), (("Allrounder", 5), "give a function of somebody's")],
)
def test_what_will_not_do(given: tuple[Any, Any], cure: str) -> None:
    with pytest.raises(TypeError, match=cure):
        live.Badge(*given)


def test_a_badge_belongs_to_the_site() -> None:
    class Site(live.LiveSite):
        allrounder = live.Badge("Allrounder", bool)

    class OfRows(live.LiveModel):
        allrounder = live.Badge("Allrounder", bool)

    names = Registry()
    names.add_site(Site)
    assert [entry.full_name for entry in names.badges] == ["site.allrounder"]
    with pytest.raises(TypeError, match=r"declare it in a live\.LiveSite"):
        names.add(Attempt, OfRows)
    names.remove(Site)
    assert not len(names.badges)
