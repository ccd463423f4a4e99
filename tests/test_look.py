"""How it looks and sounds: every tag in every theme, dark, narrow, right to left, read out."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from playwright.async_api import Browser, Page, Route, expect

import livecounters as live
from livecounters import awards
from livecounters.registry import registry
from tests.host.models import Attempt, Quiz, Sale
from tests.host.practice import PracticeLive
from tests.host.rooms import Declared
from tests.pages import LOOKS, launched, opened, overflow, violations
from tests.processes import uvicorn
from tests.test_browser import WAIT, number, status

# One server, one browser and one person for all: nothing here changes what the others see.
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.django_db(transaction=True),
]

Gallery = Callable[..., AbstractAsyncContextManager[Page]]

THEMES = ("", "board", "paper", "vivid")


@pytest.fixture
def _django_db_helper() -> None:
    """In the place of pytest-django's own, which would empty the tables after each test."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with launched(chromium) as found:
        yield found


@pytest.fixture(scope="module")
def ada(bring_in_force: Callable[[Any], None], django_db_blocker: Any) -> Iterator[User]:
    """Somebody who has done something, among others, on a site where something has happened."""
    with Declared(), django_db_blocker.unblock():
        registry.add_site(PracticeLive)
        bring_in_force(registry)
        awards.begin()
        quiz = Quiz.objects.create(title="Fractions")
        for name, sessions in (("ada", 10), ("grace", 12), ("edsger", 4)):
            user = User.objects.create_user(name)
            for each in range(sessions):
                live.emit("session_completed", actor=user, data={"score": 85}, key=f"{name}{each}")
            Attempt.objects.create(
                quiz=quiz, user=user, completed=True, completed_at=timezone.now(), score=80
            )
        Sale.objects.create(price=Decimal("1234567.50"), quantity=1, day=timezone.now())
        found = User.objects.get(username="ada")
        awards.judge(found, silently=True)
        yield found
        registry.remove(PracticeLive)
        call_command("flush", interactive=False, verbosity=0, reset_sequences=False)


@pytest.fixture(scope="module")
def server(ada: User) -> Iterator[str]:
    environment = os.environ | {
        "LIVECOUNTERS_TEST_DATABASE_NAME": str(connection.settings_dict["NAME"]),
        "LIVECOUNTERS_TEST_PUMP": "1",
        "LIVECOUNTERS_TEST_PRACTICE": "1",
        "LIVECOUNTERS_TEST_PRESENCE": "database",
    }
    with uvicorn(environment) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(browser: Browser, server: str, ada: User) -> Any:
    """What a browser keeps once ada is signed in."""
    context = await browser.new_context()
    await (await context.new_page()).goto(f"{server}/login/{ada.pk}/")
    kept = await context.storage_state()
    await context.close()
    return kept


