"""Charts, breakdowns and leaderboards in a real browser, under the strictest policy: a row is
written, and all of them move."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.async_api import Browser, Page, expect

from tests.host.models import Attempt, Quiz
from tests.processes import uvicorn, wsgi
from tests.test_browser import SOON, WAIT, complete, number, status

pytestmark = pytest.mark.django_db(transaction=True)

LONG_TASKS = """
window.tasks = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries().map((one) => one.duration)))
  .observe({ type: "longtask", buffered: true });
"""


@pytest.fixture
def environment(process_environment: dict[str, str]) -> dict[str, str]:
    return process_environment | {"LIVECOUNTERS_TEST_PUMP": "1"}


@pytest.fixture
def quizzes() -> list[Quiz]:
    """Two of them, one taken twice by one person, the other once by another."""
    found = [Quiz.objects.create(title=title) for title in ("Fractions", "Maps")]
    people = [User.objects.create_user(f"<b>{name}") for name in ("ada", "bob")]
    for quiz, user, times in zip(found, people, (2, 1), strict=True):
        for _ in range(times):
            Attempt.objects.create(
                quiz=quiz, user=user, completed=True, completed_at=timezone.now(), score=50
            )
    return found


async def opened(browser: Browser, server: str, user: int | None = None, **given: Any) -> Page:
    """The page with the charts, of somebody who is signed in; it says how it was refused."""
    context = await browser.new_context(**given)
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"an error on the page: {error}"))
    page.on("console", lambda told: refused(told.text))
    if given.get("java_script_enabled", True):
        await page.add_init_script(LONG_TASKS)
    if user is not None:
        await page.goto(f"{server}/login/{user}/")
    await page.goto(f"{server}/charts/")
    return page


def refused(text: str) -> None:
    if "Content Security Policy" in text:
        pytest.fail(text)


def lines(page: Page, element: str, what: str) -> Any:
    return page.locator(f'{element} [data-live="list"] [data-live="{what}"]')


def running(page: Page) -> Any:
    return page.locator('#week [data-live="reading"]')


async def test_a_row_moves_them_all(
    browser: Browser, environment: dict[str, str], quizzes: list[Quiz]
) -> None:
    bob = (await User.objects.aget(username="<b>bob")).pk
    with uvicorn(environment) as server:
        page = await opened(browser, server, bob)
        await expect(status(page)).to_have_attribute("data-state", "live", timeout=WAIT)
        await expect(running(page)).to_contain_text("3 (so far)")
        await expect(lines(page, "live-breakdown", "value")).to_have_text(["2", "1"])
        await expect(lines(page, "live-leaderboard", "name")).to_have_text(["<b>ada", "<b>bob"])
        before = await page.locator('.live-card [data-live="running"]').get_attribute("d")

        other = await opened(browser, server, bob)
        for _ in range(2):
            await other.goto(f"{server}/complete/{quizzes[1].pk}/")

        await expect(number(page, "attempts")).to_have_text("5", timeout=SOON)
        await expect(running(page)).to_contain_text("5 (so far)", timeout=SOON)
        await expect(lines(page, "live-breakdown", "value")).to_have_text(["3", "2"], timeout=SOON)
        await expect(lines(page, "live-breakdown", "share")).to_have_text(["60", "40"])
        # One's own line has moved up, and is still one's own.
        await expect(lines(page, "live-leaderboard", "name")).to_have_text(["<b>bob", "<b>ada"])
        own = page.locator('live-leaderboard tr[aria-current="true"]')
        await expect(own).to_contain_text("<b>bob")
        await expect(own.locator('[data-live="you"]')).to_be_visible()
        # The greatest of all steps is the running one, before and after.
        assert before == await page.locator('.live-card [data-live="running"]').get_attribute("d")
        bars = page.locator('live-breakdown [data-live="list"] progress')
        assert [await bar.evaluate("bar => bar.value") for bar in await bars.all()] == [100, 66.7]


async def test_reading_with_keys_and_pointer(
    browser: Browser, environment: dict[str, str], quizzes: list[Quiz]
) -> None:
    with uvicorn(environment) as server:
        page = await opened(browser, server)
        reading = page.get_by_role("slider").first

        await reading.press("ArrowLeft")
        await expect(reading).to_have_attribute("aria-valuetext", await words(page))
        assert (await words(page)).endswith(": 0")
        await reading.press("End")
        assert (await words(page)).endswith(": 3 (so far)")
        await reading.press("Home")
        assert (await words(page)).endswith(": 0")
        box = await reading.bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + box["width"] * 0.99, box["y"] + 5)
        assert (await words(page)).endswith(": 3 (so far)")


async def words(page: Page) -> str:
    return (await running(page).inner_text()).strip()


async def test_without_javascript(
    browser: Browser, process_environment: dict[str, str], quizzes: list[Quiz]
) -> None:
    with wsgi(process_environment) as server:
        page = await opened(browser, server, java_script_enabled=False)

        assert (await words(page)).endswith(": 3 (so far)")
        assert await page.get_by_role("slider").count() == 0
        await page.locator("#week summary").click()
        await expect(page.locator("#week tr").last).to_contain_text("3")
        await expect(lines(page, "live-leaderboard", "name")).to_have_text(["<b>ada", "<b>bob"])
        size = await page.locator("#week svg").bounding_box()
        assert size is not None
        assert size["height"] == 160


async def test_by_polling(
    browser: Browser, process_environment: dict[str, str], quizzes: list[Quiz]
) -> None:
    with wsgi(process_environment) as server:
        page = await opened(browser, server)
        await expect(status(page)).to_have_attribute("data-state", "polling", timeout=WAIT)

        await complete(server, quizzes[0])

        await expect(running(page)).to_contain_text("4 (so far)", timeout=WAIT)
        await expect(lines(page, "live-breakdown", "value")).to_have_text(["3", "1"])


async def test_many_points_without_a_long_task(
    browser: Browser, environment: dict[str, str], quizzes: list[Quiz]
) -> None:
    with uvicorn(environment) as server:
        page = await opened(browser, server)
        await expect(status(page)).to_have_attribute("data-state", "live", timeout=WAIT)
        picture = page.locator('#minutes [data-live="shape"]')
        before = await picture.get_attribute("d")
        await page.locator("#minutes summary").click()
        await page.evaluate("tasks.length = 0")

        # Sent every 14 seconds; three more change the scale of all that is drawn.
        await asyncio.gather(*(complete(server, quizzes[0]) for _ in range(3)))

        await expect(picture).not_to_have_attribute("d", before or "", timeout=4 * WAIT)
        assert await page.locator("#minutes tr").count() == 1440
        # On a machine that has nothing else to do there is none of 50 milliseconds.
        assert max(await page.evaluate("tasks"), default=0) < 150
