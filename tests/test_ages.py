"""How long ago: as the page's script says it, in every language that the package speaks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.utils import translation
from playwright.sync_api import Page, sync_playwright

from livecounters.ages import age

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
LANGUAGES = ("en", "de", "fr", "es", "pt", "zh-hans")
SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86400
# Seconds, and what Intl is asked for.
AGES = [
    (0, "second", 0),
    (9, "second", 0),
    (10, "second", 10),
    (59, "second", 50),
    (MINUTE, "minute", 1),
    (59 * MINUTE, "minute", 59),
    (HOUR, "hour", 1),
    (3 * HOUR + 20 * MINUTE, "hour", 3),
    (DAY, "day", 1),
    (2 * DAY, "day", 2),
    (29 * DAY, "day", 29),
    (30 * DAY, "month", 1),
    (61 * DAY, "month", 2),
    (366 * DAY, "year", 1),
    (3 * 366 * DAY, "year", 3),
]

WRITE = """([languages, ages]) => languages.map((language) => {
    const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
    return ages.map(([, unit, number]) => format.format(-number, unit));
})"""


def written(language: str) -> list[str]:
    with translation.override(language):
        return [age(NOW - dt.timedelta(seconds=seconds), NOW) for seconds, _, _ in AGES]


def test_in_english() -> None:
    assert written("en") == [
        *("now", "now", "10 seconds ago", "50 seconds ago", "1 minute ago", "59 minutes ago"),
        *("1 hour ago", "3 hours ago", "yesterday", "2 days ago", "29 days ago"),
        *("last month", "2 months ago", "last year", "3 years ago"),
    ]


def test_what_is_to_come_is_now() -> None:
    assert age(NOW + dt.timedelta(hours=1), NOW) == "now"


@pytest.fixture(scope="module")
def page(chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_as_a_browser_says_it(page: Page) -> None:
    theirs = page.evaluate(WRITE, [LANGUAGES, AGES])

    ours = [written(language) for language in LANGUAGES]
    assert dict(zip(LANGUAGES, ours, strict=True)) == dict(zip(LANGUAGES, theirs, strict=True))
