"""``livecounters remind`` and ``report``, as cron runs them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from livecounters.signals import streak_at_risk
from tests.test_attainment import at, study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("learning")]

SITE = "--site=https://example.com"


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(at("2026-03-11T18:00"), tick=False):
        yield


@pytest.fixture
def ada() -> User:
    ada = User.objects.create(username="ada", email="ada@example.com")
    study(ada, "2026-03-09T10:00", "2026-03-10T10:00")
    return ada


def test_each_is_reminded_once(ada: User, mailoutbox: list[Any], capsys: Any) -> None:
    call_command("livecounters", "remind", SITE, "--dry-run")
    assert mailoutbox == []
    call_command("livecounters", "remind", SITE)
    call_command("livecounters", "remind", SITE)

    assert len(mailoutbox) == 1
    assert capsys.readouterr().out.splitlines() == [
        "ada: sessions, 2 days",
        "1 people would be reminded",
        "1 people reminded",
        "0 people reminded",
    ]


def test_a_host_that_says_it_in_its_own_way(ada: User, mailoutbox: list[Any]) -> None:
    heard: list[Any] = []

    def hear(user: Any, counter: str, streak: int, today: dt.date, **given: Any) -> None:
        heard.append((user, counter, streak, today))

    streak_at_risk.connect(hear)
    try:
        call_command("livecounters", "remind")
    finally:
        streak_at_risk.disconnect(hear)

    assert heard == [(ada, "sessions", 2, dt.date(2026, 3, 11))]
    assert mailoutbox == []


def test_links_need_an_address(ada: User, settings: Any, mailoutbox: list[Any]) -> None:
    with pytest.raises(CommandError, match="SITE_URL"):
        call_command("livecounters", "remind")
    settings.LIVECOUNTERS = {"SITE_URL": "https://example.com/"}
    call_command("livecounters", "remind")

    assert "https://example.com/live/unsubscribe/" in mailoutbox[0].body


def test_each_gets_a_report_once(ada: User, mailoutbox: list[Any], capsys: Any) -> None:
    study(ada, "2026-03-04T10:00")
    call_command("livecounters", "report", SITE, "--dry-run")
    call_command("livecounters", "report", SITE)
    call_command("livecounters", "report", SITE)

    assert len(mailoutbox) == 1
    assert capsys.readouterr().out.splitlines()[0] == "ada: 2026-03-02, 1"
