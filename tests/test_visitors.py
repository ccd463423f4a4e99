"""Visitors' cookies: signed, random, good for as long as the site says."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse

from livecounters.visitors import COOKIE, give, mint, today, visitor_of


def test_a_cookie_is_whose_it_is() -> None:
    one, other = mint(), mint()

    assert visitor_of(one) == visitor_of(one)
    assert visitor_of(one) != visitor_of(other)
    assert len(visitor_of(one) or "") == 16


def test_what_was_tampered_with_is_none() -> None:
    token = mint()

    for wrong in (None, "", "x", token[:-1], "y" + token, token + "y", "a" * 10_000, ":", "é:ü"):
        assert visitor_of(wrong) is None


def test_good_for_a_day(settings: Any) -> None:
    monday, tuesday = dt.date(2026, 11, 23), dt.date(2026, 11, 24)
    token = mint(monday)

    assert visitor_of(token, monday)
    assert visitor_of(token, tuesday) is None
    assert visitor_of(mint(), monday) is None
    assert today() is None
    settings.LIVECOUNTERS = {"PRESENCE": {"ROTATE": True}}
    assert today() is not None


def test_scripts_and_other_sites_do_not_get_it(settings: Any) -> None:
    response = HttpResponse()
    give(response, "t", secure=True)

    cookie = response.cookies[COOKIE]
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert cookie["max-age"] == 365 * 86_400
    settings.LIVECOUNTERS = {"PRESENCE": {"ROTATE": True}}
    give(response, "t", secure=False)
    assert response.cookies[COOKIE]["max-age"] == 86_400
