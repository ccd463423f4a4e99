"""The post: what letters say, and that they can be ended."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from livecounters import post
from livecounters.awards import judge
from livecounters.letters import AtRisk, report_of
from livecounters.preferences import preferences
from tests.test_attainment import at, study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("learning")]

SITE = "https://example.com"


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada", email="ada@example.com")


def test_a_reminder(ada: User, mailoutbox: list[Any]) -> None:
    assert post.remind(AtRisk(ada, "sessions", 7, dt.date(2026, 3, 11)), SITE)

    (mail,) = mailoutbox
    assert mail.to == ["ada@example.com"]
    assert "Your streak of 7 days ends at midnight." in mail.body
    (html,) = mail.alternatives
    assert "Your streak of 7 days ends at midnight." in html[0]
    assert mail.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_report_of_a_week(ada: User, mailoutbox: list[Any]) -> None:
    study(ada, "2026-03-03T10:00")
    judge(ada, at("2026-03-03T11:00"))
    study(ada, *["2026-03-04T10:00"] * 5)
    judge(ada, at("2026-03-04T11:00"))
    week = report_of(ada, dt.date(2026, 3, 2), at("2026-03-09T12:00"))

    assert post.send_report(week, SITE)

    (mail,) = mailoutbox
    assert "Sessions: 6 (the week before: 0)" in mail.body
    assert "* Sessions: A busy day: 5" in mail.body
    assert SITE in mail.body
    assert "<td>6</td>" in mail.alternatives[0][0]


def test_a_click_on_the_link_in_it(ada: User, mailoutbox: list[Any]) -> None:
    post.remind(AtRisk(ada, "sessions", 7, dt.date(2026, 3, 11)), SITE)
    link = mailoutbox[0].extra_headers["List-Unsubscribe"].strip("<>").removeprefix(SITE)
    browser = Client(enforce_csrf_checks=True)

    assert browser.get(link).status_code == 200
    assert preferences(str(ada.pk))["reminders"]
    assert browser.post(link).status_code == 200
    assert not preferences(str(ada.pk))["reminders"]
    assert browser.post(link + "x/").status_code == 404
    assert browser.get("/live/unsubscribe/x/").status_code == 404


def test_somebody_without_an_address(ada: User, mailoutbox: list[Any]) -> None:
    ada.email = ""

    assert not post.remind(AtRisk(ada, "sessions", 7, dt.date(2026, 3, 11)), SITE)
    assert mailoutbox == []
