"""Rules: what can be reached, as it is declared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import livecounters as live
from livecounters.registry import registry
from livecounters.rules import BUSY, Rule, judged_counters, personal_counters, rules, rules_of
from tests.host.models import Attempt


class Learning(live.LiveModel):
    ruled = live.Count(
        per="user", goals={"day": 3, "week": 15}, milestones=[25, 10, 10], streaks=[7]
    )
    counted = live.Count(per="user")
    estimated = live.Count("quiz", distinct=True, sample=2, per="user")
    averaged = live.Avg("score", per="user")
    elsewhere = live.Count(per="quiz")


class Own(live.LiveSite):
    thorough = live.Badge("Thorough", lambda progress: True)


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    registry.add(Attempt, Learning)
    registry.add_site(Own)
    yield
    registry.remove(Learning)
    registry.remove(Own)


def test_they_follow_from_the_declaration() -> None:
    assert rules_of(registry.counters.get("ruled")) == [
        Rule("host.ruled", "first"),
        Rule("host.ruled", "busy", BUSY),
        Rule("host.ruled", "goal:day"),
        Rule("host.ruled", "goal:week"),
        Rule("host.ruled", "total", 10),
        Rule("host.ruled", "total", 25),
        Rule("host.ruled", "streak", 7),
    ]
    assert rules_of(registry.counters.get("counted")) == []
    assert rules()[-1] == Rule("site.thorough", "badge")
    assert {rule.family for rule in rules()} == {
        "first",
        "busy",
        "goal",
        "total",
        "streak",
        "badge",
    }


def test_whose_they_are() -> None:
    names = {entry.name for entry in personal_counters()}
    assert {"ruled", "counted"} <= names
    assert not {"averaged", "elsewhere", "estimated"} & names
    assert [entry.name for entry in judged_counters()] == ["ruled"]
