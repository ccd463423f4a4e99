"""Pages as people have them: dark, narrow, without motion, read out, blocked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

# The page's own script, which no policy of the page forbids to be evaluated.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What depends on colours and widths, of a page whose structure has been looked at.
LOOKS = ["color-contrast", "link-in-text-block", "target-size"]

# Before any script of the page: what the policy refuses, and by how much the page jumps.
WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) =>
    window.refused.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
window.jumps = [];
new PerformanceObserver((list) => {
    for (const shift of list.getEntries())
        window.jumps.push([shift.value, shift.sources.map(({ node }) =>
            node?.outerHTML?.slice(0, 80) ?? node?.parentElement?.outerHTML?.slice(0, 80))]);
}).observe({ type: "layout-shift", buffered: true });
"""


@asynccontextmanager
async def launched(chromium: str) -> AsyncIterator[Browser]:
    """A browser, until the end of the block."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser, address: str, width: int = 1280, **context: Any
) -> AsyncIterator[Page]:
    """A page of a person of its own; an error of a script fails the test."""
    viewport = ViewportSize(width=width, height=800)
    made = await browser.new_context(viewport=viewport, **context)
    page = await made.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.add_init_script(WATCH)
    await page.goto(address)
    yield page
    await made.close()
    assert not errors


async def violations(
    page: Page, axe: str, rules: list[str] = RULES, within: str = "html"
) -> list[str]:
    """What axe finds within an element: rule, element and reason of each."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(axe)
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found = await page.evaluate("(options) => axe.run(...options)", [within, options])
    return [
        f"{rule['id']}: {node['html'][:150]} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


async def overflow(page: Page) -> int:
    """How many pixels of the page lie beside its window."""
    found = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return int(found)
