"""Whoever does what the README, the quickstart and the tutorials say has what they promise."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.manual import DOCS, ROOT, blocks
from tests.walkthrough import NotAsTold, Project, environment_with, steps
from tests.wheels import build

QUICKSTART = DOCS / "quickstart.md"
TUTORIALS = sorted(path for path in DOCS.glob("tutorials/*.md") if path.stem != "index")
WAIT = 15_000
NUMBERS = "data[data-live]"

# `make screenshots` keeps what is seen here, for the pages that tell of it.
PICTURES = os.environ.get("LIVECOUNTERS_PICTURES")

VIEW = """
from django.shortcuts import render

def home(request):
    return render(request, "shop/home.html")
"""
URLS = """
from django.urls import path
from shop import views

urlpatterns = [path("", views.home)]
"""


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("installed")
    (wheel,) = build(directory / "dist", "--wheel")
    return environment_with(wheel, directory)


@pytest.fixture(scope="module")
def finished(venv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of somebody who has come to the last step of the quickstart."""
    directory = tmp_path_factory.mktemp("mysite")
    served = Project(directory, venv).do(steps(QUICKSTART))
    assert served
    return directory


@pytest.fixture
def project(finished: Path, venv: Path, tmp_path: Path) -> Project:
    shutil.copytree(finished, tmp_path / "mysite")
    return Project(tmp_path / "mysite", venv)


def rest(page: Path) -> Iterator[Any]:
    """The steps after the one that starts the server."""
    found = steps(page)
    for block in found:
        if "uvicorn mysite.asgi" in block.text and block.language == "console":
            return found
    raise AssertionError(f"{page.name} starts no server")


async def opened(browser: Browser, address: str) -> Page:
    page = await browser.new_page(viewport={"width": 900, "height": 620})
    page.on("pageerror", lambda error: pytest.fail(f"an error on the page: {error}"))
    response = await page.goto(address)
    assert response is not None
    assert response.status == 200, await page.inner_text("body")
    if "/login/" in page.url:
        await page.fill("[name=username]", "ada")
        await page.fill("[name=password]", "lovelace")
        await page.click("[type=submit]")
    await expect(page.locator("live-status")).to_have_attribute("data-state", "live", timeout=WAIT)
    return page


async def numbers(page: Page) -> Any:
    """What the page says, whatever the order."""
    return sorted(await page.locator(NUMBERS).all_inner_texts())


async def says(page: Page, expected: list[str], *, otherwise: bool = False) -> None:
    """Wait until the page says these numbers, or others than these."""
    text = "[...document.querySelectorAll(given.where)].map((found) => found.innerText).sort()"
    until = f"(given) => (JSON.stringify({text}) === given.expected) !== given.otherwise"
    given = {
        "where": NUMBERS,
        "expected": json.dumps(expected, separators=(",", ":"), ensure_ascii=False),
        "otherwise": otherwise,
    }
    await page.wait_for_function(until, arg=given, timeout=WAIT)


async def test_the_quickstart(browser: Browser, project: Project) -> None:
    with project.served() as address:
        page = await opened(browser, address)
        cards = page.locator('live-counter [data-live="value"]')
        await expect(cards).to_have_text(["0", "0.00"])

        await asyncio.to_thread(project.do, rest(QUICKSTART))

        await expect(cards).to_have_text(["3", "74.70"], timeout=WAIT)
        await page.reload()
        await expect(cards).to_have_text(["3", "74.70", "3"])


async def test_the_readme(browser: Browser, venv: Path, tmp_path: Path) -> None:
    readme = ROOT / "README.md"
    project = Project(tmp_path, venv)
    project.run("$ django-admin startproject mysite .\n$ python manage.py startapp shop\n")
    models = next(b for b in blocks(QUICKSTART) if b.caption == "shop/models.py")
    project.write(models)
    # The project that the reader has, whatever else is in it.
    (tmp_path / "shop/views.py").write_text(VIEW)
    (tmp_path / "mysite/urls.py").write_text(URLS)
    with (tmp_path / "mysite/settings.py").open("a") as settings:
        settings.write('\nINSTALLED_APPS += ["shop"]\n')
    project.run("$ python manage.py makemigrations shop\n$ python manage.py migrate\n")

    assert project.do(steps(readme))

    order = (
        "from shop.models import *; from django.utils import timezone;"
        "Order.objects.create("
        "product=Product.objects.create(name='Lamp'), total=5, paid_at=timezone.now())"
    )
    with project.served() as address:
        page = await opened(browser, address)
        await asyncio.to_thread(project.call, "python", "manage.py", "shell", "-c", order)
        cards = page.locator('live-counter [data-live="value"]')
        await expect(cards).to_have_text(["1", "5.00"], timeout=WAIT)


# Each takes half a minute: the first is walked always, all by `make soak`.
WALKED = [
    pytest.param(page, id=page.stem, marks=[] if page.stem == "counter" else pytest.mark.soak)
    for page in TUTORIALS
]


@pytest.mark.parametrize("page", WALKED)
async def test_a_tutorial(browser: Browser, project: Project, page: Path) -> None:
    assert project.do(steps(page))
    with project.served() as address:
        address += "/" if page.stem == "counter" else f"/{page.stem}/"
        shown = await opened(browser, address)
        before = await numbers(shown)

        await asyncio.to_thread(project.do, rest(page))

        fresh = await opened(browser, address)
        await says(fresh, before, otherwise=True)
        # What was open all the time shows what is rendered now.
        await says(shown, await numbers(fresh))
        if PICTURES:
            await fresh.set_viewport_size({"width": 900, "height": 100})
            await fresh.screenshot(path=f"{PICTURES}/tutorial-{page.stem}.png", full_page=True)
    project.run("$ python manage.py livecounters verify\n")


async def test_two_tenants(browser: Browser, project: Project) -> None:
    page = DOCS / "howto" / "tenants.md"
    assert project.do(steps(page))
    with project.served() as address:
        here = await opened(browser, address)
        there = await opened(browser, address.replace("127.0.0.1", "localhost"))
        await says(here, ["0", "0.00"])

        await asyncio.to_thread(project.do, rest(page))

        await says(here, ["14.00", "2"])
        told = ".live-feed__list article"
        await expect(here.locator(told)).to_contain_text(["grace bought Lamp"] * 2, timeout=WAIT)
        await there.reload()
        await says(there, ["0", "0.00"])
        await expect(there.locator(told)).to_have_count(0)


def test_when_all_declarations_are_gone(project: Project) -> None:
    (project.directory / "shop" / "livecounters.py").unlink()

    project.run("$ python manage.py livecounters status\n  orphaned     shop_order\n")
    project.run("$ python manage.py livecounters sync\n")
    project.run("$ python manage.py livecounters status\n  nothing is declared: write\n")


def test_what_a_page_promises_is_looked_at(project: Project) -> None:
    with pytest.raises(NotAsTold, match="does not say 'nothing'"):
        project.run("$ python manage.py check\nnothing\n")
    with pytest.raises(NotAsTold, match="ended with"):
        project.run("$ python manage.py livecounters nothing\n")
