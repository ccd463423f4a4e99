"""The middleware that gives browsers a cookie, and keeps off what is cached."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.cache import FetchFromCacheMiddleware, UpdateCacheMiddleware
from django.test import RequestFactory

from livecounters import sightings
from livecounters.middleware import VisitorMiddleware
from livecounters.visitors import COOKIE, mint, visitor_of

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<p>Hello")


def ask(view: Any = page, agent: str = BROWSER, token: str | None = None, **given: Any) -> Any:
    request = RequestFactory().get("/", headers={"user-agent": agent}, **given)
    if token is not None:
        request.COOKIES[COOKIE] = token
    return VisitorMiddleware(view)(request)


def test_a_browser_gets_a_cookie_once() -> None:
    token = ask().cookies[COOKIE].value

    assert visitor_of(token)
    assert COOKIE not in ask(token=token).cookies
    assert COOKIE in ask(token="forged").cookies


def test_a_page_varies_by_nothing() -> None:
    assert not ask().has_header("Vary")
    assert not ask().has_header("Cache-Control")


@pytest.mark.parametrize("kept", ["public, max-age=60", "max-age=60", "s-maxage=9", "Public"])
def test_a_page_that_may_be_kept_for_others_is_left_alone(kept: str) -> None:
    response = ask(lambda request: HttpResponse("x", headers={"Cache-Control": kept}))

    assert COOKIE not in response.cookies
    assert dict(response.headers) == {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": kept,
    }


def test_a_private_page_is_not_kept_for_others() -> None:
    private = {"Cache-Control": "private, max-age=60"}

    assert COOKIE in ask(lambda request: HttpResponse("x", headers=private)).cookies


def test_a_site_that_caches_every_page_goes_on_doing_so() -> None:
    cache.clear()
    asked: list[int] = []

    def view(request: HttpRequest) -> HttpResponse:
        asked.append(1)
        return page(request)

    site = UpdateCacheMiddleware(VisitorMiddleware(FetchFromCacheMiddleware(view)))  # type: ignore[arg-type]
    answers = [site(RequestFactory().get("/", headers={"user-agent": BROWSER})) for _ in range(2)]

    assert len(asked) == 1
    assert all(COOKIE not in answer.cookies for answer in answers)
    cache.clear()


@pytest.mark.parametrize(
    "view",
    [
        lambda request: JsonResponse({}),
        lambda request: HttpResponse("no", status=404),
        lambda request: HttpResponse(status=304),
    ],
    ids=["json", "missing", "unchanged"],
)
def test_only_pages_carry_it(view: Any) -> None:
    assert COOKIE not in ask(view).cookies


@pytest.mark.parametrize(
    "agent", ["Googlebot/2.1", "Mozilla/5.0 (compatible; bingbot/2.0)", "", "Some Spider"]
)
def test_a_bot_gets_none(agent: str) -> None:
    assert COOKIE not in ask(agent=agent).cookies


def test_it_is_secure_where_the_page_is() -> None:
    assert ask(secure=True).cookies[COOKIE]["secure"]
    assert not ask().cookies[COOKIE]["secure"]


def test_async() -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        return page(request)

    request = RequestFactory().get("/", headers={"user-agent": BROWSER})
    response = asyncio.run(VisitorMiddleware(view)(request))  # type: ignore[arg-type]

    assert COOKIE in response.cookies


@pytest.mark.django_db
class TestSightings:
    @pytest.fixture(autouse=True)
    def switched_on(self, settings: Any) -> None:
        settings.LIVECOUNTERS = {"PRESENCE": {"SIGHTINGS": True}}

    def test_a_page_view_is_a_sighting(self) -> None:
        ask()
        ask()

        assert sightings.active(0.0) == 2

    def test_once_a_minute(self, django_assert_num_queries: Any) -> None:
        middleware = VisitorMiddleware(page)
        request = RequestFactory().get("/", headers={"user-agent": BROWSER})
        request.COOKIES[COOKIE] = mint()
        middleware(request)

        with django_assert_num_queries(0):
            middleware(request)

    def test_bots_and_other_answers_are_none(self) -> None:
        ask(agent="Googlebot/2.1")
        ask(lambda request: JsonResponse({}))

        assert sightings.active(0.0) == 0

    def test_who_is_signed_in_is_looked_at_only_where_the_page_has_looked(self) -> None:
        ada = User.objects.create(username="ada")
        session = SessionStore()

        def view(request: Any) -> HttpResponse:
            request.session, request.user = session, ada
            return page(request)

        ask(view)
        assert sightings.last_seen(str(ada.pk)) is None
        assert not session.accessed

        def looks(request: Any) -> HttpResponse:
            response = view(request)
            request.session.get("x")
            return response

        ask(looks)
        assert sightings.last_seen(str(ada.pk)) is not None

    def test_switched_off_nothing_is_kept(self, settings: Any) -> None:
        settings.LIVECOUNTERS = {}
        ask()

        assert sightings.active(0.0) == 0
