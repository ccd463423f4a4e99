"""How it looks and sounds: every tag in every theme, dark, narrow, right to left, read out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
import pytest_asyncio
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.async_api import Browser, Page, Route, async_playwright, expect

import livecounters as live
from livecounters import awards
from tests.host.models import Attempt, Quiz, Sale
from tests.host.practice import declared
from tests.host.rooms import Declared
from tests.pages import opened, overflow, violations
from tests.processes import uvicorn
from tests.test_browser import ARGUMENTS, WAIT, number, status

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
        for name, sessions in (("ada", 10), ("grace", 12), ("edsger", 4)):
            user, _ = User.objects.get_or_create(username=name)
            for each in range(sessions):
                live.emit("session_completed", actor=user, data={"score": 85}, key=f"{name}{each}")
            Attempt.objects.create(
                quiz=quiz, user=user, completed=True, completed_at=timezone.now(), score=80
            )
        Sale.objects.create(price=Decimal("1234567.50"), quantity=1, day=timezone.now())
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


# Numbers


# What the script would write in the place of what the server has written.
REWRITTEN = """[...document.querySelectorAll("live-counter")].map((each) => [
    each.querySelector('[data-live="value"]').textContent,
    each.client.format.value(each.value, each.decimals)])"""
AGED = """[...document.querySelectorAll("live-feed time")].map((each) => [
    each.textContent, each.closest("live-feed").client.format.age(
        Date.parse(each.dateTime), each.closest("live-feed").client.clock.now())])"""


async def test_the_script_writes_what_the_server_has_written(
    browser: Browser, server: str, ada: User
) -> None:
    for locale in ("en", "de", "fr", "es", "pt", "zh-CN"):
        async with opened(browser, server, locale=locale) as page:
            await gallery(page, server, ada)
            texts = await page.evaluate(REWRITTEN)
            assert [server for server, _ in texts] == [client for _, client in texts]
            assert all(server == client for server, client in await page.evaluate(AGED))
            if locale == "de":
                assert "1.234.567,50" in [server for server, _ in texts]


CHANGE = """async ([which, from, to]) => {
    const pause = async () => {
        // No number has changed lately.
        while (document.querySelector("[data-fresh]"))
            await new Promise((done) => setTimeout(done, 100));
    };
    const counters = document.querySelectorAll(which);
    for (const each of counters) each.take("", from);
    await pause();
    window.jumps.length = 0;
    for (const each of counters) each.take("", to);
    await pause();
    return window.jumps;
}"""


async def test_nothing_jumps_when_a_number_grows(browser: Browser, server: str, ada: User) -> None:
    for theme, width in (("", 360), ("", 1280), ("vivid", 1280)):
        async with opened(browser, server, width) as page:
            await gallery(page, server, ada, theme)
            for numbers in ([9, 10], [999, 1000]):
                jumps = await page.evaluate(CHANGE, [".live-card", *numbers])
                assert jumps == [], (theme, width, numbers)
            # In a line, the words behind a number make room for it.
            jumps = await page.evaluate(CHANGE, ["live-online, p live-counter", 999, 1000])
            assert sum(size for size, _ in jumps) < 0.001, (theme, width)


# What may go wrong


async def test_without_a_script_the_numbers_stand_with_their_time(
    browser: Browser, server: str
) -> None:
    async def blocked(route: Route) -> None:
        await route.abort()

    async def wrong(route: Route) -> None:
        await route.fulfill(body="throw new Error('wrong')", content_type="text/javascript")

    for answer in (blocked, wrong):
        page = await browser.new_page()
        await page.route("**/*.js", answer)
        await page.goto(f"{server}/gallery/")
        await expect(number(page, "attempts")).to_have_text("3")
        assert (await status(page).inner_text()).startswith("As of ")
        await page.close()


async def test_a_clock_that_is_a_day_wrong(browser: Browser, server: str, ada: User) -> None:
    for days in (-1, 1):
        async with opened(browser, server) as page:
            wrong = f"const now = Date.now; Date.now = () => now() + {days * 86_400_000};"
            await page.add_init_script(wrong)
            await gallery(page, server, ada)
            times = await page.locator("live-feed time").all_inner_texts()
            assert all(time == "now" or "second" in time or "minute" in time for time in times)
            assert times


async def test_only_the_state_is_told_by_itself(browser: Browser, server: str, ada: User) -> None:
    """Numbers are read when the reader comes to them, not whenever they change."""
    async with opened(browser, server) as page:
        await gallery(page, server, ada)
        told = "[aria-live], [role=status], [role=alert], [role=log]"
        found = await page.locator(told).evaluate_all("(all) => all.map((each) => each.outerHTML)")
        assert not [each for each in found if 'data-live="value"' in each]


async def test_less_motion(browser: Browser, server: str, ada: User) -> None:
    async with opened(browser, server, **CALM) as page:
        await gallery(page, server, ada)
        assert await page.evaluate("document.getAnimations().length") == 0
        glide = """() => { const each = document.querySelector("live-counter");
            each.take("", 1000000); return each.querySelector("[data-live]").textContent; }"""
        assert await page.evaluate(glide) == "1,000,000"


async def test_without_the_style_sheet(browser: Browser, server: str, ada: User) -> None:
    """Every card on a line of its own, and no picture greater than the page."""
    async with opened(browser, server, 360) as page:
        await page.route("**/*.css", lambda route: route.abort())
        await page.goto(f"{server}/login/{ada.pk}/")
        await page.goto(f"{server}/gallery/")
        tops = await page.locator("live-counter.live-card").evaluate_all(
            "(all) => all.map((each) => each.lastElementChild.getBoundingClientRect().top)"
        )
        assert len(tops) > 3
        assert len(set(tops)) == len(tops)
        ring = await page.locator("svg").bounding_box()
        assert ring is not None
        assert ring["width"] < 100
        assert await overflow(page) <= 0
