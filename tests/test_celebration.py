"""Two browsers of one learner: what is finished in one moves both, and is celebrated once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.async_api import Browser, Page, expect

import livecounters as live
from livecounters import awards
from livecounters.models import Achievement, ActivityEvent
from tests.host.practice import declared
from tests.processes import uvicorn
from tests.test_browser import SOON, WAIT, status

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada() -> Iterator[User]:
    """Somebody who has done nine of ten."""
    found = User.objects.create_user("ada")
    with declared():
        awards.begin()
        for number in range(9):
            live.emit("session_completed", actor=found, data={"score": 60}, key=str(number))
        awards.judge(found, silently=True)
        yield found


@pytest.fixture
def environment(process_environment: dict[str, str]) -> dict[str, str]:
    return process_environment | {"LIVECOUNTERS_TEST_PUMP": "1", "LIVECOUNTERS_TEST_PRACTICE": "1"}


async def device(browser: Browser, server: str, user: User) -> Page:
    """A browser of its own, where somebody is signed in."""
    context = await browser.new_context()
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"an error on the page: {error}"))
    await page.goto(f"{server}/login/{user.pk}/")
    await page.goto(f"{server}/practice/")
    await expect(status(page)).to_have_attribute("data-state", "live", timeout=WAIT)
    return page


def total(page: Page) -> Any:
    return page.locator('live-progress [data-name="sessions"] [data-live="total"]')


async def test_once_on_two_devices(
    browser: Browser, environment: dict[str, str], ada: User
) -> None:
    with uvicorn(environment) as server:
        here, there = await device(browser, server, ada), await device(browser, server, ada)
        for page in (here, there):
            await expect(total(page)).to_have_text("9")

        # Two clicks here and one there, of one session.
        await here.locator("#finish").dblclick()
        await expect(here.locator("#said")).to_have_text("ada finished a session with 80 points")
        await there.locator("#finish").click()

        for page in (here, there):
            await expect(total(page)).to_have_text("10", timeout=SOON)
        dialogs = [page.locator("dialog[open]") for page in (here, there)]
        celebrating = await one_of(dialogs)
        await expect(celebrating).to_contain_text("10 in all")
        await celebrating.get_by_role("button").click()
        await expect(celebrating).to_have_count(0)
        # And not again when the pages are opened again.
        for page in (here, there):
            await page.reload()
            await expect(status(page)).to_have_attribute("data-state", "live", timeout=WAIT)
            await expect(page.locator("live-notifications")).to_have_attribute("data-unread", "1")
            assert await page.locator("dialog[open]").count() == 0

    assert await ActivityEvent.objects.acount() == 10
    assert await Achievement.objects.filter(kind="total").acount() == 1


async def one_of(dialogs: list[Any]) -> Any:
    """The one that is open; the other one is not."""
    opened = [asyncio.create_task(dialog.wait_for(timeout=WAIT)) for dialog in dialogs]
    done, waiting = await asyncio.wait(opened, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    assert [await dialog.count() for dialog in dialogs].count(1) == len(done) == 1
    return dialogs[opened.index(done.pop())]
