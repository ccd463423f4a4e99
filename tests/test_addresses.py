"""Where pages ask, and a site of pages whose last pattern takes everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings
from django.urls import include, path, set_script_prefix

from livecounters import addresses
from tests.host import pages


def test_where_pages_ask() -> None:
    assert addresses.snapshot() == "/live/snapshot/"
    assert addresses.in_the_way("/live/snapshot/") == ""


@override_settings(ROOT_URLCONF=())
def test_urls_without_ours() -> None:
    assert addresses.snapshot() == ""
    # Nobody is there, so nobody is in the way.
    assert addresses.in_the_way("/live/snapshot/") == ""


@override_settings(ROOT_URLCONF="tests.host.pages")
def test_a_pattern_that_takes_everything_is_in_the_way() -> None:
    assert addresses.in_the_way(addresses.snapshot()) == pages.anything.pattern.regex.pattern


@override_settings(ROOT_URLCONF=(pages.ours, pages.anything))
def test_below_ours_it_is_not() -> None:
    assert addresses.in_the_way(addresses.snapshot()) == ""


def test_ours_may_have_a_name_and_a_place_of_its_own() -> None:
    mine = path("a/", include([path("b/", include("livecounters.urls", namespace="mine"))]))
    with override_settings(ROOT_URLCONF=(mine,)):
        assert addresses.snapshot() == "/a/b/snapshot/"
        assert addresses.in_the_way("/a/b/snapshot/") == ""


@pytest.fixture
def below() -> Iterator[None]:
    set_script_prefix("/site/")
    yield
    set_script_prefix("/")


@pytest.mark.usefixtures("below")
def test_a_site_below_a_path() -> None:
    assert addresses.snapshot() == "/site/live/snapshot/"
    assert addresses.in_the_way("/site/live/snapshot/") == ""
    with override_settings(ROOT_URLCONF="tests.host.pages"):
        assert addresses.in_the_way("/site/live/snapshot/") != ""
