"""The client in a real browser whose tabs share one socket; the peer is a small server in here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Error, Page, Route, expect
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

import livecounters
from tests.pages import launched

SCRIPT = Path(livecounters.__file__).parent / "static/livecounters/livecounters.js"
AT = "2026-03-01T12:00:00.000Z"
WAIT = 15_000
TAKEOVER = 2_000

PAGE = """<!doctype html><html lang="en"><title>A page</title>
<link rel="icon" href="data:,">
<meta name="livecounters" data-socket="/ws/" data-visitor="/visitor/" data-viewer="{viewer}">
<script type="module" src="/livecounters.js"></script>
<live-counter topic="counter:likes~s" value="0">0</live-counter>
<live-online topic="online:site~s" room="hall~s">?</live-online>
<live-feed topic="feed~s" epoch="ab12" seq="{seq}"><div data-live="list"></div>
<template data-live="item"><article><a data-live="text"></a></article></template></live-feed>
</html>"""


class Peer:
    """A server that keeps what it was asked, and says what a test wants it to say."""

    def __init__(self) -> None:
        self.sockets: list[ServerConnection] = []
        self.heard: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.likes = 0
        self.address = ""

    async def handle(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        try:
            with suppress(ConnectionClosed):
                async for text in socket:
                    frame = json.loads(text)
                    self.heard.append(frame)
                    await self.answer(socket, frame)
        finally:
            self.sockets.remove(socket)

    async def answer(self, socket: ServerConnection, frame: dict[str, Any]) -> None:
        if frame["op"] == "ping":
            await self.say(socket, "pong", at=AT)
        if frame["op"] == "subscribe":
            await self.say(socket, "values", values=self.values, at=AT)
        if "feed~s" in frame.get("topics", []):
            await self.say(socket, "events", topic="feed", events=self.after(frame["seq"]))

    @property
    def values(self) -> dict[str, Any]:
        online = {"people": 1, "guests": 1, "connections": 3}
        return {"counter:likes": self.likes, "online:site": online}

    def after(self, seq: int) -> list[dict[str, Any]]:
        return [event for event in self.events if event["seq"] > seq]

    async def say(self, socket: ServerConnection, op: str, **rest: Any) -> None:
        with suppress(ConnectionClosed):
            seq = len(self.events)
            await socket.send(json.dumps({"op": op, "epoch": "ab12", "seq": seq, **rest}))

    async def like(self) -> None:
        """Something happens: a number rises, and it is told."""
        self.likes += 1
        seq = len(self.events) + 1
        event = {"seq": seq, "key": str(seq), "kind": "like", "text": f"like {seq}"}
        event |= {"icon": "", "at": AT}
        self.events.append(event)
        for socket in list(self.sockets):
            await self.say(socket, "events", topic="feed", events=[event])
            await self.say(socket, "values", values=self.values, at=AT)

    def presence(self) -> dict[str, Any]:
        """What the browser said of itself last."""
        said = [frame for frame in self.heard if frame["op"] == "presence" and "room" not in frame]
        return said[-1] if said else {}

    def serve_page(self, socket: ServerConnection, request: Request) -> Response | None:
        path, _, viewer = request.path.partition("?")
        if path == "/ws/":
            return None
        if path == "/livecounters.js":
            return respond("text/javascript", SCRIPT.read_bytes())
        page = PAGE.format(viewer=viewer, seq=len(self.events))
        return respond("text/html", page.encode())


def respond(kind: str, body: bytes) -> Response:
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(body))})
    headers["Connection"] = "close"
    return Response(HTTPStatus.OK, "OK", headers, body)


@pytest_asyncio.fixture
async def peer() -> AsyncIterator[Peer]:
    found = Peer()
    serving = serve(found.handle, "127.0.0.1", 0, process_request=found.serve_page)
    async with serving as server:
        port = next(iter(server.sockets)).getsockname()[1]
        found.address = f"http://127.0.0.1:{port}/"
        yield found


@pytest_asyncio.fixture
async def context(chromium: str, peer: Peer) -> AsyncIterator[BrowserContext]:
    # Asks for the peer, so that the browser ends first, with all that it holds open.
    async with launched(chromium) as browser:
        yield await browser.new_context()


async def tab(context: BrowserContext, peer: Peer, viewer: str = "") -> Page:
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"an error on the page: {error}"))
    await page.goto(f"{peer.address}?{viewer}")
    await expect(page.locator("html")).to_have_attribute("data-live-state", "live", timeout=WAIT)
    return page


async def shows(page: Page, peer: Peer, since: int = 0, timeout: int = WAIT) -> None:
    """The page shows the newest number, and each event since a place once."""
    await expect(page.locator("live-counter")).to_have_text(str(peer.likes), timeout=timeout)
    told = [event["text"] for event in reversed(peer.after(since))]
    await expect(page.locator("live-feed article")).to_have_text(told, timeout=timeout)


async def until(true: Any) -> None:
    async with asyncio.timeout(WAIT / 1_000):
        while not true():
            await asyncio.sleep(0.01)


async def test_tabs_share_one_socket(context: BrowserContext, peer: Peer) -> None:
    pages = [await tab(context, peer) for _ in range(3)]

    await peer.like()

    for page in pages:
        await shows(page, peer)
    assert len(peer.sockets) == 1
    await until(lambda: peer.presence() == {"op": "presence", "state": "active", "tabs": 3})


async def test_another_viewer_shares_nothing(context: BrowserContext, peer: Peer) -> None:
    await tab(context, peer, "ada")
    await tab(context, peer, "bob")

    assert len(peer.sockets) == 2


async def test_away_after_five_minutes_without_a_touch(context: BrowserContext, peer: Peer) -> None:
    page = await tab(context, peer)
    await page.clock.install()
    await page.reload()
    state = lambda: peer.presence().get("state")  # noqa: E731

    await page.clock.fast_forward("04:30")
    await until(lambda: state() == "active")
    await page.clock.fast_forward("01:00")
    await until(lambda: state() == "away")
    await page.mouse.move(5, 5)
    await page.clock.fast_forward("00:25")
    await until(lambda: state() == "active")


async def test_a_tab_that_leaves(context: BrowserContext, peer: Peer) -> None:
    leader, other = await tab(context, peer), await tab(context, peer)

    await other.close()

    await until(lambda: peer.presence().get("tabs") == 1)
    await peer.like()
    await shows(leader, peer)
    assert not [frame for frame in peer.heard if frame["op"] == "unsubscribe"]


@pytest.mark.parametrize("end", ["closed", "crashed", "frozen"])
async def test_takeover(context: BrowserContext, peer: Peer, end: str) -> None:
    leader = await tab(context, peer)
    await peer.like()
    second, third = await tab(context, peer), await tab(context, peer)
    (socket,) = peer.sockets

    if end == "closed":
        await leader.close()
    elif end == "crashed":
        with suppress(Error):
            await leader.goto("chrome://crash", timeout=1)
    else:
        await hear(leader, "freeze")
    # While nobody may be listening.
    await peer.like()

    for page in (second, third):
        await shows(page, peer, since=1, timeout=TAKEOVER)
    # The old one may have handed the news around with its last breath.
    await until(lambda: len(peer.sockets) == 1 and socket not in peer.sockets)
    for page in (second, third):
        assert await page.locator("html").get_attribute("data-live-state") == "live"
    if end == "frozen":
        await hear(leader, "resume")
        await shows(leader, peer)
        assert len(peer.sockets) == 1


async def test_a_leader_that_sleeps(context: BrowserContext, peer: Peer) -> None:
    leader = await tab(context, peer)
    debugger = await context.new_cdp_session(leader)
    await debugger.send("Debugger.enable")
    await debugger.send("Debugger.pause")
    await peer.like()

    newcomer = await tab(context, peer)
    await peer.like()
    await shows(newcomer, peer, since=1)

    await debugger.send("Debugger.resume")
    await debugger.send("Debugger.disable")
    await shows(leader, peer)
    await until(lambda: len(peer.sockets) == 1)
    await until(lambda: peer.presence().get("tabs") == 2)


async def hear(page: Page, event: str) -> None:
    """A browser without a screen freezes nothing, so the page is told that it does."""
    await page.evaluate("name => document.dispatchEvent(new Event(name))", event)


async def test_a_beat_is_answered_by_one(context: BrowserContext, peer: Peer) -> None:
    for _ in range(2):
        await tab(context, peer)
    await until(lambda: peer.presence().get("tabs") == 2)
    peer.heard.clear()

    await peer.say(peer.sockets[0], "beat")

    await until(lambda: peer.heard)
    assert peer.heard == [{"op": "presence", "state": "active", "tabs": 2}]


async def test_a_visitor_is_asked_for_once(context: BrowserContext, peer: Peer) -> None:
    asked: list[str] = []

    async def answer(route: Route) -> None:
        asked.append(route.request.method)
        await route.fulfill(json={"visitor": "token"})

    await context.route("**/visitor/", answer)
    await tab(context, peer)

    for _ in range(2):
        peer.heard.clear()
        await peer.say(peer.sockets[0], "visitor")
        await until(lambda: peer.presence().get("visitor") == "token")

    assert asked == ["POST"]


async def test_a_room(context: BrowserContext, peer: Peer) -> None:
    page, other = await tab(context, peer), await tab(context, peer)
    await expect(page.locator("live-online")).to_have_text("2")

    for each in (page, other):
        assert {"op": "presence", "room": "hall~s"} in peer.heard
        assert not [frame for frame in peer.heard if frame.get("here") is False]
        await each.locator("live-online").evaluate("element => element.remove()")

    await until(lambda: {"op": "presence", "room": "hall~s", "here": False} in peer.heard)


async def test_the_facts(context: BrowserContext, peer: Peer) -> None:
    page = await tab(context, peer)

    await page.evaluate(
        """async () => {
          const { live } = await import("/livecounters.js");
          window.told = 0;
          for (const token of ["counter:likes~s", "online:site~s"]) live.follow(token);
          live.subscribe(() => { window.told += 1; window.facts = live.getSnapshot(); });
        }"""
    )
    await peer.like()

    await page.wait_for_function("window.facts?.values['counter:likes'] === 1")
    facts = await page.evaluate("window.facts")
    assert facts["status"] == "live"
    assert facts["connected"] is True
    assert facts["online"] == {"people": 1, "guests": 1, "connections": 3}
    assert len(peer.sockets) == 1
