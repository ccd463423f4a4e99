"""The pages in a real browser: two windows, a restart, no sockets, a strict policy."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User
from playwright.async_api import Browser, Page, expect

from tests.host.models import Quiz
from tests.processes import uvicorn, wsgi
from tests.servers.server import free_port

pytestmark = pytest.mark.django_db(transaction=True)

WAIT = 15_000
# Within a second on a machine that has nothing else to do.
SOON = 3_000


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions <b>")


@pytest.fixture
def environment(process_environment: dict[str, str]) -> dict[str, str]:
    return process_environment | {"LIVECOUNTERS_TEST_PUMP": "1"}


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada<script>", password="ada")


async def window(browser: Browser, address: str) -> Page:
    page = await browser.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"an error on the page: {error}"))
    await page.goto(address)
    return page


async def complete(server: str, quiz: Quiz) -> None:
    await asyncio.to_thread(lambda: urlopen(f"{server}/complete/{quiz.pk}/").read())


def number(page: Page, name: str) -> Any:
    return page.locator(f'live-counter[data-name="{name}"] [data-live="value"]')


def status(page: Page) -> Any:
    return page.locator("live-status")


async def test_two_windows(
    browser: Browser, environment: dict[str, str], quiz: Quiz, ada: User
) -> None:
    with uvicorn(environment) as server:
        first, second = await window(browser, server), await window(browser, server)
        for page in (first, second):
            await expect(status(page)).to_have_attribute("data-state", "live", timeout=WAIT)
            await expect(number(page, "quizzes_today")).to_have_text("0")

        await first.goto(f"{server}/login/{ada.pk}/")
        await first.goto(f"{server}/complete/{quiz.pk}/")

        await expect(number(second, "quizzes_today")).to_have_text("1", timeout=SOON)
        items = second.locator('live-feed [data-live="text"]')
        # Told as text, whatever a user or a quiz is called.
        told = items.filter(has_text="ada<script> just completed Fractions <b>!")
        await expect(told).to_have_count(1, timeout=SOON)


async def test_over_a_restart(browser: Browser, environment: dict[str, str], quiz: Quiz) -> None:
    port = free_port()
    with uvicorn(environment, port) as server:
        page = await window(browser, server)
        await expect(status(page)).to_have_attribute("data-state", "live", timeout=WAIT)
    await expect(status(page)).to_have_attribute("data-state", "reconnecting", timeout=WAIT)
    with uvicorn(environment, port) as server:
        await complete(server, quiz)
        await expect(number(page, "attempts")).to_have_text("1", timeout=WAIT)
        await complete(server, quiz)
        await expect(number(page, "attempts")).to_have_text("2", timeout=WAIT)
        await expect(status(page)).to_have_attribute("data-state", "live", timeout=WAIT)


async def test_without_sockets(
    browser: Browser, process_environment: dict[str, str], quiz: Quiz, ada: User
) -> None:
    with wsgi(process_environment) as server:
        page = await window(browser, server)
        await expect(status(page)).to_have_attribute("data-state", "polling", timeout=WAIT)

        await complete(server, quiz)

        await expect(number(page, "attempts")).to_have_text("1", timeout=WAIT)
        await page.goto(f"{server}/login/{ada.pk}/")
        page = await window(browser, server)
        await expect(number(page, "attempts")).to_have_text("1")


async def test_without_javascript(
    browser: Browser, process_environment: dict[str, str], quiz: Quiz
) -> None:
    with wsgi(process_environment) as server:
        await complete(server, quiz)
        context = await browser.new_context(java_script_enabled=False)
        page = await context.new_page()
        await page.goto(server)

        await expect(number(page, "attempts")).to_have_text("1")
        await expect(number(page, "score_avg")).to_have_text("50.0")


@contextmanager
def elsewhere(html: str) -> Iterator[str]:
    """Another site, and its page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<!doctype html><link rel=icon href=data:,>{html}".encode())

        def log_message(self, *given: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as found:
        Thread(target=found.serve_forever, daemon=True).start()
        # The same machine, and another site than 127.0.0.1.
        yield f"http://localhost:{found.server_port}"
        found.shutdown()


async def test_a_card_on_another_site(
    browser: Browser, environment: dict[str, str], quiz: Quiz
) -> None:
    """Its page is of another site, and nobody gives it a cookie."""
    port = free_port()
    ours = f"http://127.0.0.1:{port}"
    frame = f'<iframe src="{ours}/live/embed/attempts/" title="Attempts"></iframe>'
    badge = f'<img src="{ours}/live/embed/attempts.svg" alt="Attempts">'
    with (
        elsewhere(frame + badge) as site,
        uvicorn(environment | {"LIVECOUNTERS_TEST_EMBEDS": site}, port) as server,
    ):
        page = await browser.new_page()
        wrong: list[str] = []
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.headers.get("cookie", "")))

        await page.goto(site)
        number = page.frame_locator("iframe").locator('[data-live="value"]')
        await expect(number).to_have_text("0", timeout=WAIT)
        drawn = "image => image.complete && image.naturalWidth > 40"
        assert await page.locator("img").evaluate(drawn)
        await page.frames[1].wait_for_selector('[data-live-state="live"]', timeout=WAIT)

        await complete(server, quiz)
        await expect(number).to_have_text("1", timeout=WAIT)

        read = f"fetch('{ours}/live/embed/attempts.json').then((answer) => answer.json())"
        assert (await page.evaluate(read))["label"] == "Attempts"
        assert not wrong
        assert not any(sent)
        assert not await page.context.cookies()


async def test_a_card_on_a_site_that_is_not_listed(
    browser: Browser, environment: dict[str, str], quiz: Quiz
) -> None:
    with uvicorn(environment | {"LIVECOUNTERS_TEST_EMBEDS": "http://other.example"}) as server:
        frame = f'<iframe src="{server}/live/embed/attempts/" title="Attempts"></iframe>'
        with elsewhere(frame) as site:
            page = await browser.new_page()
            refusal = page.expect_console_message(lambda said: "frame-ancestors" in said.text)
            async with refusal:
                await page.goto(site)

            assert await page.frame_locator("iframe").locator("live-counter").count() == 0
