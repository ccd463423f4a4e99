"""Every page of the site in a browser: nothing keeps anybody out, nothing breaks the policy."""

import os
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.pages import LOOKS, launched, opened, overflow, violations
from tests.processes import process, wait_for
from tests.servers.server import free_port

PAGES = [
    *("/", "/packages/", "/packages/first-steps/", "/courses/everyday-fractions/", "/quizzes/1/"),
    *("/status/", "/share/", "/people/login/", "/people/sign-up/"),
]
OWN = ["/", "/people/dashboard/", "/people/profile/", "/packages/first-steps/", "/quizzes/1/"]
ADMIN = "/admin/livecounters/"
OPERATED = ["dashboard/", "dashboard/people/", "measured/"]
# What a page says in its first heading.
HEADINGS = {
    "en": "Packages",
    "de": "Pakete",
    "fr": "Packs",
    "es": "Paquetes",
    "pt": "Pacotes",
    "zh-hans": "套餐",
}
# The longest words, and the shortest.
LANGUAGES = [
    "de",
    "zh-hans",
    *(pytest.param(each, marks=pytest.mark.soak) for each in ("en", "fr", "es", "pt")),
]
# In pages of the admin.
OURS = ".live-admin"
CALM = {"reduced_motion": "reduce"}
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The demo, without simulated learners."""
    port = free_port()
    root = Path(__file__).parents[2] / "example_project"
    environment = os.environ | {"EXAMPLE_SQLITE": str(tmp_path_factory.mktemp("site") / "db")}
    environment |= {"EXAMPLE_DATABASE": "", "PYTHONWARNINGS": "ignore"}
    arguments = [str(root / "manage.py"), "demo", "--no-simulation", "--port", str(port)]
    with process(arguments, environment) as started:
        wait_for(port, started)
        yield f"http://127.0.0.1:{port}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium):
    async with launched(chromium) as found:
        yield found


async def sign_in(page, site, name="ada"):
    await page.goto(f"{site}/people/login/")
    await page.fill("[name=username]", name)
    await page.fill("[name=password]", "lantern")
    await page.click("main button[type=submit]")


async def wrong(page, address, axe):
    """What is wrong with a page: looked at whole, and again small and dark."""
    await page.goto(address)
    await expect(page.locator("live-status")).to_have_attribute("data-state", "live")
    found = await violations(page, axe)
    if await overflow(page) > 0:
        found.append("wider than its window")
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.emulate_media(color_scheme="dark", **CALM)
    found += await violations(page, axe, LOOKS) + await page.evaluate("window.refused")
    if await overflow(page) > 0:
        found.append("wider than a telephone")
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.emulate_media(color_scheme="light", **CALM)
    return [f"{page.url} {each}" for each in found]


async def test_every_page(site, browser, axe):
    async with opened(browser, site, **CALM) as page:
        found = [each for path in PAGES for each in await wrong(page, site + path, axe)]
        await sign_in(page, site)
        found += [each for path in OWN for each in await wrong(page, site + path, axe)]
        toasts = page.locator(".live-notifications__toasts")
        # The links beside them do not wrap.
        assert await toasts.evaluate("(each) => getComputedStyle(each).whiteSpace") == "normal"
    assert found == []


async def test_every_page_of_operators(site, browser, axe):
    """What is ours on them. The frame and the lists are Django's, and run its scripts."""
    async with opened(browser, site, **CALM) as page:
        await sign_in(page, site, "olga")
        await page.goto(f"{site}{ADMIN}measured/")
        first = await page.locator("#content-main th a").first.get_attribute("href")
        await page.goto(f"{site}{ADMIN}achievement/")
        assert await page.evaluate("window.refused") == []
        paths = [*(ADMIN + each for each in OPERATED), f"{first}?account", f"{first}verify/"]
        found = []
        for path in paths:
            await page.goto(site + path)
            found += await violations(page, axe, within=OURS)
            await page.set_viewport_size({"width": 360, "height": 740})
            await page.emulate_media(color_scheme="dark", **CALM)
            # The links of the admin change their colour slowly.
            await page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")
            found += await violations(page, axe, LOOKS, within=OURS)
            found += await page.evaluate("window.refused")
            if await overflow(page) > 0:
                found.append("wider than a telephone")
            await page.set_viewport_size({"width": 1280, "height": 800})
            await page.emulate_media(color_scheme="light", **CALM)
            assert found == [], path


async def test_a_quiz_from_its_first_question_to_its_result(site, browser, axe):
    async with opened(browser, f"{site}/quizzes/1/", **CALM) as page:
        await page.click("button[value=real]")
        assert await wrong(page, page.url, axe) == []
        while await page.locator("#answer").count():
            await page.locator("#answer input[type=radio]").first.check()
            await page.click("button[form=answer]")
        assert await wrong(page, page.url, axe) == []


@pytest.mark.parametrize("code", LANGUAGES)
async def test_six_languages(site, browser, code):
    async with opened(browser, f"{site}/packages/", 360) as page:
        await page.select_option("select[name=language]", code)
        await page.click(".language button")
        await expect(page.locator("h1")).to_have_text(HEADINGS[code])
        assert await page.locator("html").get_attribute("lang") == code
        assert await overflow(page) <= 0
        for path in ("/", "/people/login/"):
            await page.goto(site + path, wait_until="domcontentloaded")
            assert await overflow(page) <= 0, path
