"""Dates are written as Chromium writes them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import translation
from playwright.sync_api import sync_playwright

from livecounters.dates import SAME, STYLES, written
from livecounters.pictures import _time, _times
from livecounters.series import Point

WRITE = """([language, options, moments]) => {
    const format = new Intl.DateTimeFormat(language, options);
    return moments.map((each) => format.format(Date.parse(each)));
}"""
# Every month, every hour, days and minutes of one digit and of two.
MOMENTS = [
    dt.datetime(2026, 1 + n % 12, 1 + n, n, 5 * (n % 12), tzinfo=ZoneInfo(settings.TIME_ZONE))
    for n in range(24)
]


def test_as_a_browser_writes_them(chromium: str) -> None:
    """With the very options that the page gives to its script."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        for language in (*STYLES, *SAME):
            for step in ("day", "hour"):
                asked = [language, _times(step), [moment.isoformat() for moment in MOMENTS]]
                with translation.override(language):
                    ours = [_time(Point(moment, 1, False), step) for moment in MOMENTS]
                assert ours == page.evaluate(WRITE, asked), (language, step)
        browser.close()


@pytest.mark.parametrize("language", ["it", "en-gb", "pt-pt", "zh-hant", ""])
def test_other_languages_are_left_to_django(language: str) -> None:
    assert written(MOMENTS[0], language, minutes=True) is None
    with translation.override(language or None):
        assert "2026" in _time(Point(MOMENTS[0], 1, False), "day")
