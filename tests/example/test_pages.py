"""Every page of the site in a browser: nothing keeps anybody out, nothing breaks the policy."""

import os
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from tests.pages import opened, overflow, violations
from tests.processes import process, wait_for
from tests.servers.server import free_port

PAGES = [
    *("/", "/packages/", "/packages/first-steps/", "/courses/everyday-fractions/", "/quizzes/1/"),
    *("/status/", "/people/login/", "/people/sign-up/"),
]
OWN = ["/", "/people/dashboard/", "/people/profile/", "/packages/first-steps/", "/quizzes/1/"]
# What a page says in its first heading.
HEADINGS = {
    "en": "Packages",
    "de": "Pakete",
    "fr": "Packs",
    "es": "Paquetes",
    "pt": "Pacotes",
    "zh-hans": "套餐",
}
CALM = {"reduced_motion": "reduce"}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


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


@pytest.fixture
async def browser(chromium):
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield found
        await found.close()


async def sign_in(page, site):
    await page.goto(f"{site}/people/login/")
    await page.fill("[name=username]", "ada")
    await page.fill("[name=password]", "lantern")
    await page.click("main button[type=submit]")


async def wrong(page, address, axe):
    """What is wrong with a page."""
    await page.goto(address)
    await expect(page.locator("live-status")).to_have_attribute("data-state", "live")
    found = await violations(page, axe) + await page.evaluate("window.refused")
    if await overflow(page) > 0:
        found.append("wider than its window")
    return [f"{page.url} {each}" for each in found]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
async def test_every_page(site, browser, axe, width, scheme):
    async with opened(browser, site, width, color_scheme=scheme, **CALM) as page:
        found = [each for path in PAGES for each in await wrong(page, site + path, axe)]
        await sign_in(page, site)
        found += [each for path in OWN for each in await wrong(page, site + path, axe)]
    assert found == []


async def test_a_quiz_from_its_first_question_to_its_result(site, browser, axe):
    async with opened(browser, site, 768, **CALM) as page:
        await page.goto(f"{site}/quizzes/1/")
        await page.click("button[value=real]")
        while await page.locator("#answer").count():
            assert await wrong(page, page.url, axe) == []
            await page.locator("#answer input[type=radio]").first.check()
            await page.click("button[form=answer]")
        assert await wrong(page, page.url, axe) == []


async def test_six_languages(site, browser):
    async with opened(browser, f"{site}/packages/", 360) as page:
        for code, heading in HEADINGS.items():
            await page.select_option("select[name=language]", code)
            await page.click(".language button")
            await expect(page.locator("h1")).to_have_text(heading)
            assert await page.locator("html").get_attribute("lang") == code
            for path in ("/packages/", "/", "/people/login/"):
                await page.goto(site + path)
                assert await overflow(page) <= 0, (code, path)
            await page.goto(f"{site}/packages/")
