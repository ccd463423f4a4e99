"""How it looks and sounds: every tag in every theme, dark, narrow, right to left, read out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import product
from typing import Any

import pytest
import pytest_asyncio
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.async_api import Browser, Page, async_playwright, expect

import livecounters as live
from livecounters import awards
from tests.host.models import Attempt, Quiz
from tests.host.practice import declared
from tests.host.rooms import Declared
from tests.pages import opened, overflow, violations
from tests.processes import uvicorn
from tests.test_browser import ARGUMENTS, WAIT, status

pytestmark = pytest.mark.django_db(transaction=True)

THEMES = ("", "board", "paper", "vivid")


@pytest_asyncio.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield found
        await found.close()


@pytest.fixture
def ada() -> Iterator[User]:
    """Somebody who has done something, among others, on a site where something has happened."""
    quiz = Quiz.objects.create(title="Fractions")
    found = User.objects.create_user("ada")
    with Declared(), declared():
        awards.begin()
        for name, sessions in (("ada", 26), ("grace", 31), ("edsger", 12)):
            user, _ = User.objects.get_or_create(username=name)
            for each in range(sessions):
                live.emit("session_completed", actor=user, data={"score": 85}, key=f"{name}{each}")
            Attempt.objects.create(
                quiz=quiz, user=user, completed=True, completed_at=timezone.now(), score=80
            )
        awards.judge(found, silently=True)
        yield found


@pytest.fixture
def server(process_environment: dict[str, str], ada: User) -> Iterator[str]:
    environment = process_environment | {
        "LIVECOUNTERS_TEST_PUMP": "1",
        "LIVECOUNTERS_TEST_PRACTICE": "1",
        "LIVECOUNTERS_TEST_PRESENCE": "database",
    }
    with uvicorn(environment) as found:
        yield found


async def gallery(page: Page, server: str, ada: User, theme: str = "") -> None:
    """All tags, as ada sees them; at rest, since what just fades in is pale."""
    await page.goto(f"{server}/login/{ada.pk}/")
    await page.goto(f"{server}/gallery/?theme={theme}")
    await expect(status(page)).to_have_attribute("data-state", "live", timeout=WAIT)


# The reader may prefer less motion, and then nothing fades.
CALM = {"reduced_motion": "reduce"}


async def test_axe_finds_nothing_in_any_theme(
    browser: Browser, server: str, ada: User, axe: str
) -> None:
    for theme, scheme in product(THEMES, ("light", "dark")):
        async with opened(browser, server, color_scheme=scheme, **CALM) as page:
            await gallery(page, server, ada, theme)
            assert await violations(page, axe) == [], (theme, scheme)
            # The state of a page whose server has gone.
            await page.evaluate("document.documentElement.dataset.liveState = 'stale'")
            await page.evaluate("document.querySelector('live-status').dataset.state = 'stale'")
            assert await violations(page, axe) == [], (theme, scheme)


PREFERENCES: list[dict[str, Any]] = [
    {"contrast": "more"},
    {"contrast": "more", "color_scheme": "dark"},
    {"locale": "ar"},
]


async def test_axe_finds_nothing_on_a_telephone(
    browser: Browser, server: str, ada: User, axe: str
) -> None:
    for preference in PREFERENCES:
        async with opened(browser, server, 360, **CALM, **preference) as page:
            await gallery(page, server, ada)
            assert await violations(page, axe) == [], preference


async def test_nothing_lies_beside_a_narrow_window(
    browser: Browser, server: str, ada: User
) -> None:
    for theme, locale in [*((theme, "en") for theme in THEMES), ("", "de"), ("", "ar")]:
        # 1280 pixels at 400 %.
        async with opened(browser, server, 320, locale=locale) as page:
            await gallery(page, server, ada, theme)
            assert await overflow(page) <= 0, (theme, locale)
            # WCAG 1.4.12: who reads with more space loses nothing.
            await page.add_style_tag(content=SPACED)
            assert await overflow(page) <= 0, (theme, locale)
            assert await page.evaluate(CUT_OFF) == [], (theme, locale)


SPACED = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
word-spacing: 0.16em !important } p { margin-block-end: 2em !important }"""

# Text that does not fit its box.
CUT_OFF = """[...document.querySelectorAll("main *")].filter((each) =>
    getComputedStyle(each).overflow === "hidden" && each.scrollWidth > each.clientWidth + 1
    && each.clientWidth > 1).map((each) => each.className)"""