# The reader may prefer less motion, and then nothing fades.
CALM = {"reduced_motion": "reduce"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gallery(browser: Browser, server: str, session: Any) -> Gallery:
    """All tags, as ada sees them."""

    @asynccontextmanager
    async def show(width: int = 1280, theme: str = "", **context: Any) -> AsyncIterator[Page]:
        address = f"{server}/gallery/?theme={theme}"
        async with opened(browser, address, width, storage_state=session, **context) as page:
            await expect(status(page)).to_have_attribute("data-state", "live", timeout=WAIT)
            yield page

    return show


STALE = """() => {
    document.documentElement.dataset.liveState = "stale";
    document.querySelector("live-status").dataset.state = "stale";
}"""
MEDIA: list[dict[str, Any]] = [
    {"color_scheme": "light"},
    {"color_scheme": "dark"},
    {"color_scheme": "light", "contrast": "more"},
    {"color_scheme": "dark", "contrast": "more"},
]


@pytest.mark.parametrize("theme", THEMES)
async def test_axe_finds_nothing(gallery: Gallery, axe: str, theme: str) -> None:
    """The page is looked at whole once; what it is put on, again in all colours."""
    async with gallery(theme=theme, **CALM) as page:
        assert await violations(page, axe) == []
        for media in MEDIA[1:]:
            await page.emulate_media(**CALM, **media)
            assert await violations(page, axe, LOOKS) == [], media
        # The state of a page whose server has gone.
        await page.evaluate(STALE)
        for media in MEDIA:
            await page.emulate_media(**CALM, **media)
            assert await violations(page, axe, LOOKS) == [], media


SCHEMES = """(scheme) => {
    document.querySelector('[name="color-scheme"]')?.remove();
    if (scheme) document.documentElement.dataset.theme = scheme;
    // A ground of the host's, as most pages have one.
    document.body.style.background = scheme === "dark" ? "#111" : "#fff";
    document.body.style.color = scheme === "dark" ? "#eee" : "#111";
}"""


@pytest.mark.parametrize("theme", ["", "paper"])
async def test_a_page_that_is_only_light_stays_so_on_a_dark_system(
    gallery: Gallery, axe: str, theme: str
) -> None:
    async with gallery(theme=theme, color_scheme="dark", **CALM) as page:
        await page.evaluate(SCHEMES, "")
        assert await violations(page, axe, LOOKS) == []
        # And one that says that it is dark, on a light one.
        await page.emulate_media(color_scheme="light", **CALM)
        await page.evaluate(SCHEMES, "dark")
        assert await violations(page, axe, LOOKS) == []


async def test_axe_finds_nothing_on_a_telephone(gallery: Gallery, axe: str) -> None:
    async with gallery(360, locale="ar", **CALM) as page:
        assert await violations(page, axe) == []


NARROW = [
    *(("", "de"), ("", "ar"), ("vivid", "en")),
    *(pytest.param(theme, "en", marks=pytest.mark.soak) for theme in ("", "board", "paper")),
]


@pytest.mark.parametrize(("theme", "locale"), NARROW)
async def test_nothing_lies_beside_a_narrow_window(
    gallery: Gallery, theme: str, locale: str
) -> None:
    # 1280 pixels at 400 %.
    async with gallery(320, theme, locale=locale) as page:
        assert await overflow(page) <= 0
        # WCAG 1.4.12: who reads with more space loses nothing.
        await page.add_style_tag(content=SPACED)
        assert await overflow(page) <= 0
        assert await page.evaluate(CUT_OFF) == []


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
# By now, and a moment ago: nobody has written it anew since then.
AGED = """[...document.querySelectorAll("live-feed time")].map((each) => {
    const { format, clock } = each.closest("live-feed").client;
    const ages = [0, 10_000].map((ago) =>
        format.age(Date.parse(each.dateTime), clock.now() - ago));
    return [each.textContent, ages];
})"""


LANGUAGES = [
    *("en", "de", "fr"),
    *(pytest.param(each, marks=pytest.mark.soak) for each in ("es", "pt", "zh-CN")),
]


@pytest.mark.parametrize("locale", LANGUAGES)
async def test_the_script_writes_what_the_server_has_written(gallery: Gallery, locale: str) -> None:
    async with gallery(locale=locale) as page:
        texts = await page.evaluate(REWRITTEN)
        assert [server for server, _ in texts] == [client for _, client in texts]
        assert all(server in client for server, client in await page.evaluate(AGED))
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


@pytest.mark.parametrize(("theme", "width"), [("", 360), ("vivid", 1280)])
async def test_nothing_jumps_when_a_number_grows(gallery: Gallery, theme: str, width: int) -> None:
    async with gallery(width, theme) as page:
        for numbers in ([9, 10], [999, 1000]):
            jumps = await page.evaluate(CHANGE, [".live-card", *numbers])
            assert jumps == [], numbers
        # In a line, the words behind a number make room for it.
        jumps = await page.evaluate(CHANGE, ["live-online, p live-counter", 999, 1000])
        assert sum(size for size, _ in jumps) < 0.001


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


async def test_a_clock_that_is_a_day_wrong(browser: Browser, server: str, session: Any) -> None:
    for days in (-1, 1):
        async with opened(browser, "about:blank", storage_state=session) as page:
            wrong = f"const now = Date.now; Date.now = () => now() + {days * 86_400_000};"
            await page.add_init_script(wrong)
            await page.goto(f"{server}/gallery/")
            await expect(status(page)).to_have_attribute("data-state", "live", timeout=WAIT)
            times = await page.locator("live-feed time").all_inner_texts()
            assert all(time == "now" or "second" in time or "minute" in time for time in times)
            assert times


async def test_only_the_state_is_told_by_itself(gallery: Gallery) -> None:
    """Numbers are read when the reader comes to them, not whenever they change."""
    async with gallery() as page:
        told = "[aria-live], [role=status], [role=alert], [role=log]"
        found = await page.locator(told).evaluate_all("(all) => all.map((each) => each.outerHTML)")
        assert not [each for each in found if 'data-live="value"' in each]


async def test_less_motion(gallery: Gallery) -> None:
    async with gallery(**CALM) as page:
        assert await page.evaluate("document.getAnimations().length") == 0
        glide = """() => { const each = document.querySelector("live-counter");
            each.take("", 1000000); return each.querySelector("[data-live]").textContent; }"""
        assert await page.evaluate(glide) == "1,000,000"


async def test_without_the_style_sheet(browser: Browser, server: str, session: Any) -> None:
    """Every card on a line of its own, and no picture greater than the page."""
    async with opened(browser, "about:blank", 360, storage_state=session) as page:
        await page.route("**/*.css", lambda route: route.abort())
        await page.goto(f"{server}/gallery/")
        tops = await page.locator("live-counter.live-card").evaluate_all(
            "(all) => all.map((each) => each.lastElementChild.getBoundingClientRect().top)"
        )
        assert len(tops) > 3
        assert len(set(tops)) == len(tops)
        ring = await page.locator("svg").first.bounding_box()
        assert ring is not None
        assert ring["width"] < 100
        assert await overflow(page) <= 0
