"""Addresses: where pages ask over HTTP, and who answers there."""

from __future__ import annotations

from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse

__all__ = ["in_the_way", "snapshot"]


def snapshot() -> str:
    """The path that pages poll at; "" where the site's URLs do not include ours."""
    try:
        return reverse("livecounters:snapshot")
    except NoReverseMatch:
        return ""


def in_the_way(path: str) -> str:
    """The pattern that is asked for ``path`` before ours is; "" if none. One that takes everything,
    such as the last of a site of pages, does so when it stands above."""
    try:
        match = resolve(f"/{path.removeprefix(get_script_prefix())}")
    except Resolver404:
        return ""
    return "" if "livecounters" in match.app_names else match.route
